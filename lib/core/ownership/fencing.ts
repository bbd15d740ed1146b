/**
 * Which lost nodes are to be switched off, when, and what came of it: one attempt per node at a time, shared by all
 * groups. The groups say whom they want fenced once nothing else is missing for a takeover; a group whose address is
 * not silent vetoes it, because then the node's kernel lives. It must never take an attempt that failed, or whose
 * outcome nobody knows, for a success, nor let anything rest on a success that is older than a reboot takes.
 *
 *   idle ──wanted──▶ delayed ──▶ under way ──fenced──▶ a fact, for `fencedGoodMs`
 *                                 │      ▲
 *                   failed, unknown      │ after `retryMs`, or a person vouches instead
 *                                 └─▶ alarm
 */

import type { Context } from "../context.ts";
import type { EffectId } from "../effects.ts";
import type { FenceOutcome } from "../inputs.ts";
import { after, type Instant } from "../instant.ts";
import { fencedGoodMs, wireWindowMs } from "../limits.ts";
import type { Peer } from "../membership/peer.ts";
import type { FencingSettings, Timing } from "../settings.ts";
import type { FencingView } from "../view.ts";

/** A node that some device can switch off. */
interface Target {
  readonly peer: Peer;
  readonly delayMs: number;
  /** In this step: the group that wants it fenced, and the one that vetoes that. */
  wantedBy: string | null;
  vetoedBy: string | null;
  /** The veto that the last step ended with. */
  heldUpBy: string | null;
  /** When its delay is over; `null`: nobody wants it fenced. */
  dueAt: Instant | null;
  /** Since when nobody does, or somebody vetoes it, while `dueAt` and `failure` are kept for a while. */
  pausedAt: Instant | null;
  retryAt: Instant | null;
  /** The attempt that is under way, and the run of the node's daemon when it began. */
  attempt: { readonly id: EffectId; readonly generation: number | null; isForgotten: boolean } | null;
  attempts: number;
  failure: FenceOutcome | null;
  /** The last success, until another run of its daemon is heard. */
  fenced: { readonly at: Instant; readonly generation: number | null; readonly reason: string } | null;
  /** It was found alive although fenced, in this run of its daemon. */
  aliveIn: number | null;
}

export class Fencing {
  readonly #targets = new Map<string, Target>();
  /** The same, for what is done in every step. */
  readonly #list: readonly Target[];
  readonly #retryMs: number;
  /** A question to the wire that was late by this much is no veto; one that was answered silences it for longer. */
  readonly #graceMs: number;

