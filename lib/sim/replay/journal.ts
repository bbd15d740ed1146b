/** A journal's lines, sorted into runs: from a header to the next one, or to where something is missing. Pure. */

import { JournalDecoder } from "../../core/journal/codec.ts";
import type { JournalEntry, JournalHeader, JournalStep } from "../../core/journal/format.ts";

export interface JournalRun {
  readonly header: JournalHeader;
  /** In order; up to the first gap. */
  readonly steps: readonly JournalStep[];
  /** Why the run cannot be replayed from its beginning; `null`: it can. */
  readonly isHeadless: boolean;
  /** What is missing after the last step; empty: nothing, the run ends there. */
  readonly gap: string;
}

/** Whole lines of the older file, then of the newer. The last line of a run may be cut off by a crash. */
export function runsOf(lines: Iterable<string>): JournalRun[] {
  const decoder = new JournalDecoder();
  const runs: Array<{ header: JournalHeader; steps: JournalStep[]; isHeadless: boolean; gap: string }> = [];
  for (const entry of entriesOf(lines, decoder)) {
    const run = runs.at(-1);
    switch (entry.kind) {
      case "header":
        if (run !== undefined && continues(run.header, entry.header)) break;
        runs.push({ header: entry.header, steps: [], isHeadless: entry.header.part > 0, gap: "" });
        break;
      case "step":
        if (run?.gap === "") run.steps.push(entry.step);
        break;
      case "lost":
        if (run?.gap === "") run.gap = `${entry.count} steps were not written in time`;
        break;
      case "unreadable":
        if (run?.gap === "") run.gap = `a line cannot be read (${entry.reason})`;
        break;
    }
  }
  return runs;
}

function* entriesOf(lines: Iterable<string>, decoder: JournalDecoder): Generator<JournalEntry> {
  for (const line of lines) {
    if (line === "") continue;
    const entry = decoder.line(line);
    yield entry;
    if (entry.kind === "unreadable") yield* headerWithin(line, decoder);
  }
}

/** No text within a line can hold this: its quotes would be escaped. Settings can, so what follows must be read. */
const headerBegin = `{"journal":`;

/** A header straight behind a line that was cut off: without it a whole run would be missing, and nothing would say so. */
function* headerWithin(line: string, decoder: JournalDecoder): Generator<JournalEntry> {
  for (let at = line.indexOf(headerBegin, 1); at > 0; at = line.indexOf(headerBegin, at + 1)) {
    const entry = decoder.line(line.slice(at));
    if (entry.kind === "header") return yield entry;
  }
}

/** The next file of the same run: nothing lies between the two. */
function continues(before: JournalHeader, next: JournalHeader): boolean {
  return next.part > before.part && next.seed === before.seed &&
    next.identity.generation === before.identity.generation && next.identity.node === before.identity.node;
}
