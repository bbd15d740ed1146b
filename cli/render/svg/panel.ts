/**
 * One stretch of time as a panel: what is broken on top, who holds each group, a lane for each node with what it
 * holds, messages between the lanes, decisions and alarms on them, and the axis.
 */

import type { GroupTally } from "../../../lib/sim/scenario/tally.ts";
import { element, fitted, type Markup, textWidth } from "./elements.ts";
import { drawMessages, type MessagePlace } from "./messages.ts";
import { nodeClass } from "./palette.ts";
import { TimeScale } from "./scale.ts";
import type { FaultSpan, Mark, Story } from "./story.ts";

export interface PanelContent {
  readonly story: Story;
  readonly tallies: readonly GroupTally[];
  /** Shown as slanted lines; empty: none. */
  readonly messages: Omit<MessagePlace, "scale" | "laneY"> | null;
  /** Numbered on the lanes; other marks are small. */
  readonly numbers: ReadonlyMap<Mark, number>;
  readonly caption: string;
}

export interface Panel {
  readonly markup: Markup;
  readonly height: number;
  readonly scale: TimeScale;
  /** From its top, without caption and axis. */
  readonly body: { readonly top: number; readonly height: number };
}

const captionHeight = 26;
const faultRow = 17;
const faultRowsMax = 4;
const groupRow = 32;
const barHeight = 22;
const axisHeight = 26;

export function drawPanel(content: PanelContent, scale: TimeScale, top: number): Panel {
  const { story, tallies, messages } = content;
  const isClose = messages !== null;
  const faults = placed(story.faults.filter(({ node }) => node === null), scale);
  const rows = Math.max(0, ...faults.map(({ row }) => row + 1));
  const bodyTop = top + captionHeight;
  const groupsTop = bodyTop + 8 + rows * faultRow;
  const lanesTop = groupsTop + tallies.length * groupRow + (isClose ? 34 : 20);
  const laneGap = isClose ? 118 : 46;
  const laneY = new Map(story.nodes.map((node, index) => [node, lanesTop + index * laneGap]));
  const bottom = lanesTop + (story.nodes.length - 1) * laneGap + (isClose ? 26 : 22);
  const height = bottom - bodyTop;
  const parts = [
    element("text", { class: "caption", x: scale.left - 100, y: top + 15 }, content.caption),
    element("rect", { class: "panel", x: scale.left, y: bodyTop, width: scale.width, height, rx: 4 }),
    ...scale.ticks().map(({ x }) =>
      element("line", { class: "grid", x1: x, x2: x, y1: bodyTop, y2: bottom })
    ),
    ...faults.flatMap((fault) => drawFault(fault, scale, bodyTop, height)),
    ...tallies.flatMap((tally, index) => drawHolders(tally, story, scale, groupsTop + index * groupRow)),
    ...(messages === null ? [] : [drawMessages({ ...messages, scale, laneY })]),
    ...story.nodes.flatMap((node) => drawLane(node, content, scale, laneY.get(node)!, isClose)),
    ...drawMarks(content, scale, laneY),
    ...drawAxis(scale, bottom),
  ];
  return {
    markup: element("g", {}, ...parts),
    height: captionHeight + height + axisHeight,
    scale,
    body: { top: bodyTop, height },
  };
}

interface PlacedFault extends FaultSpan {
  readonly row: number;
  readonly x: number;
  readonly width: number;
}

/** Labels that would overlap go to rows below; what finds no row has none, and is told by its shade alone. */
function placed(faults: readonly FaultSpan[], scale: TimeScale): PlacedFault[] {
  const ends: number[] = [];
  const found: PlacedFault[] = [];
  for (const fault of faults) {
    const place = scale.clip(fault.fromMs, fault.toMs);
    if (place === null) continue;
    const labelEnd = place.x + Math.min(textWidth(fault.text, 11.5) + 12, scale.right - place.x);
    let row = ends.findIndex((end) => end <= place.x);
    if (row < 0) row = ends.length;
    if (row < faultRowsMax) ends[row] = Math.max(labelEnd, place.x + place.width);
    found.push({ ...fault, ...place, row: Math.min(row, faultRowsMax) });
  }
  // A label at the right edge is cut off less when it may begin earlier; rows are few enough for this to be rare.
  return found.map((fault) => fault.row === faultRowsMax ? { ...fault, row: faultRowsMax - 1 } : fault);
}

