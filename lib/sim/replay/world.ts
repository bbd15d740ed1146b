/**
 * The world as a journal recorded it, for a core that may decide otherwise than the daemon did: the recorded inputs
 * at the recorded instants, wakes when this core wants them, and answers to what it asks. Pure.
 *
 * Answers that nobody recorded are assumed, and every assumption is named. Of a run whose beginning was rotated away
 * the core starts in the middle, as a daemon that is started beside what it held; within a moment it has caught up.
 */

import type { EffectId } from "../../core/effects.ts";
import type { Input, MessageInput, Outcome } from "../../core/inputs.ts";
import { after, type Instant } from "../../core/instant.ts";
import { ClusterNode } from "../../core/node.ts";
import { Prng } from "../../core/prng.ts";
import type { Settings } from "../../core/settings.ts";
import { text } from "../../wire/message.ts";
import { type Decision, decisionsOf, questionOf } from "./decisions.ts";
import type { JournalRun } from "./journal.ts";
import { type AutoLease, autoLease, statedWith } from "./leases.ts";

export interface Assumption {
  readonly atMs: number;
  readonly sentence: string;
}

/** A recorded outcome, with what it answered. */
interface Known {
  readonly what: string;
  readonly askedAtMs: number;
  readonly atMs: number;
  readonly outcome: Outcome;
}

interface Pending {
  readonly id: EffectId;
  readonly what: string;
  /** Then nobody recorded an answer. */
  readonly untilMs: number;
}

/** A wake that came later than this after it was due means that the daemon did not run meanwhile. */
const standstillMs = 30;
/** A question put at nearly the same time as in the recording gets the recorded answer, when it comes. */
const sameQuestionMs = 30;

export class RecordedWorld {
  readonly decisions: Decision[] = [];
  readonly assumptions: Assumption[] = [];
  /** After each recorded step: when this core wanted to be woken. */
  readonly deadlines: Array<Instant | null> = [];
  readonly #node: ClusterNode;
  /** By the number that the daemon gave it: what was asked, and when. */
  readonly #asked = new Map<EffectId, { readonly what: string; readonly atMs: number }>();
  /** Recorded outcomes by what was asked, in order of time. */
  readonly #known = new Map<string, Known[]>();
  readonly #lease: AutoLease;
  #pending: Pending[] = [];

  /** `deadlines` of the daemon, which tell where it stood still; `null`: this core stands for the daemon. */
  constructor(
    readonly run: JournalRun,
    readonly settings: Settings,
    readonly daemonDeadlines: ReadonlyArray<Instant | null> | null,
  ) {
    const { identity, seed, resume } = run.header;
    this.#lease = autoLease(run.header.settings, settings);
    const keptEpochs = { ...identity.keptEpochs };
    for (const { group, epoch } of resume?.groups ?? []) keptEpochs[group] = epoch;
    this.#node = new ClusterNode(settings, { ...identity, keptEpochs }, new Prng(seed));
    for (const { now, noted } of run.steps) {
      for (const effect of noted) {
        const what = questionOf(effect);
        if (what !== null && "id" in effect) this.#asked.set(effect.id, { what, atMs: now });
      }
    }
    for (const { now, input } of run.steps) {
      if (input.kind !== "outcome") continue;
      const asked = this.#asked.get(input.id);
      if (asked === undefined) continue;
      const known = { what: asked.what, askedAtMs: asked.atMs, atMs: now, outcome: input.outcome };
      const list = this.#known.get(asked.what);
      if (list === undefined) this.#known.set(asked.what, [known]);
      else list.push(known);
    }
  }

