/**
 * One drill from before the cut until after it: watches, cuts, counts down, gives the link back, watches on until
 * what was broken is whole again. However it ends, the rules are removed before this returns; if this process is
 * killed, the helper and the kernel do it.
 */

import { EnvironmentError } from "../errors.ts";
import { monotonicMs } from "../system/clock.ts";
import type { DaemonWatch } from "./daemon_watch.ts";
import type { Paths } from "./guards.ts";
import { setRules } from "./helper.ts";
import { type DrillPlan, rulesOf, tableName } from "./plan.ts";
import { type DrillTable, readDrill, removeDrill } from "./tables.ts";
import type { Account } from "./verdict.ts";
import { type AddressWatch, type Sighting, watchFor } from "./watch.ts";

export type Phase = "before" | "cut" | "after";

/** What is shown while it goes on. */
export interface Progress {
  readonly phase: Phase;
  /** Until the end of this phase, at the latest. */
  readonly leftMs: number;
  readonly sightings: readonly Sighting[];
  readonly alarms: readonly string[];
  readonly dropped: number;
}

export interface Ended {
  readonly account: Account;
  /** `interrupted` by a signal, `undone` by somebody else. */
  readonly how: "whole" | "interrupted" | "undone";
}

/** Long enough to see who holds the address, in several rounds. */
const beforeMs = 1_500;
/** The least, and the most, that is watched after the cut. */
const afterMsMin = 1_500;
const afterMsMax = 30_000;
const stepMs = 250;
/** How often the counters are read. */
const countMs = 1_000;

export class Rehearsal {
  #table: DrillTable | null = null;
  #countAtMs = 0;
  #isCounting = false;
  #isUndone = false;

  constructor(
    readonly plan: DrillPlan,
    readonly paths: Paths,
    readonly watches: readonly AddressWatch[],
    readonly daemon: DaemonWatch | null,
    readonly signal: AbortSignal,
    readonly show: (progress: Progress) => void,
    /** Asked last before the cut: rejects where it may not be made after all. */
    readonly mayCut: () => Promise<void> = () => Promise.resolve(),
  ) {}

  async run(): Promise<Ended> {
    const isWatching = this.watches.length > 0 || this.daemon !== null;
    if (isWatching) await this.#pass("before", beforeMs, () => this.signal.aborted);
    // Before the cut nothing is to be undone.
    if (this.signal.aborted) {
      throw new EnvironmentError("Cannot go on with the drill: it was interrupted before the cut");
    }
    await this.mayCut();
    const cutAtUnixMs = Date.now();
    const cutAtMs = monotonicMs();
    const table = tableName(this.plan.id, Math.ceil((cutAtUnixMs + this.plan.durationMs) / 1000));
    let dropped: Account["dropped"];
    try {
      await setRules(table, rulesOf(this.plan, table), this.plan.durationMs);
      const isOver = () => this.signal.aborted || this.#isUndone;
      const endAtMs = cutAtMs + this.plan.durationMs;
      await this.#pass("cut", endAtMs - monotonicMs(), isOver, table);
      dropped = (await readDrill(table) ?? this.#table)?.dropped ?? null;
    } finally {
      await removeDrill(table);
    }
    const healedAtMs = monotonicMs();
    const how = this.signal.aborted ? "interrupted" : this.#isUndone ? "undone" : "whole";
    if (isWatching && how !== "interrupted") await this.#recover();
    const account: Account = {
      plan: this.plan,
      paths: this.paths,
      cutAtMs,
      healedAtMs,
      endAtMs: monotonicMs(),
      sightings: this.watches.map((watch) => watch.sighting()),
      dropped,
      daemon: await this.daemon?.account(cutAtUnixMs) ?? null,
    };
    return { account, how };
  }

  /** Watches on until the daemon has no alarm that it had not before, for as long as that may take. */
  async #recover(): Promise<void> {
    const known = new Set(this.daemon?.before.alarms.map(({ code, subject }) => `${code} ${subject}`));
    const isWhole = () =>
      this.daemon?.glance().alarms.every(({ code, subject }) => known.has(`${code} ${subject}`)) ?? true;
    await this.#pass("after", afterMsMin, () => this.signal.aborted);
    if (isWhole()) return;
    const deadTimeMs = this.daemon?.before.timing.deadTimeMs ?? 0;
    const limitMs = Math.min(afterMsMax, Math.max(5_000, 3 * deadTimeMs));
    await this.#pass("after", limitMs, () => this.signal.aborted || isWhole());
  }

  async #pass(phase: Phase, ms: number, isOver: () => boolean, table?: string): Promise<void> {
    const endMs = monotonicMs() + ms;
    while (monotonicMs() < endMs && !isOver()) {
      if (table !== undefined) this.#count(table);
      this.#show(phase, endMs - monotonicMs());
      await watchFor(Math.min(stepMs, endMs - monotonicMs()), this.watches, isOver);
    }
  }

  /** Reads the counters in passing; a table that has gone was removed by somebody else. */
  #count(table: string): void {
    if (this.#isCounting || monotonicMs() < this.#countAtMs) return;
    this.#isCounting = true;
    this.#countAtMs = monotonicMs() + countMs;
    readDrill(table).then((found) => {
      if (found === null) this.#isUndone = true;
      else this.#table = found;
    }, () => {}).finally(() => this.#isCounting = false);
  }

  #show(phase: Phase, leftMs: number): void {
    this.show({
      phase,
      leftMs,
      sightings: this.watches.map((watch) => watch.sighting()),
      alarms: this.daemon?.glance().alarms.map(({ code }) => code) ?? [],
      dropped: Object.values(this.#table?.dropped ?? {}).reduce((sum, packets) => sum + packets, 0),
    });
  }
}
