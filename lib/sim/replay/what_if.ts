/**
 * The recorded run with other settings: what would have been decided. Pure.
 *
 * It is sound up to the first decision that differs, and not beyond: from there on the others would have heard other
 * messages from this node and answered otherwise, and nobody recorded that. What follows is shown all the same,
 * because it is what the operator asks for, with every assumption named:
 *
 * - The others say what they said; a deadtime is set on all nodes, so they announce the new one, and leases as long as
 *   "auto" is with it.
 * - A question that the recording has no answer for (the service network at another moment, a script that was not
 *   run) is answered as it was at the nearest moment at which it was asked; a script that never ran succeeds at once.
 * - Where the daemon itself stood still, it stands still here too.
 */

import type { Settings } from "../../core/settings.ts";
import type { Decision } from "./decisions.ts";
import type { JournalRun } from "./journal.ts";
import { type Basis, recordedDecisions } from "./replay.ts";
import { firstDifferenceMs, type Row, sideBySide } from "./side_by_side.ts";
import { type Assumption, RecordedWorld } from "./world.ts";

export interface WhatIf {
  readonly decisions: readonly Decision[];
  /** Both runs in one, in order of time. */
  readonly rows: readonly Row[];
  /** Instant of the first decision that only one of the two made; `null`: they agree. */
  readonly divergedAtMs: number | null;
  /** Answers that nobody recorded, in the order in which they were needed. */
  readonly assumptions: readonly Assumption[];
}

/** `basis`: the exact replay, or `fromTheMiddle` of a run without its beginning. */
export function whatIf(run: JournalRun, basis: Basis, settings: Settings): WhatIf {
  const { decisions, assumptions } = new RecordedWorld(run, settings, basis.deadlines).play();
  const rows = sideBySide(basis.decisions, decisions);
  return { decisions, assumptions, rows, divergedAtMs: firstDifferenceMs(rows) };
}

/** A run without its beginning, as well as it can be had again. */
export interface Middle extends Basis {
  /** Until then the core that starts in the middle catches up: nothing before counts. */
  readonly fromMs: number;
  /** Decisions of consequence that the daemon wrote down since then, and how many of them were met. */
  readonly recorded: number;
  readonly met: number;
}

export function fromTheMiddle(run: JournalRun): Middle {
  const { decisions, deadlines } = new RecordedWorld(run, run.header.settings, null).play();
  const fromMs = (run.steps[0]?.now ?? 0) + 2 * run.header.settings.timing.deadTimeMs;
  const rows = sideBySide(recordedDecisions(run), decisions)
    .filter(({ side, decision }) => side !== "other" && decision.level !== "info" && decision.now >= fromMs);
  const met = rows.filter(({ side }) => side === "both").length;
  return { decisions, deadlines, fromMs, recorded: rows.length, met };
}
