/**
 * One run of a node's daemon in the simulator: hands inputs to the very `ClusterNode` of the product and carries out
 * its effects in order, as `lib/runtime` does. A paused daemon takes nothing; what arrives meanwhile waits in a socket
 * buffer that drops the *newest* when full, and comes in one burst when it goes on.
 */

import type { Effect, EffectId, RunEffect, SendEffect } from "../core/effects.ts";
import type { Input } from "../core/inputs.ts";
import type { Instant } from "../core/instant.ts";
import { ClusterNode, type Identity } from "../core/node.ts";
import type { Settings } from "../core/settings.ts";
import { readStatement } from "../wire/statement_codec.ts";
import { type Statement, statementField } from "../wire/statement.ts";
import { InvariantError } from "../errors.ts";
import type { Machine } from "./machine.ts";
import { outcomeOf } from "./scripts.ts";
import type { Closing } from "./service_network.ts";

/** Packets that a socket buffer holds. Too high: a resumed daemon hears all; too low: nothing of the old. */
const bufferedPacketsMax = 64;

/** A timer fires up to this much late on an idle machine. */
const timerLatenessMsMax = 1.2;

/** After its start an address is announced at these times (`ANNOUNCE_AT_MS` of the product). */
const announceAtMs = [0, 100, 300];

export class Daemon {
  readonly node: ClusterNode;
  isPaused = false;
  isOver = false;
  steps = 0;
  #armedAt: Instant | null = null;
  #isWakeDue = false;
  #bufferedPackets = 0;
  #waiting: { readonly run: () => void; readonly isFresh: () => boolean }[] = [];
  readonly #questions = new Set<Closing>();

  constructor(readonly machine: Machine, readonly settings: Settings, readonly identity: Identity) {
    this.node = new ClusterNode(settings, identity);
  }

  start(): void {
    for (const medium of this.node.roster.media) {
      this.take({ kind: "medium", medium, isUp: true, address: null, reason: "opened" });
    }
    this.take({ kind: "start" });
    for (const arbiter of this.settings.arbiters) this.#askArbiter(arbiter.name, arbiter.targets[0] ?? "");
  }

  /** Hands an input over now, or when the daemon goes on. */
  take(input: Input): void {
    if (this.isOver) return;
    if (!this.isPaused) return this.#step(input);
    if (input.kind === "message" && ++this.#bufferedPackets > bufferedPacketsMax) return;
    this.#wait(() => this.#step(input));
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.#bufferedPackets = 0;
    const waiting = this.#waiting;
    this.#waiting = [];
    // Which of its sources the event loop looks at first is chance.
    const isTimerFirst = this.machine.random.chance(0.5);
    if (this.#isWakeDue && isTimerFirst) this.#wake();
    for (const { run, isFresh } of waiting) if (!this.isOver && isFresh()) run();
    if (this.#isWakeDue) this.#wake();
  }

  /** The process is gone: nothing it asked for comes back. */
  end(): void {
    this.isOver = true;
    for (const question of this.#questions) question.abandon();
  }

  #wait(run: () => void, isFresh: () => boolean = () => true): void {
    this.#waiting.push({ run, isFresh });
  }

  #wake(): void {
    this.#isWakeDue = false;
    this.#armedAt = null;
    this.#step({ kind: "wake" });
  }

  #step(input: Input): void {
    if (this.isOver) return;
    const { machine } = this;
    const now = machine.now();
    this.steps++;
    const effects = this.node.step(now, input);
    for (const effect of effects) {
      if (this.isOver) return;
      this.#carryOut(effect);
    }
    machine.observer.stepped?.(machine, input, effects);
    this.#arm(now);
  }

  #arm(now: Instant): void {
    const deadline = this.node.deadline();
    if (deadline === this.#armedAt || this.isOver) return;
    if (deadline !== null && deadline <= now) {
      throw new InvariantError(`deadline ${deadline} is not after ${now}`);
    }
    this.#armedAt = deadline;
    if (deadline === null) return;
    const { queue, random } = this.machine;
    queue.at(this.machine.globalMs(deadline) + random.between(0, timerLatenessMsMax), () => {
      if (this.isOver || this.#armedAt !== deadline) return;
      if (this.isPaused) this.#isWakeDue = true;
      else this.#wake();
    });
  }

  #carryOut(effect: Effect): void {
    const { machine } = this;
    switch (effect.kind) {
      case "send":
        return this.#send(effect);
      case "run":
        return this.#run(effect);
      case "renew":
        return this.#forAddresses(effect.group, (index, leaseSeconds) => {
          if (machine.kernel.hasAddress(effect.group, index)) {
            machine.kernel.setAddress(effect.group, index, leaseSeconds);
          }
        });
      case "drop":
        return this.#forAddresses(effect.group, (index) => machine.kernel.removeAddress(effect.group, index));
      case "announce":
        // The daemon looks before each packet, as the announcer does: the kernel may have ended a lease of which the
        // core has not been told yet. What the core itself does not hold it must not announce at all.
        if (this.#thinksItHolds(effect.group) && !machine.hasAddress(effect.group)) return;
        machine.observer.announced?.(machine, effect.group);
        return machine.service.announce(machine, effect.group);
      case "ask-wire":
        return this.#ask(effect.id, effect.group, effect.windowMs);
      case "keep-epoch":
        machine.keptEpochs[effect.group] = effect.epoch;
        return;
      case "report":
        return machine.observer.reported?.(machine, effect);
      case "answer":
        return machine.observer.answered?.(machine, effect.accepted, effect.message);
      case "fence":
        machine.queue.in(1, () =>
          this.take({
            kind: "outcome",
            id: effect.id,
            outcome: { kind: "fence", result: "failed", reason: "no fencing in the simulator" },
          }));
        return;
      case "exit":
        return machine.ended();
      case "reboot":
        return machine.reboot();
    }
  }