function drawFault(fault: PlacedFault, scale: TimeScale, top: number, height: number): Markup[] {
  const { x, width, row, text, fromMs, toMs } = fault;
  const edge = (at: number) =>
    element("line", { class: "faultedge", x1: at, x2: at, y1: top, y2: top + height });
  const room = scale.right - x - 6;
  const wanted = textWidth(text, 11.5);
  // A label that begins too far right ends at the edge instead.
  const at = wanted <= room ? x + 5 : Math.max(scale.left + 4, scale.right - wanted - 6);
  return [
    element("rect", { class: "fault", x, y: top, width: Math.max(width, 1), height }),
    ...(scale.contains(fromMs) ? [edge(x)] : []),
    ...(scale.contains(toMs) && toMs > fromMs ? [edge(x + width)] : []),
    element(
      "text",
      { class: "faulttext", x: at, y: top + 15 + row * faultRow },
      element("title", {}, text),
      fitted(text, 11.5, scale.right - at - 4),
    ),
  ];
}

function drawHolders(tally: GroupTally, story: Story, scale: TimeScale, top: number): Markup[] {
  const label = element(
    "text",
    { class: "label", x: scale.left - 14, y: top + 16, "text-anchor": "end" },
    fitted(tally.group, 13, 96),
  );
  const bars = tally.intervals.flatMap(({ fromMs, toMs, holders }) => {
    const place = scale.clip(fromMs, toMs ?? story.endMs);
    if (place === null) return [];
    const bar = { x: place.x, y: top, width: Math.max(place.width, 1.5), height: barHeight };
    const title = `${tally.group}: ${holders.length === 0 ? "nobody" : holders.join(" and ")}, ${
      seconds(fromMs)
    } to ${seconds(toMs ?? story.endMs)}`;
    return [holderBar(holders, story.nodes, bar, title)];
  });
  return [label, ...bars];
}

