/** The figures of a sweep as a table and for programs. */

import { formatDuration } from "../../../lib/config/durations.ts";
import type { Parameter, ParameterName } from "../../../lib/sim/sweep/parameters.ts";
import { type CellFigures, type DetectorFigures, detectorNames } from "../../../lib/sim/sweep/sweep.ts";
import type { Paint } from "../paint.ts";
import { wrap } from "../table.ts";

/** Of the JSON output. */
const schema = 1;

export interface Sweep {
  readonly config: string;
  readonly parameters: readonly Parameter[];
  readonly heartbeats: number;
  readonly seed: number;
  readonly combinations: number;
  /** Why it ended before its time; `null`: it did not. */
  readonly interruption: string | null;
  /** Fewer than the combinations after an interruption. */
  readonly cells: readonly CellFigures[];
}

export function renderSweep(sweep: Sweep, paint: Paint): string[] {
  const { config, parameters, heartbeats, combinations, interruption, cells } = sweep;
  // What has one value only is said once.
  const names = parameters.filter(({ values }) => values.length > 1).map(({ name }) => name);
  const constant = parameters.filter(({ values }) => values.length === 1)
    .map(({ name, values }) => `, ${name} ${parameterText(name, values[0]!)}`).join("");
  const [head, ...rows] = aligned([
    [...names, ...detectorNames.flatMap((name) => [name, "per year"])],
    ...cells.map((figures) => [
      ...names.map((name) => parameterText(name, figures.cell[name]!)),
      ...detectorNames.flatMap((name) => {
        const detector = figures.detectors[name];
        return [`${Math.round(detector.detectionMeanMs)}ms`, rateText(detector, figures.resolutionPerYear)];
      }),
    ]),
  ]);
  return [
    ...wrap(`${config}: ${combinations} combinations, ${heartbeats} heartbeats each${constant}`, 80).map(
      paint.strong,
    ),
    ...interruption === null
      ? []
      : wrap(`INTERRUPTED after ${cells.length} of ${combinations} (${interruption})`, 80).map(
        paint.doubtful,
      ),
    "",
    paint.strong(head!),
    ...rows,
    "",
    ...wrap(
      "Under a detector's name: mean time from a crash to the verdict. per year: living nodes taken for dead. " +
        "<: none was seen, so fewer than this; ~: none was seen, by calculation for independent losses and steady delays. The daemon " +
        "uses fixed; a group with an address is not taken as long as its holder answers for it.",
      80,
    ),
  ];
}

/** Columns aligned at their right. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => row.map((text, column) => text.padStart(widths[column]!)).join("  "));
}

export function parameterText(name: ParameterName, value: number): string {
  if (name === "loss") return `${Number((100 * value).toPrecision(3))}%`;
  return name === "phi" || name === "burst" ? String(value) : formatDuration(value);
}

function rateText(
  { falseDeaths, falseDeathsPerYear, expectedPerYear }: DetectorFigures,
  resolution: number,
): string {
  if (falseDeaths > 0) return short(falseDeathsPerYear);
  return expectedPerYear === null ? `<${short(resolution)}` : `~${short(expectedPerYear)}`;
}

/** Two digits, without an exponent that nobody reads. */
function short(value: number): string {
  if (value >= 10) return String(Math.round(Number(value.toPrecision(2))));
  return value < 0.001 ? (value === 0 ? "0" : value.toExponential(0)) : String(Number(value.toPrecision(2)));
}

export function sweepAsJson(sweep: Sweep) {
  return { schema, ...sweep };
}
