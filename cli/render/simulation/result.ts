/** The result of a scenario for a terminal: the story in order of time, who held what, and what was expected. */

import type { Judgement } from "../../../lib/sim/scenario/expectations.ts";
import type { ScenarioResult } from "../../../lib/sim/scenario/run.ts";
import type { GroupTally } from "../../../lib/sim/scenario/tally.ts";
import type { TraceEntry } from "../../../lib/sim/trace.ts";
import type { Paint } from "../paint.ts";
import { type Cell, renderTable, wrap } from "../table.ts";

export interface ResultStyle {
  readonly width: number;
  readonly paint: Paint;
  /** Every report, not only those that tell the story. */
  readonly isWhole: boolean;
}

/** More lines than these bury the story. */
const linesMax = 120;

export function renderResult(result: ScenarioResult, style: ResultStyle): string[] {
  const { scenario, seed, durationMs, events } = result;
  const { paint, width } = style;
  const nodes = scenario.settings.size;
  const head = `${scenario.name}: ${nodes} nodes, ${seconds(durationMs)} of virtual time, seed ${seed}`;
  return [
    paint.strong(head),
    ...scenario.about === "" ? [] : wrap(scenario.about.replaceAll(/\s+/g, " "), width - 2).map(indent),
    "",
    ...timeline(result.entries, style),
    "",
    paint.strong(`WHO HELD WHAT`) + paint.faint(`  (${events} events)`),
    ...result.tallies.flatMap((tally) => tallyLines(tally, style)),
    ...judgementLines(result.judgements, style),
  ];
}

/** The reports that tell the story, with what happened and who held what. */
export function isStory({ kind, level, code }: TraceEntry): boolean {
  if (kind !== "report") return true;
  if (code.startsWith("command-") || code === "unprotected") return false;
  return level !== "info" && level !== undefined;
}

function timeline(entries: readonly TraceEntry[], { width, paint, isWhole }: ResultStyle): string[] {
  const told = isWhole ? entries.map(alone) : gathered(entries.filter(isStory));
  const shown = isWhole ? told : told.slice(0, linesMax);
  const rows = shown.map(({ entry, more, untilMs }): Cell[] => [
    time(entry.atMs).padStart(9),
    { text: entry.node === "" ? "*" : entry.node, paint: paint.faint },
    more === 0 ? whatCell(entry, paint) : `… ${entry.code} ${more} times more, until ${time(untilMs)} s`,
  ]);
  const lines = renderTable(rows, { width, indent: 0, widthsMax: [12, 16] });
  const left = told.length - shown.length;
  if (left > 0) lines.push(paint.faint(`           … ${left} more: --all`));
  return lines;
}

interface Told {
  readonly entry: TraceEntry;
  /** It stands for so many of its kind, itself included; 0: for itself. */
  readonly more: number;
  readonly untilMs: number;
}

function alone(entry: TraceEntry): Told {
  return { entry, more: 0, untilMs: entry.atMs };
}

/** Of many reports in a row that a node makes of one kind, the first two and a count. */
function gathered(entries: readonly TraceEntry[]): Told[] {
  const told: Told[] = [];
  for (let at = 0; at < entries.length;) {
    const entry = entries[at]!;
    let end = at + 1;
    while (end < entries.length && entry.kind === "report" && isAlike(entry, entries[end]!)) end++;
    const count = end - at;
    if (count <= 4) told.push(...entries.slice(at, end).map(alone));
    else {
      const third = entries[at + 2]!;
      told.push(alone(entry), alone(entries[at + 1]!));
      told.push({ entry: third, more: count - 2, untilMs: entries[end - 1]!.atMs });
    }
    at = end;
  }
  return told;
}

function isAlike(one: TraceEntry, other: TraceEntry): boolean {
  return one.kind === other.kind && one.node === other.node && one.code === other.code;
}

function time(ms: number): string {
  return (ms / 1000).toFixed(3);
}

function whatCell({ kind, code, level, sentence }: TraceEntry, paint: Paint): Cell {
  switch (kind) {
    case "fault":
      return { text: `--- ${sentence}`, paint: paint.doubtful };
    case "holding":
      return sentence.includes(" AND ")
        ? { text: `=== ${sentence}`, paint: paint.bad }
        : { text: `=== ${sentence}`, paint: paint.strong };
    case "report":
      return level === "alarm"
        ? { text: `ALARM ${code}: ${sentence}`, paint: paint.bad }
        : level === "warning"
        ? { text: `${code}: ${sentence}`, paint: paint.doubtful }
        : `${code}: ${sentence}`;
    default:
      return sentence;
  }
}

function tallyLines(tally: GroupTally, { paint }: ResultStyle): string[] {
  const { group, noneMs, oneMs, twoMs, longestOutageMs, moves } = tally;
  const two = twoMs > 0 ? paint.bad(`TWO ${seconds(twoMs)}`) : `two ${seconds(twoMs)}`;
  const count = (kind: string) => moves.filter((move) => move.kind === kind).length;
  const [falseMoves, needless] = [count("false"), count("needless")];
  const words = [
    `${moves.length} ${moves.length === 1 ? "move" : "moves"}`,
    `${falseMoves} false ${falseMoves === 1 ? "failover" : "failovers"}`,
    `${needless} needless`,
  ].join(", ");
  return [
    `  ${paint.strong(group)}: nobody ${seconds(noneMs)}, one ${seconds(oneMs)}, ${two}`,
    `    longest outage ${seconds(longestOutageMs)}; ${falseMoves > 0 ? paint.doubtful(words) : words}`,
  ];
}

function judgementLines(judgements: readonly Judgement[], { width, paint }: ResultStyle): string[] {
  if (judgements.length === 0) return [];
  const rows = judgements.map(({ expected, isMet, found }): Cell[] => [
    isMet ? { text: "ok", paint: paint.good } : { text: "FAILED", paint: paint.bad },
    isMet ? expected : `${expected}; found: ${found}`,
  ]);
  const failed = judgements.filter(({ isMet }) => !isMet).length;
  const verdict = failed === 0
    ? paint.good("All was as expected.")
    : paint.bad(`NOT as expected: ${failed} of ${judgements.length} expectations failed.`);
  return [
    "",
    paint.strong("EXPECTED"),
    ...renderTable(rows, { width, indent: 2, widthsMax: [8] }),
    "",
    verdict,
  ];
}

function seconds(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(3)} s` : `${(ms / 1000).toFixed(1)} s`;
}

function indent(line: string): string {
  return `  ${line}`;
}
