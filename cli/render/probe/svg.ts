/**
 * A picture of a measurement: for each path the round trips over time, with losses as a band below, and the histogram
 * beside it. Losses are told by their place too, not by colour alone.
 */

import { type Bin, histogram } from "../../../lib/measure/delay.ts";
import type { PathResult, ProbeResult } from "../../commands/probe/result.ts";
import { element, type Markup } from "../svg/elements.ts";
import { nodeClass } from "../svg/palette.ts";
import { drawPicture } from "../svg/picture.ts";
import { percent, two } from "./spans.ts";

const width = 860;
const rowHeight = 190;
const plot = { left: 60, right: 600, top: 34, bottom: 140 } as const;
const bars = { left: 650, right: 840 } as const;
/** Columns that a series is drawn in: more than the picture has points would only make the file long. */
const columns = plot.right - plot.left;

export function probeSvg({ paths }: ProbeResult): string {
  const height = Math.max(1, paths.length) * rowHeight + 10;
  const title = `Round trips and losses of ${paths.length} path${paths.length === 1 ? "" : "s"}`;
  const rows = paths.map((path, index) =>
    element("g", { transform: `translate(0 ${index * rowHeight})` }, ...drawPath(path))
  );
  return `${drawPicture(title, width, height, ...rows).svg}\n`;
}

function drawPath({ description, report }: PathResult): Markup[] {
  const { roundTripsMs, roundTrip } = report.outcome;
  const bins = histogram(roundTripsMs, 30);
  const [low, high] = [bins[0]?.fromMs ?? 0.1, bins.at(-1)?.toMs ?? 1];
  const y = (ms: number) =>
    plot.bottom - Math.log(Math.max(ms, low) / low) / Math.log(high / low) * (plot.bottom - plot.top);
  const title = `${description}: lost ${percent(report.roundTrip.loss.value)} of ${report.asked}` +
    (report.delay === null ? "" : `, median ${two(report.delay.medianMs.value)} ms`);
  const tick = (at: number, text: string) =>
    element("text", { class: "tick", x: plot.left - 6, y: at, "text-anchor": "end" }, text);
  const size = { width: plot.right - plot.left, height: plot.bottom - plot.top };
  return [
    element("text", { class: "caption", x: plot.left, y: 20 }, title),
    element("rect", { class: "panel", x: plot.left, y: plot.top, ...size }),
    element("path", {
      class: "axis",
      fill: "none",
      d: `M${plot.left} ${plot.top}V${plot.bottom}H${plot.right}`,
    }),
    ...[tick(plot.top + 8, `${two(high)} ms`), tick(plot.bottom, `${two(low)} ms`)],
    tick(plot.bottom + 20, "lost"),
    ...drawSeries(roundTrip, roundTripsMs, y),
    ...drawBins(bins, y),
  ];
}

/** Each column shows the longest round trip in it, and how much of it was lost. */
function drawSeries(
  roundTrip: readonly boolean[],
  roundTripsMs: readonly number[],
  y: (ms: number) => number,
): Markup[] {
  const total = Math.max(1, roundTrip.length);
  const column = (index: number) => Math.floor(index * columns / total);
  const longest = new Map<number, number>();
  const lost = new Map<number, number>();
  let next = 0;
  roundTrip.forEach((isBack, index) => {
    const at = column(index);
    if (isBack) longest.set(at, Math.max(longest.get(at) ?? 0, roundTripsMs[next++] ?? 0));
    else lost.set(at, (lost.get(at) ?? 0) + 1);
  });
  const perColumn = Math.max(1, total / columns);
  const points = [...longest].map(([at, ms]) =>
    element("rect", { class: `fill ${nodeClass(0)}`, x: plot.left + at, y: y(ms), width: 2, height: 2 })
  );
  const marks = [...lost].map(([at, count]) => {
    const height = Math.max(3, Math.min(1, count / perColumn) * 14);
    return element("rect", {
      class: "bad",
      x: plot.left + at,
      y: plot.bottom + 22 - height,
      width: 2,
      height,
    });
  });
  return [...points, ...marks];
}

function drawBins(bins: readonly Bin[], y: (ms: number) => number): Markup[] {
  const most = Math.max(1, ...bins.map(({ count }) => count));
  return bins.map(({ fromMs, toMs, count }) => {
    const [top, bottom] = [y(toMs), y(fromMs)];
    const place = {
      x: bars.left,
      y: top,
      width: count / most * (bars.right - bars.left),
      height: Math.max(1, bottom - top - 1),
    };
    const hint = element("title", {}, `${two(fromMs)} to ${two(toMs)} ms: ${count}`);
    return element("rect", { class: `fill ${nodeClass(0)}`, ...place }, hint);
  });
}
