/**
 * Drives the core in real time: hands it inputs one at a time with the instant of the monotonic clock, carries its
 * effects out in order, and wakes it when it asks to be. It decides nothing.
 *
 * Inputs that arise while effects are carried out wait in a queue, so that a step is never inside another one.
 */

import {
  type Effect,
  isHeartbeat,
  type RebootEffect,
  type ReportEffect,
  type SendEffect,
} from "../core/effects.ts";
import type { ClusterEvent } from "../core/messaging/cluster_events.ts";
import type { Command, Input } from "../core/inputs.ts";
import { instant } from "../core/instant.ts";
import { decisionGoodMs, rightEndsAt } from "../core/limits.ts";
import type { ClusterNode } from "../core/node.ts";
import type { NodeView } from "../core/view.ts";
import type { CommandResult } from "./control_protocol.ts";

/** What the driver can have done. All calls return at once; what takes time comes back through `Driver.input`. */
export interface Hands {
  now(): number;
  send(effect: SendEffect): void;
  resend(sequence: number): void;
  run(effect: Extract<Effect, { kind: "run" }>, goodUntilMs: number): void;
  renew(group: string, goodUntilMs: number): void;
  drop(group: string): void;
  announce(group: string): void;
  askWire(effect: Extract<Effect, { kind: "ask-wire" }>): void;
  fence(effect: Extract<Effect, { kind: "fence" }>): void;
  keepEpoch(group: string, epoch: number): void;
  report(report: ReportEffect): void;
  event(event: ClusterEvent): void;
  /** Called after each step that sent a heartbeat: a good moment for what is to be done now and then. */
  beaten(): void;
  exit(): void;
  reboot(effect: RebootEffect): void;
}

export class Driver {
  readonly #queue: Input[] = [];
  #isBusy = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #answer: CommandResult | null = null;
  #isClosed = false;
  /** Instant of the last step that sent a heartbeat. */
  #beatenAt: number | null = null;

  /** `record` is told every step, when its effects have been carried out. */
  constructor(
    readonly node: ClusterNode,
    readonly hands: Hands,
    readonly record: (now: number, input: Input, effects: readonly Effect[]) => void = () => {},
  ) {}

  /** Hands an input to the core, now or as soon as the present step is done. */
  input(input: Input): void {
    if (this.#isClosed) return;
    this.#queue.push(input);
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#step(next);
    } finally {
      this.#isBusy = false;
    }
    this.#schedule();
  }

  /** Hands over an operator's command and returns the core's answer. */
  command(command: Command): CommandResult {
    this.#answer = null;
    this.input({ kind: "command", command });
    return this.#answer ?? { accepted: false, message: "the daemon is ending" };
  }

  view(): NodeView {
    return this.node.view(instant(this.hands.now()));
  }

  close(): void {
    this.#isClosed = true;
    this.#queue.length = 0;
    clearTimeout(this.#timer);
  }

  #step(input: Input): void {
    const now = instant(this.hands.now());
    const { settings } = this.node;
    // A step may be late already, and the process stopped once more before its effects are carried out.
    const goodUntilMs = Math.min(
      now + decisionGoodMs(settings.timing),
      rightEndsAt(settings, this.#beatenAt),
    );
    let hasBeaten = false;
    const effects = this.node.step(now, input);
    for (const effect of effects) {
      if (isHeartbeat(effect)) hasBeaten = true;
      this.#carryOut(effect, goodUntilMs);
    }
    // Last: the addresses' leases and the heartbeat do not wait for it.
    this.record(now, input, effects);
    if (!hasBeaten) return;
    this.#beatenAt = now;
    this.hands.beaten();
  }

  #carryOut(effect: Effect, goodUntilMs: number): void {
    switch (effect.kind) {
      case "send":
        return this.hands.send(effect);
      case "resend":
        return this.hands.resend(effect.sequence);
      case "run":
        return this.hands.run(effect, goodUntilMs);
      case "renew":
        return this.hands.renew(effect.group, goodUntilMs);
      case "drop":
        return this.hands.drop(effect.group);
      case "announce":
        return this.hands.announce(effect.group);
      case "ask-wire":
        return this.hands.askWire(effect);
      case "fence":
        return this.hands.fence(effect);
      case "keep-epoch":
        return this.hands.keepEpoch(effect.group, effect.epoch);
      case "report":
        return this.hands.report(effect);
      case "event":
        return this.hands.event(effect.event);
      case "answer":
        this.#answer = { accepted: effect.accepted, message: effect.message };
        return;
      case "exit":
        return this.hands.exit();
      case "reboot":
        return this.hands.reboot(effect);
    }
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const deadline = this.#isClosed ? null : this.node.deadline();
    if (deadline === null) return;
    const delayMs = Math.max(0, Math.ceil(deadline - this.hands.now()));
    this.#timer = setTimeout(() => this.input({ kind: "wake" }), delayMs);
  }
}
