/** A broken promise as an operator needs it: what, by which faults, and a scenario file that plays it again. */

import { faultInWords } from "../faults.ts";
import type { Promised } from "../simulation.ts";
import type { Exploration } from "./explore.ts";
import { scenarioText } from "./scenario_text.ts";
import { shrink } from "./shrink.ts";

export interface Finding {
  readonly seed: number;
  readonly regime: string;
  readonly promise: Promised;
  /** What was seen, and when. */
  readonly sentence: string;
  /** Faults of the random plan, and of what is left of it. */
  readonly faultsBefore: number;
  readonly faults: readonly { readonly atMs: number; readonly what: string }[];
  /** A scenario file with what is left, and the repair where the promise was broken only after it. */
  readonly scenario: string;
  /** The last decisions before, as lines of text. */
  readonly transcript: string;
}

/** What each promise means, in one clause. */
const promiseInWords: Readonly<Record<Promised, string>> = {
  "one-holder": "never two holders of an address",
  "one-runner": "never two nodes that run parts of a group",
  exclusion: "no takeover before the former holder is excluded",
  fencing: "who was lost is taken from only once fenced, and nobody is fenced who answers, or too soon",
  announcement: "an address is announced by its holder only",
  epoch: "the epoch of a group only rises",
  freshness: "no message is taken for news that is older than one already heard",
  alarm: "every alarm that is due is raised",
  stall: "who stood still finds out before acting",
  pace: "no daemon in a loop",
  rest: "no needless move",
  convergence: "all is well once everything is repaired",
};

/** Entries of the trace that a transcript shows. */
const transcriptEntries = 30;

/** Shrinks what was found and writes it down. `config`: path of the configuration, `null`: a random cluster. */
export function describeFinding(found: Exploration, config: string | null): Finding {
  const { plan, simulation, repairs } = shrink(found);
  const { seed, regime, settings, startAtMs } = plan;
  const promise = simulation.broken!;
  const sentence = simulation.violation!;
  const about =
    `Found by heartline simulate explore with seed ${seed}. Broken: ${promiseInWords[promise]}.\n` +
    `${sentence}\n`;
  return {
    seed,
    regime,
    promise,
    sentence,
    faultsBefore: found.plan.faults.length,
    faults: plan.faults.toSorted((a, b) => a.atMs - b.atMs).map(({ atMs, fault }) => ({
      atMs,
      what: faultInWords(fault),
    })),
    scenario: scenarioText({
      about,
      seed,
      durationMs: simulation.nowMs + settings.timing.deadTimeMs,
      settings,
      config,
      startAtMs,
      faults: [...plan.faults, ...repairs],
      expectations: promise === "one-holder" ? ["never-two-holders"] : [],
    }),
    transcript: simulation.trace.transcript(transcriptEntries),
  };
}