  #send(effect: SendEffect): void {
    const { machine, identity } = this;
    let statement: Statement | null = null;
    for (const [name, value] of effect.fields) {
      if (name !== statementField) continue;
      const read = readStatement(value);
      if (!read.ok) throw new InvariantError(`own statement cannot be read: ${read.detail}`);
      statement = read.statement;
    }
    machine.heartbeats.send(machine.name, {
      message: {
        type: effect.type,
        source: machine.name,
        destination: null,
        generation: identity.generation,
        sequence: effect.sequence,
        timestamp: 0,
        message: { fields: effect.fields.map(([name, value]) => ({ name, type: 0, value })) },
      },
      statement,
    });
  }

  #thinksItHolds(group: string): boolean {
    return this.node.keepers.find(({ name }) => name === group)?.machine.state === "running";
  }

  #run(effect: RunEffect): void {
    const { group, resource, operation, id } = effect;
    const { machine } = this;
    const ended = (outcome: ReturnType<typeof outcomeOf>) => this.take({ kind: "outcome", id, outcome });
    const spec = this.#resources(group)[resource]!.spec;
    if (spec.kind !== "vip") return machine.scripts.run(effect, ended);
    // An address is set or removed in the very step that decides it (`lib/resources/vip.ts`).
    if (operation === "start") {
      machine.kernel.setAddress(group, resource, spec.leaseSeconds);
      for (const delayMs of announceAtMs) {
        machine.queue.in(delayMs, () => {
          if (!this.isOver && !this.isPaused && machine.hasAddress(group)) {
            machine.service.announce(machine, group);
          }
        });
      }
    } else if (operation === "stop") machine.kernel.removeAddress(group, resource);
    const isThere = machine.kernel.hasAddress(group, resource);
    const { random } = machine;
    machine.queue.in(random.between(0.1, 1), () => ended(outcomeOf(isThere ? "running" : "stopped", "", 1)));
  }

  #ask(id: EffectId, group: string, windowMs: number): void {
    const { machine } = this;
    const question = machine.service.ask(machine, group, windowMs, (verdict) => {
      this.#questions.delete(question);
      this.take({ kind: "outcome", id, outcome: { kind: "wire", verdict } });
    });
    this.#questions.add(question);
    machine.queue.in(windowMs, () => {
      if (this.isOver) return;
      // Who was stopped while the window was open looks at what lies in its socket when it goes on.
      if (this.isPaused) this.#wait(() => question.close());
      else question.close();
    });
  }

  /** An answer that lay in the socket for long proves nothing (`lib/arbiters/ping.ts`). */
  #askArbiter(name: string, target: string): void {
    if (this.isOver) return;
    const { machine, settings } = this;
    const intervalMs = settings.timing.keepaliveMs;
    const hasAnswer = machine.service.reachesArbiter(machine.name) && !this.isPaused;
    if (hasAnswer) {
      const askedAtMs = machine.queue.nowMs;
      const askedAt = machine.now();
      machine.queue.in(0.5, () => {
        if (this.isOver) return;
        const hand = () => this.#step({ kind: "arbiter", name, target, askedAt });
        const isFresh = () => machine.queue.nowMs - askedAtMs <= 2 * intervalMs;
        if (this.isPaused) this.#wait(hand, isFresh);
        else hand();
      });
    }
    machine.queue.in(intervalMs, () => this.#askArbiter(name, target));
  }

  #resources(group: string): Settings["groups"][number]["resources"] {
    return this.settings.groups.find(({ name }) => name === group)!.resources;
  }

  #forAddresses(group: string, act: (index: number, leaseSeconds: number | null) => void): void {
    for (const [index, { spec }] of this.#resources(group).entries()) {
      if (spec.kind === "vip") act(index, spec.leaseSeconds);
    }
  }
}