  play(): this {
    const { steps, header } = this.run;
    if (this.run.isHeadless && steps[0] !== undefined) {
      this.#step(steps[0].now, { kind: "start" });
      for (const input of header.resume?.media ?? []) this.#step(steps[0].now, input);
    }
    const deadlines = this.daemonDeadlines ?? this.deadlines;
    for (const [index, { now, input }] of steps.entries()) {
      // Between the two the daemon ran only until it should have been woken.
      const due = index === 0 ? null : deadlines[index - 1] ?? null;
      const stoodStill = due !== null && now - due > standstillMs;
      this.#passTime(stoodStill ? due : now);
      if (stoodStill && input.kind === "wake") this.#step(now, input);
      else this.#take(now, input);
      this.deadlines.push(this.#node.deadline());
    }
    return this;
  }

  /** Wakes and assumed answers that fall due before `untilMs`. */
  #passTime(untilMs: number): void {
    for (let rounds = 0; rounds < 10_000; rounds++) {
      const wake = this.#node.deadline();
      const unanswered = this.#pending.reduce<Pending | null>(
        (first, each) => first === null || each.untilMs < first.untilMs ? each : first,
        null,
      );
      const nextMs = Math.min(wake ?? Infinity, unanswered?.untilMs ?? Infinity);
      if (nextMs >= untilMs) return;
      if (unanswered !== null && unanswered.untilMs === nextMs) this.#assume(unanswered);
      else this.#step(nextMs, { kind: "wake" });
    }
  }

  #take(now: number, input: Input): void {
    if (input.kind === "wake") return;
    if (input.kind === "message") return this.#step(now, this.#announced(input));
    if (input.kind !== "outcome") return this.#step(now, input);
    const what = this.#asked.get(input.id)?.what;
    const pending = this.#pending.find((each) => each.what === what);
    // An answer to a question that is not put with these settings.
    if (pending === undefined) return;
    this.#pending = this.#pending.filter((each) => each !== pending);
    this.#step(now, { ...input, id: pending.id });
  }

  /** Each node announces the deadtime by which it is to be judged, Heartbeat's field `dt`, and its leases. */
  #announced(input: MessageInput): MessageInput {
    const statement = input.statement && statedWith(input.statement, this.#lease);
    const before = this.run.header.settings.timing.deadTimeMs.toString(16);
    const now = this.settings.timing.deadTimeMs.toString(16);
    if (before === now || text(input.message.message, "dt") !== before) return { ...input, statement };
    const fields = input.message.message.fields.map((field) =>
      field.name === "dt" && field.type === 0 ? { ...field, value: now } : field
    );
    return { ...input, statement, message: { ...input.message, message: { fields } } };
  }

  #assume(pending: Pending): void {
    this.#pending = this.#pending.filter((each) => each !== pending);
    const near = nearest(this.#known.get(pending.what) ?? [], pending.untilMs);
    const outcome = near?.outcome ?? this.#success(pending.what);
    const basis = near === null
      ? "never recorded: taken for a success"
      : `as it was ${near.atMs < pending.untilMs ? "before" : "after"}, ${
        Math.abs(near.atMs - pending.untilMs)
      } ms away`;
    this.assumptions.push({
      atMs: pending.untilMs,
      sentence: `"${pending.what}" is answered "${answerOf(outcome)}": ${basis}`,
    });
    this.#step(pending.untilMs, { kind: "outcome", id: pending.id, outcome });
  }

  #step(now: number, input: Input): void {
    const effects = this.#node.step(now as Instant, input);
    this.decisions.push(...decisionsOf(now, effects, this.settings));
    for (const effect of effects) {
      const what = questionOf(effect);
      if (what === null || !("id" in effect)) continue;
      const recorded = this.#answerTo(what, now);
      const takesMs = effect.kind === "ask-wire" ? effect.windowMs : this.#usualMs(what, now);
      const untilMs = recorded === null ? after(now as Instant, takesMs) : recorded.atMs + 1;
      this.#pending.push({ id: effect.id, what, untilMs });
    }
  }

  #success(what: string): Outcome {
    if (what.startsWith("ask-wire ")) return { kind: "wire", verdict: { kind: "silent" } };
    if (what.startsWith("fence ")) return { kind: "fence", result: "unknown", reason: "assumed" };
    const [operation, group] = what.split(" ");
    const isHeld = this.run.header.resume?.groups.some((each) => each.group === group && each.isHeld) ??
      false;
    const result = operation === "start" || (operation === "monitor" && isHeld) ? "running" : "stopped";
    return { kind: "resource", result, code: 0, reason: "assumed", output: [], durationMs: 0 };
  }

  /** The recorded outcome of the same question, put at about the same time; `null`: there is none. */
  #answerTo(what: string, now: number): Known | null {
    const list = this.#known.get(what) ?? [];
    for (let at = firstAfter(list, now); at < list.length; at++) {
      const known = list[at]!;
      if (Math.abs(known.askedAtMs - now) <= sameQuestionMs) return known;
      if (known.askedAtMs > now + sameQuestionMs) return null;
    }
    return null;
  }

  /** How long the nearest recorded answer to this question took. */
  #usualMs(what: string, now: number): number {
    const outcome = nearest(this.#known.get(what) ?? [], now)?.outcome;
    return outcome?.kind === "resource" ? outcome.durationMs : 0;
  }
}

/** Index of the first that was answered at or after an instant. */
function firstAfter(list: readonly Known[], atMs: number): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle]!.atMs < atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

function nearest(list: readonly Known[], atMs: number): Known | null {
  const at = firstAfter(list, atMs);
  const [before, next] = [list[at - 1], list[at]];
  if (before === undefined || next === undefined) return before ?? next ?? null;
  return atMs - before.atMs <= next.atMs - atMs ? before : next;
}

function answerOf(outcome: Outcome): string {
  return outcome.kind === "wire" ? outcome.verdict.kind : outcome.result;
}
