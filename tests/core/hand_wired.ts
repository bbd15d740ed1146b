/**
 * Nodes wired together by hand in virtual time: what one sends, the others hear 1 ms later. Far less than `lib/sim`:
 * it has no kernel, no faults and no chance, and shows each node's effects. Every step is checked: a deadline that is
 * not in the future would be a busy loop.
 */

import assert from "node:assert/strict";
import type { Effect, RunEffect } from "../../lib/core/effects.ts";
import type {
  Command,
  FenceOutcome,
  Input,
  MessageInput,
  Outcome,
  WireVerdict,
} from "../../lib/core/inputs.ts";
import { ClusterNode } from "../../lib/core/node.ts";
import { Prng } from "../../lib/core/prng.ts";
import { linkName, type Settings } from "../../lib/core/settings.ts";
import { stringField } from "../../lib/wire/message.ts";
import type { ClusterOutline } from "../../lib/sim/cluster_settings.ts";
import { at, message, outcome, settings } from "./samples.ts";

export class HandWired {
  nowMs = 0;
  readonly nodes = new Map<string, ClusterNode>();
  readonly log: { atMs: number; node: string; effect: Effect }[] = [];
  steps = 0;
  /** Nodes that do nothing and hear nothing for now. */
  readonly still = new Set<string>();
  isCarried: (from: string, to: string, medium: string) => boolean = () => true;
  wire: (asker: string) => WireVerdict = () => ({ kind: "silent" });
  answer: (run: RunEffect, node: string) => Outcome | null = ({ operation }, node) =>
    outcome(operation === "start" || (operation === "monitor" && this.held(node)) ? "running" : "stopped");
  /** The outcome of a fencing and how long it takes; `null`: it never ends. */
  fence: (node: string, attempt: number) => readonly [ms: number, FenceOutcome] | null = () => null;
  #fences = 0;
  readonly #sent = new Map<string, MessageInput>();
  #queue: { atMs: number; node: string; input: Input }[] = [];

  constructor(readonly settings: Settings) {}

  start(node: string, generation = 1): Effect[] {
    const identity = {
      node,
      generation,
      version: "1",
      settingsHash: "same",
      keptEpochs: {},
      unprotected: [],
    };
    this.nodes.set(node, new ClusterNode(this.settings, identity, new Prng(generation)));
    return this.step(node, { kind: "start" });
  }

  command(node: string, command: Command): string {
    const answer = this.step(node, { kind: "command", command }).find((each) => each.kind === "answer")!;
    return `${answer.accepted ? "accepted" : "refused"}: ${answer.message}`;
  }

  step(node: string, input: Input): Effect[] {
    const effects = this.nodes.get(node)!.step(at(this.nowMs), input);
    for (const effect of effects) this.#carryOut(node, effect);
    const deadline = this.nodes.get(node)?.deadline() ?? null;
    assert.ok(deadline === null || deadline > this.nowMs, `${node}: ${deadline} is due at ${this.nowMs}`);
    this.steps++;
    return effects;
  }

  run(untilMs: number): this {
    for (let next = this.#next(); next !== null && next.atMs <= untilMs; next = this.#next()) {
      this.nowMs = Math.max(this.nowMs, next.atMs);
      this.#queue = this.#queue.filter((each) => each !== next);
      if (!this.still.has(next.node)) this.step(next.node, next.input);
    }
    this.nowMs = untilMs;
    return this;
  }

  held(node: string): boolean {
    return this.nodes.get(node)!.keepers.some(({ machine }) => machine.state === "running");
  }

  /** What a node reported since an instant, as `level code`. */
  reports(node: string, sinceMs = 0): string[] {
    return this.log.filter((each) => each.node === node && each.atMs >= sinceMs)
      .flatMap(({ effect }) => effect.kind === "report" ? [`${effect.level} ${effect.code}`] : []);
  }

  #next(): { atMs: number; node: string; input: Input } | null {
    const wakes = [...this.nodes].flatMap(([node, each]) => {
      const atMs = this.still.has(node) ? null : each.deadline();
      return atMs === null ? [] : [{ atMs, node, input: { kind: "wake" } as const }];
    });
    return [...this.#queue, ...wakes].reduce<{ atMs: number; node: string; input: Input } | null>(
      (first, each) => first === null || each.atMs < first.atMs ? each : first,
      null,
    );
  }

  #carryOut(node: string, effect: Effect): void {
    this.log.push({ atMs: this.nowMs, node, effect });
    const later = (ms: number, to: string, input: Input) =>
      this.#queue.push({ atMs: this.nowMs + ms, node: to, input });
    const ended = (ms: number, id: number, ended: Outcome) =>
      later(ms, node, { kind: "outcome", id: id as never, outcome: ended });
    if (effect.kind === "exit") this.nodes.delete(node);
    if (effect.kind === "ask-wire") {
      ended(effect.windowMs, effect.id, { kind: "wire", verdict: this.wire(node) });
    }
    if (effect.kind === "fence") {
      const given = this.fence(effect.node, ++this.#fences);
      if (given !== null) ended(given[0], effect.id, given[1]);
    }
    if (effect.kind === "run") {
      const given = this.answer(effect, node);
      if (given !== null) ended(1, effect.id, given);
    }
    if (effect.kind === "resend") this.#transmit(node, this.#sent.get(`${node} ${effect.sequence}`)!, later);
    if (effect.kind !== "send") return;
    const { generation } = this.nodes.get(node)!.identity;
    const { type, sequence, destination, fields, statement } = effect;
    const bare = message({ type, source: node, generation, sequence }, statement);
    const list = fields.map(([name, value]) => stringField(name, value));
    const sent = { ...bare, message: { ...bare.message, destination, message: { fields: list } } };
    if (sequence !== null) this.#sent.set(`${node} ${sequence}`, sent);
    this.#transmit(node, sent, later);
  }

  #transmit(node: string, sent: MessageInput, later: (ms: number, to: string, input: Input) => void): void {
    for (const medium of this.settings.media.map(linkName)) {
      for (const to of this.nodes.keys()) {
        if (to !== node && this.isCarried(node, to, medium)) later(1, to, { ...sent, medium });
      }
    }
  }
}

export const pair = { nodes: ["n1", "n2"] };

/** A settled pair; n1 holds `web`, at 1000 ms. */
export function quietPair(outline: Partial<ClusterOutline> = {}): HandWired {
  const wired = new HandWired(settings({ ...pair, ...outline }));
  for (const node of outline.nodes ?? pair.nodes) wired.start(node);
  wired.run(1_000);
  assert.equal(holders(wired), "n1");
  return wired;
}

export function holders(wired: HandWired): string {
  return [...wired.nodes.keys()].filter((node) => wired.held(node)).join();
}

export function order(kind: "takeover" | "standby" | "release" | "rejoin" | "confirm"): Command {
  return { kind, groups: ["web"] };
}
