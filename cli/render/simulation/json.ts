/** The result of a scenario for programs, and the whole trace of a run, one event a line. */

import type { ScenarioResult } from "../../../lib/sim/scenario/run.ts";

/** Of the JSON output and of the trace. */
const schema = 1;

export function resultAsJson(result: ScenarioResult) {
  const { scenario, seed, durationMs, events, tallies, judgements, entries } = result;
  return {
    schema,
    scenario: scenario.name,
    about: scenario.about,
    seed,
    durationMs,
    events,
    asExpected: judgements.every(({ isMet }) => isMet),
    groups: tallies.map((tally) => ({
      ...tally,
      falseFailovers: tally.moves.filter(({ kind }) => kind === "false").length,
      needlessMoves: tally.moves.filter(({ kind }) => kind === "needless").length,
    })),
    expectations: judgements,
    timeline: entries,
  };
}

/** Packets stand where their fate was known. The same seed gives the same text, byte for byte. */
export function traceLines(result: ScenarioResult): string {
  const { scenario, seed, durationMs, entries, packets, events } = result;
  const lines = [JSON.stringify({ schema, scenario: scenario.name, seed, durationMs, events })];
  const rows = [
    ...entries.map((entry) => ({ atMs: entry.atMs, text: JSON.stringify(entry) })),
    ...packets.map((packet) => ({
      atMs: packet.arrivedMs ?? packet.sentMs,
      text: JSON.stringify({ kind: "packet", ...packet }),
    })),
  ].sort((one, other) => one.atMs - other.atMs);
  lines.push(...rows.map(({ text }) => text));
  return lines.join("\n") + "\n";
}
