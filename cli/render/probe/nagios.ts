/** `heartline probe --nagios`: one line with performance data, and the exit code of monitoring plugins. */

import type { ProbeResult } from "../../commands/probe/result.ts";
import { type Measure, nagiosCodes, pluginLine } from "../nagios.ts";
import { percent, renderSpan } from "./spans.ts";

export function nagiosResult(
  { paths, findings, prices, skipped }: ProbeResult,
): { line: string; exitCode: number } {
  const severity = findings.some((finding) => finding.severity === "critical")
    ? "critical"
    : findings.length > 0
    ? "warning"
    : paths.every(({ report }) => report.verdict === "nothing")
    ? "unknown"
    : "ok";
  const measures = paths.flatMap(({ report }, index): Measure[] => [
    {
      label: `p${index}_lost`,
      value: rounded(report.roundTrip.loss.value * 100),
      unit: "%",
      min: 0,
      max: 100,
    },
    { label: `p${index}_median`, value: rounded(report.delay?.medianMs.value ?? NaN), unit: "ms", min: 0 },
    { label: `p${index}_jitter`, value: rounded(report.delay?.jitterMs ?? NaN), unit: "ms", min: 0 },
  ]);
  const losses = paths.map(({ description, report }) =>
    `${description} lost ${percent(report.roundTrip.loss.value)}`
  );
  const price = prices.flatMap(({ advice: { judged } }) =>
    judged === null ? [] : [`one false alarm in ${renderSpan(judged.falseAlarmEveryMs)}`]
  );
  const left = skipped.filter(({ isBroken }) => !isBroken).map(({ link }) => link);
  const text = [
    ...(findings.length > 0 ? findings.map(({ sentence }) => sentence) : [[...losses, ...price].join(", ")]),
    ...(left.length === 0 ? [] : [`not asked: ${left.join(", ")}`]),
  ].join("; ");
  return { line: pluginLine("PROBE", severity, text, measures), exitCode: nagiosCodes[severity] };
}

/** `null`: not known. */
function rounded(value: number): number | null {
  return Number.isFinite(value) ? Math.round(value * 1_000) / 1_000 : null;
}
