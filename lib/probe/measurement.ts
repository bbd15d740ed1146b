/**
 * Runs one measurement: asks on all paths in the same instant, at an even pace, until the count or the time is
 * reached or somebody ends it, then waits for the last answers. A beat that this process slept through is left out and
 * counted: the network has no part in it.
 */

import { Series, type SeriesOutcome } from "../measure/series.ts";
import { monotonicMs } from "../system/clock.ts";
import type { Prober } from "./prober.ts";

export interface MeasurementSettings {
  readonly intervalMs: number;
  /** Questions on each path. */
  readonly count: number;
  /** Ends the asking whatever the count; `null`: the count alone does. */
  readonly forMs: number | null;
  /** An answer later than this counts as lost. */
  readonly patienceMs: number;
}

export interface PathState {
  readonly prober: Prober;
  readonly outcome: SeriesOutcome;
  /** Who answered, in the order of their first answers. */
  readonly answeredBy: readonly string[];
  /** Questions that the far end heard by its own word on another path; `null`: nobody told. */
  readonly heardElsewhere: number | null;
}

/** More answerers are a mistake: a group of strangers. */
const answerersMax = 16;

/** At most this long between two looks for the last answers. */
const lookMs = 20;

interface Path {
  readonly prober: Prober;
  readonly series: Series;
  readonly answeredBy: Set<string>;
  heardElsewhere: number | null;
}

export class Measurement {
  readonly #paths: readonly Path[];
  readonly #stop = new AbortController();
  #askedCount = 0;
  /** Beats that this process could not ask in time. */
  missedBeats = 0;

  constructor(readonly settings: MeasurementSettings, probers: readonly Prober[]) {
    const { intervalMs, patienceMs } = settings;
    this.#paths = probers.map((prober) => ({
      prober,
      series: new Series(intervalMs, patienceMs),
      answeredBy: new Set(),
      heardElsewhere: null,
    }));
  }

  get askedCount(): number {
    return this.#askedCount;
  }

  /** To be told what other paths' answers say. */
  heardElsewhere(path: number, count: number): void {
    const found = this.#paths[path];
    if (found !== undefined) found.heardElsewhere = Math.max(found.heardElsewhere ?? 0, count);
  }

  /** Answers so far, by path: cheap, unlike `states`. */
  answeredCounts(): number[] {
    return this.#paths.map(({ series }) => series.answeredCount);
  }

  /** As of now. Its work grows with what was asked. */
  states(): PathState[] {
    const nowMs = monotonicMs();
    return this.#paths.map(({ prober, series, answeredBy, heardElsewhere }) => ({
      prober,
      outcome: series.outcome(nowMs),
      answeredBy: [...answeredBy],
      heardElsewhere,
    }));
  }

  /** Ends early; what was asked is still waited for. */
  stop(): void {
    this.#stop.abort();
  }

  /** Resolves when all is asked and answered, or out of patience. Opens and closes the probers. */
  async run(): Promise<void> {
    try {
      for (const path of this.#paths) {
        await path.prober.open((answer, from) => {
          path.series.answered(answer);
          if (path.answeredBy.size < answerersMax) path.answeredBy.add(from);
        });
      }
      await this.#askAll();
      await this.#awaitLast();
    } finally {
      await Promise.all(this.#paths.map(({ prober }) => prober.close()));
    }
  }

  async #askAll(): Promise<void> {
    const { count, intervalMs, forMs } = this.settings;
    const startMs = monotonicMs();
    const isOver = () => forMs !== null && monotonicMs() - startMs >= forMs;
    let beat = 0;
    while (this.#askedCount < count && !isOver() && !this.#stop.signal.aborted) {
      const lateMs = monotonicMs() - startMs - beat * intervalMs;
      if (lateMs < 0) {
        await this.#pause(-lateMs);
        continue;
      }
      const missed = Math.floor(lateMs / intervalMs);
      this.missedBeats += missed;
      beat += missed + 1;
      for (const { prober, series } of this.#paths) {
        const number = series.sent(monotonicMs());
        if (!prober.ask(number)) series.refused++;
      }
      this.#askedCount++;
    }
  }

  async #awaitLast(): Promise<void> {
    const endMs = monotonicMs() + this.settings.patienceMs;
    const isAnswered = () => this.#paths.every(({ series }) => series.isAnswered(this.#askedCount - 1));
    while (monotonicMs() <= endMs && !isAnswered()) {
      await new Promise((resolve) => setTimeout(resolve, lookMs));
    }
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#stop;
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal.addEventListener("abort", end);
    });
  }
}