interface Bar {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function holderBar(
  holders: readonly string[],
  nodes: readonly string[],
  bar: Bar,
  title: string,
): Markup {
  const text = (className: string, ...choices: readonly string[]) => {
    // Bold capitals are wide.
    const shown = choices.find((words) => textWidth(words, 14) <= bar.width - 6) ?? "";
    const place = { class: className, x: bar.x + bar.width / 2, y: bar.y + 15, "text-anchor": "middle" };
    return shown === "" ? "" : element("text", place, shown);
  };
  const hint = element("title", {}, title);
  if (holders.length === 0) {
    return element(
      "g",
      {},
      hint,
      element("rect", { class: "nobody", ...bar, rx: 3 }),
      text("nobodytext", "nobody"),
    );
  }
  if (holders.length === 1) {
    const fill = `fill ${nodeClass(nodes.indexOf(holders[0]!))}`;
    return element(
      "g",
      {},
      hint,
      element("rect", { class: fill, ...bar, rx: 3 }),
      text("bartext", holders[0]!),
    );
  }
  // Taller than the others, and hatched: an overlap must be seen without colours too.
  const tall = { ...bar, y: bar.y - 3, height: bar.height + 6 };
  return element(
    "g",
    { class: "overlap" },
    hint,
    element("rect", { class: "two", ...tall, rx: 2 }),
    element("rect", { fill: "url(#hatch)", ...tall, rx: 2 }),
    text("bartext", `${holders.join(" + ")}: TWO HOLDERS`, "TWO HOLDERS", holders.join(" + "), "2"),
  );
}

function drawLane(
  node: string,
  { story, tallies }: PanelContent,
  scale: TimeScale,
  y: number,
  isClose: boolean,
): Markup[] {
  const index = story.nodes.indexOf(node);
  const label = element(
    "text",
    { class: "label", x: scale.left - 14, y: y + 4, "text-anchor": "end" },
    fitted(node, 13, 96),
  );
  const states = (story.states.get(node) ?? []).flatMap(({ fromMs, toMs, kind, text }) => {
    const place = scale.clip(fromMs, toMs);
    if (place === null || place.width < 0.5) return [];
    const line = { x1: place.x, x2: place.x + place.width, y1: y, y2: y };
    const words = fitted(text, 11, place.width - 6);
    const shade = { class: "fault own", x: place.x, y: y - 16, width: place.width, height: 38, rx: 3 };
    return [
      ...(kind === "running" ? [] : [element("rect", shade, element("title", {}, `${node}: ${text}`))]),
      element("line", { class: kind === "running" ? "lane" : kind, ...line }),
      ...(kind === "running" || words === "" ? [] : [element(
        "text",
        { class: "gonetext", x: place.x + place.width / 2, y: y + 16, "text-anchor": "middle" },
        words,
      )]),
    ];
  });
  const thickness = isClose ? 9 : 10;
  const holdings = tallies.flatMap(({ group, intervals }) =>
    intervals.filter(({ holders }) => holders.includes(node)).flatMap(({ fromMs, toMs, holders }) => {
      const place = scale.clip(fromMs, toMs ?? story.endMs);
      if (place === null) return [];
      const bar = { x: place.x, y: y - thickness / 2, width: Math.max(place.width, 1.5), height: thickness };
      const hint = element("title", {}, `${node} holds ${group}`);
      return [
        element("rect", { class: `fill ${nodeClass(index)}`, ...bar, rx: 2 }, hint),
        ...(holders.length > 1 ? [element("rect", { fill: "url(#hatch)", ...bar, rx: 2 })] : []),
      ];
    })
  );
  return [label, ...states, ...holdings];
}

/** Numbered circles (alarms as triangles) above the lane; near ones stand on each other. */
function drawMarks(
  { story, numbers }: PanelContent,
  scale: TimeScale,
  laneY: ReadonlyMap<string, number>,
): Markup[] {
  const drawn: { readonly node: string; readonly x: number; readonly level: number }[] = [];
  const found: Markup[] = [];
  for (const mark of story.marks) {
    if (!scale.contains(mark.atMs)) continue;
    const number = numbers.get(mark);
    const x = scale.x(mark.atMs);
    const near = drawn.filter(({ node, x: other }) => node === mark.node && Math.abs(other - x) < 18);
    if (number === undefined && near.length > 0) continue;
    const level = near.length === 0 ? 0 : Math.max(...near.map(({ level }) => level)) + 1;
    drawn.push({ node: mark.node, x, level });
    const y = laneY.get(mark.node)! - (number === undefined ? 12 : 17) - level * 19;
    found.push(drawMark(mark, number, x, y));
  }
  return found;
}

function drawMark({ kind, sentence, node }: Mark, number: number | undefined, x: number, y: number): Markup {
  const size = number === undefined ? 5.5 : 9.5;
  const hint = element("title", {}, `${node}: ${sentence}`);
  const triangle = `M${x} ${y - size}L${x + size} ${y + size * 0.8}H${x - size}Z`;
  const shape = kind === "alarm"
    ? element("path", { class: "alarm", d: triangle })
    : element("circle", { class: "decision", cx: x, cy: y, r: size * 0.85 });
  const text = number === undefined ? "" : element(
    "text",
    { class: "number", x, y: y + (kind === "alarm" ? 5.5 : 3.5), "text-anchor": "middle" },
    `${number}`,
  );
  return element("g", {}, hint, shape, text);
}

function drawAxis(scale: TimeScale, y: number): Markup[] {
  return [
    element("line", { class: "axis", x1: scale.left, x2: scale.right, y1: y, y2: y }),
    ...scale.ticks().map(({ x, text }) =>
      element("text", { class: "tick", x, y: y + 16, "text-anchor": "middle" }, text)
    ),
  ];
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
