/** What a proof covered and found, for a terminal and for programs. */

import type { Danger } from "../../../lib/sim/prove/prove.ts";
import type { Paint } from "../paint.ts";
import { renderTable, wrap } from "../table.ts";

/** Of the JSON output. */
const schema = 1;

/** The shortest schedule to a danger, and how it went. */
export interface Trace {
  readonly danger: Danger;
  /** Schedules that lead there; 0: none, and all else is `null`. */
  readonly count: number;
  readonly schedule: string | null;
  readonly sentence: string | null;
  readonly events: readonly { readonly atMs: number; readonly node: string; readonly sentence: string }[];
  readonly scenario: string | null;
}

export interface Proof {
  readonly config: string;
  readonly nodes: readonly string[];
  /** Faults of the longest schedules. */
  readonly depth: number;
  readonly moves: readonly string[];
  readonly waitsMs: readonly number[];
  readonly schedules: number;
  /** Fewer after an interruption. */
  readonly tried: number;
  /** Why it ended before its time; `null`: it did not. */
  readonly interruption: string | null;
  /** Do the same as one that was tried. */
  readonly leftOut: number;
  readonly boundMs: number;
  readonly traces: readonly Trace[];
}

const dangerInWords: Readonly<Record<Danger, string>> = {
  "two-holders": "two holders",
  "no-holder": "no holder for too long",
};

export function renderProof(proof: Proof, elapsedMs: number, paint: Paint): string[] {
  const { config, nodes, depth, moves, waitsMs, schedules, tried, interruption, leftOut, boundMs, traces } =
    proof;
  return [
    paint.strong(`${config} (${nodes.join(", ")}): every order of up to ${depth} faults`),
    ...wrap(`faults: ${moves.join(", ")}`, 80),
    ...wrap(`each strikes ${waitsMs.join(", ")} ms after the one before`, 80),
    `${tried} schedules tried in ${
      (elapsedMs / 1000).toFixed(1)
    } s; ${leftOut} more do the same as one of these`,
    ...interruption === null ? [] : wrap(
      `INTERRUPTED after ${tried} of ${schedules} (${interruption}): nothing is proved of the rest`,
      80,
    ).map(paint.doubtful),
    ...traces.flatMap((trace) => ["", ...traceLines(trace, interruption !== null, boundMs, paint)]),
  ];
}

function traceLines(trace: Trace, isInterrupted: boolean, boundMs: number, paint: Paint): string[] {
  const { danger, count, schedule, sentence, events, scenario } = trace;
  if (schedule === null) {
    const what = danger === "two-holders"
      ? "never two holders"
      : `never longer than ${boundMs} ms without a holder while a node could hold the group`;
    return wrap(isInterrupted ? `until then ${what}` : what, 80).map(
      isInterrupted ? paint.doubtful : paint.good,
    );
  }
  const rows = events.map((
    event,
  ) => [`${(event.atMs / 1000).toFixed(3)} s`, event.node || "*", event.sentence]);
  return [
    paint.bad(`${dangerInWords[danger].toUpperCase()}: by ${count} schedules`),
    ...wrap(`shortest: ${schedule}: ${sentence}`, 80),
    ...renderTable(rows, { width: 80, indent: 2, widthsMax: [12, 16] }),
    ...danger === "two-holders" ? ["", paint.strong("as a scenario"), scenario!.trimEnd()] : [],
  ];
}

export function proofAsJson(proof: Proof) {
  return { schema, ...proof };
}