  constructor(settings: FencingSettings | null, peers: readonly Peer[], readonly timing: Timing) {
    this.#retryMs = settings?.retryMs ?? 0;
    this.#graceMs = wireWindowMs(timing.deadTimeMs);
    for (const peer of peers) {
      if (settings?.devices.some(({ ports }) => Object.hasOwn(ports, peer.node)) !== true) continue;
      const delayMs = Object.hasOwn(settings.delayMs, peer.node) ? settings.delayMs[peer.node]! : 0;
      this.#targets.set(peer.node, {
        peer,
        delayMs,
        wantedBy: null,
        vetoedBy: null,
        heldUpBy: null,
        dueAt: null,
        pausedAt: null,
        retryAt: null,
        attempt: null,
        attempts: 0,
        failure: null,
        fenced: null,
        aliveIn: null,
      });
    }
    this.#list = [...this.#targets.values()];
  }

  /** Whether some device can switch the node off: then nothing less excludes it. */
  covers(node: string): boolean {
    return this.#targets.has(node);
  }

  /** At the beginning of a step: successes grow old, and who was fenced may be heard again. */
  watch(context: Context): void {
    for (const target of this.#list) {
      target.wantedBy = null;
      target.vetoedBy = null;
      if (target.fenced !== null) this.#watchFenced(context, target, target.fenced);
      if (target.aliveIn !== null) this.#watchLie(context, target);
    }
  }

  /** Nothing but this is missing for a takeover of the group. Returns how far it is, in words. */
  want(now: Instant, node: string, group: string): string {
    const target = this.#targets.get(node)!;
    target.wantedBy ??= group;
    return inWords(target, now);
  }

  /** Somebody answers, or may still answer, for the address of a group that the lost node could hold. */
  veto(node: string, group: string): void {
    const target = this.#targets.get(node);
    if (target !== undefined) target.vetoedBy = group;
  }

  /** All groups have spoken: begins what is due. */
  act(context: Context): void {
    for (const target of this.#list) {
      target.heldUpBy = target.vetoedBy;
      this.#rest(context, target);
      if (target.wantedBy === null || target.vetoedBy !== null) continue;
      target.dueAt ??= after(context.now, target.delayMs);
      target.pausedAt = null;
      if (target.attempt !== null || context.now < target.dueAt) continue;
      if (target.retryAt === null || context.now >= target.retryAt) this.#begin(context, target);
    }
  }

  /** Takes the outcome of an attempt; of an unknown one it takes no notice. */
  hear(context: Context, id: EffectId, outcome: FenceOutcome): void {
    const target = this.#list.find(({ attempt }) => attempt?.id === id);
    const attempt = target?.attempt ?? null;
    if (target === undefined || attempt === null) return;
    target.attempt = null;
    // We stood still meanwhile: a node that was off in between may hold everything by now.
    if (attempt.isForgotten) return;
    if (outcome.result === "fenced") this.#succeeded(context, target, attempt.generation, outcome.reason);
    else this.#failed(context, target, outcome);
  }

  /** Of each node an attempt has ended without success, so that a person may vouch for them instead. */
  hasFailed(nodes: readonly string[]): boolean {
    return nodes.every((node) => (this.#targets.get(node)?.failure ?? null) !== null);
  }

  /** After a stall: whoever was off may have come back while we did not listen. */
  stoodStill(): void {
    for (const target of this.#list) {
      target.peer.isFenced = false;
      target.fenced = null;
      target.dueAt = null;
      if (target.attempt !== null) target.attempt.isForgotten = true;
    }
  }

  addDeadlines(instants: (Instant | null)[]): void {
    for (const { dueAt, retryAt, peer, fenced } of this.#list) {
      if (dueAt !== null) instants.push(dueAt, retryAt);
      if (fenced !== null && peer.isFenced) instants.push(after(fenced.at, fencedGoodMs));
    }
  }

  /** Those of which there is something to say. */
  view(now: Instant): FencingView[] {
    return this.#list.flatMap((target) => {
      const { peer, fenced, attempt, attempts, failure, dueAt } = target;
      const state = attempt !== null
        ? "under-way"
        : failure !== null
        ? failure.result
        : dueAt !== null
        ? "delayed"
        : fenced !== null
        ? "fenced"
        : null;
      if (state === null) return [];
      const sentence = state === "fenced" ? fenced!.reason : inWords(target, now);
      const fencedAgoMs = fenced === null ? null : now - fenced.at;
      return [{ node: peer.node, state, attempts, sentence, fencedAgoMs }];
    });
  }

  #watchFenced(context: Context, target: Target, fenced: NonNullable<Target["fenced"]>): void {
    const { peer } = target;
    if (peer.isFenced && context.now >= after(fenced.at, fencedGoodMs)) peer.isFenced = false;
    if (peer.tracker.generation !== fenced.generation) {
      target.fenced = null;
      return;
    }
    if (!this.#isAliveSince(peer, fenced.at)) return;
    target.aliveIn = peer.tracker.generation;
    const { node } = peer;
    const sentence =
      `${node} answers although fenced: its daemon is the same as before "${fenced.reason}"; ` +
      "the device does not do what it says, and nothing that it says may be believed";
    context.raise("fenced-alive", node, sentence, { node });
  }

  /** A packet or two may have been under way, or are a replay: it knows of what we sent since, or goes on and on. */
  #isAliveSince({ isInView, inViewSince, heardAt, echoedAt }: Peer, at: Instant): boolean {
    if (!isInView || heardAt === null) return false;
    const from = inViewSince > at ? inViewSince : at;
    return (echoedAt !== null && echoedAt > at) || heardAt >= after(from, 2 * this.timing.deadTimeMs);
  }

  #watchLie(context: Context, target: Target): void {
    const { node, tracker: { generation } } = target.peer;
    if (generation === target.aliveIn) return;
    target.aliveIn = null;
    context.clear("fenced-alive", node, `${node} has been started anew`);
  }

  /**
   * The delay begins anew after a moment. That an attempt has failed counts for longer: a wire that is asked late, or
   * answered for a moment, takes no alarm back, nor a person's right to vouch.
   */
  #rest(context: Context, target: Target): void {
    if (target.dueAt === null && target.failure === null) return;
    if (target.wantedBy === null || target.vetoedBy !== null) target.pausedAt ??= context.now;
    const { pausedAt } = target;
    if (pausedAt === null) return;
    if (context.now > after(pausedAt, this.#graceMs)) target.dueAt = null;
    if (context.now <= after(pausedAt, this.timing.deadTimeMs)) return;
    target.pausedAt = null;
    this.#forgetFailure(context, target, `nothing waits for the fencing of ${target.peer.node} any more`);
  }

  #begin(context: Context, target: Target): void {
    const { peer: { node, tracker: { generation } }, wantedBy } = target;
    const id = context.newId();
    target.attempt = { id, generation, isForgotten: false };
    target.attempts++;
    const reason = `${node} is out of view and ${wantedBy} is to be taken`;
    const fields = { node, attempt: target.attempts };
    context.report("notice", "fencing", `fencing ${node}, attempt ${target.attempts}: ${reason}`, fields);
    context.emit({ kind: "fence", id, node, reason });
  }

  #succeeded(context: Context, target: Target, generation: number | null, reason: string): void {
    const { peer } = target;
    this.#forgetFailure(context, target, `${peer.node} is fenced`);
    target.dueAt = null;
    target.retryAt = null;
    context.report("notice", "fenced", `${peer.node} is fenced: ${reason}`, { node: peer.node });
    // A run that began meanwhile is not the one that was ended.
    if (peer.tracker.generation !== generation) return;
    peer.isFenced = true;
    target.fenced = { at: context.now, generation, reason };
  }

  #failed(context: Context, target: Target, outcome: FenceOutcome): void {
    const { node } = target.peer;
    target.failure = outcome;
    target.retryAt = after(context.now, this.#retryMs);
    const what = outcome.result === "unknown" ? "whether it is off is not known" : "it failed";
    const sentence =
      `${node} could not be fenced, ${what}: ${outcome.reason}. Nothing is taken from it; it is tried ` +
      `again every ${this.#retryMs / 1000} s. If ${node} is certainly off: heartline confirm`;
    context.raise("fencing-failed", node, sentence, { node, result: outcome.result });
  }

  #forgetFailure(context: Context, target: Target, why: string): void {
    target.attempts = 0;
    target.failure = null;
    context.clear("fencing-failed", target.peer.node, why);
  }
}

function inWords(target: Target, now: Instant): string {
  const { peer: { node }, attempt, attempts, failure, heldUpBy, dueAt } = target;
  if (heldUpBy !== null) return `${node} is not fenced: the service network is asked who has ${heldUpBy}`;
  const before = failure === null ? "" : `, ${failure.result} before: ${failure.reason}`;
  if (attempt !== null) return `fencing ${node}, attempt ${attempts}${before}`;
  if (failure !== null) return `fencing ${node}, attempt ${attempts} ${failure.result}: ${failure.reason}`;
  return dueAt !== null && now < dueAt ? `delay before fencing ${node}` : `${node} is to be fenced`;
}
