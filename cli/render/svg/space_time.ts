/**
 * The picture of a run: the whole of it as an overview, and the most interesting stretches close up with their
 * messages and the sentences of the decisions. The same result gives the same picture.
 */

import type { ScenarioResult } from "../../../lib/sim/scenario/run.ts";
import { firstSettings } from "../../../lib/sim/scenario/scenario.ts";
import { linkName } from "../../../lib/core/settings.ts";
import { element, type Markup, textWidth } from "./elements.ts";
import { linkStyles, sampleOf } from "./messages.ts";
import { drawPanel, type Panel } from "./panel.ts";
import { drawPicture, type Picture } from "./picture.ts";
import { type Interval, TimeScale } from "./scale.ts";
import { type Mark, type Story, storyOf } from "./story.ts";
import { windowsOf } from "./windows.ts";

const width = 960;
const left = 116;
const right = 24;
const lineHeight = 18;

/** Sentences beside one close-up; further ones are in the report's timeline. */
const sentencesMax = 9;

export function drawSpaceTime(result: ScenarioResult): Picture {
  const story = storyOf(result);
  const windows = windowsOf(result, story);
  const whole: Interval = { fromMs: 0, toMs: story.endMs };
  const scale = (interval: Interval) => new TimeScale(interval, left, width - left - right);
  const head = heading(result);
  const parts: Markup[] = [head.markup];
  let y = head.height;
  if (windows.length > 0) {
    const overview = drawPanel(
      { story, tallies: result.tallies, messages: null, numbers: new Map(), caption: "The whole run" },
      scale(whole),
      y,
    );
    parts.push(overview.markup, ...windows.map((window, index) => frame(overview, window, letter(index))));
    y += overview.height + 14;
  }
  for (const [index, window] of (windows.length > 0 ? windows : [whole]).entries()) {
    const close = closeUp(result, story, scale(window), windows.length > 0 ? letter(index) : null, y);
    parts.push(close.markup);
    y += close.height + 14;
  }
  const legend = drawLegend(result, y);
  parts.push(legend.markup);
  const height = y + legend.height + 8;
  const title = `${result.scenario.name}: who held what, and which messages went`;
  return drawPicture(title, width, height, hatch, ...parts);
}

const hatch = element(
  "defs",
  {},
  element(
    "pattern",
    { id: "hatch", width: 7, height: 7, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    element("line", {
      x1: 0,
      y1: 0,
      x2: 0,
      y2: 7,
      stroke: "#fff",
      "stroke-width": 2.2,
      "stroke-opacity": 0.45,
    }),
  ),
);

function letter(index: number): string {
  return String.fromCharCode(65 + index);
}

interface Block {
  readonly markup: Markup;
  readonly height: number;
}

function heading({ scenario, seed, judgements }: ScenarioResult): Block {
  const failed = judgements.filter(({ isMet }) => !isMet).length;
  const [verdict, className] = judgements.length === 0
    ? ["", ""]
    : failed === 0
    ? ["✓ as expected", "good"]
    : [`✗ ${failed} of ${judgements.length} expectations failed`, "bad"];
  const about = lines(scenario.about.replaceAll(/\s+/g, " "), 13, width - 40);
  const textLines = about.map((line, index) =>
    element("text", { class: "about", x: 16, y: 58 + index * lineHeight }, line)
  );
  return {
    markup: element(
      "g",
      {},
      element("text", { class: "title", x: 16, y: 34 }, scenario.name),
      element(
        "text",
        { class: `label ${className}`, x: width - right, y: 34, "text-anchor": "end" },
        verdict === "" ? `seed ${seed}` : verdict,
      ),
      ...textLines,
    ),
    height: 52 + about.length * lineHeight + 8,
  };
}

/** Where in the overview a close-up lies. */
function frame({ scale, body }: Panel, window: Interval, name: string): Markup {
  const place = scale.clip(window.fromMs, window.toMs)!;
  const rect = { x: place.x, y: body.top - 2, width: place.width, height: body.height + 4, rx: 3 };
  return element(
    "g",
    {},
    element("rect", { class: "zoom", ...rect }),
    element(
      "text",
      { class: "zoomtext", x: place.x + place.width / 2, y: body.top - 7, "text-anchor": "middle" },
      name,
    ),
  );
}

function closeUp(
  result: ScenarioResult,
  story: Story,
  scale: TimeScale,
  name: string | null,
  top: number,
): Block {
  const packets = result.packets.filter(({ sentMs, arrivedMs }) =>
    scale.contains(sentMs) && scale.contains(arrivedMs ?? sentMs)
  );
  const sample = sampleOf(packets, repeats(result.packets));
  const shown = story.marks.filter(({ atMs }) => scale.contains(atMs)).slice(0, sentencesMax);
  const numbers = new Map<Mark, number>(shown.map((mark, index) => [mark, index + 1]));
  const caption = name === null
    ? `The whole run, with its messages${sample.caption}`
    : `${name}, close up${sample.caption}`;
  const panel = drawPanel(
    {
      story,
      tallies: result.tallies,
      messages: { packets: sample.packets, links: linksOf(result) },
      numbers,
      caption,
    },
    scale,
    top,
  );
  const sentences = [...numbers].flatMap(([mark, number]) => sentenceLines(mark, number));
  const texts = sentences.map(({ number, text }, index) => {
    const y = top + panel.height + 12 + index * lineHeight;
    return element(
      "g",
      {},
      number === null
        ? ""
        : element("text", { class: "label", x: left - 14, y, "text-anchor": "end" }, number),
      element("text", { class: "sentence", x: left, y }, text),
    );
  });
  return {
    markup: element("g", {}, panel.markup, ...texts),
    height: panel.height + sentences.length * lineHeight + 6,
  };
}

/** Tells packets whose number went the same way before, and those of the types without a number. */
function repeats(packets: ScenarioResult["packets"]): (packet: ScenarioResult["packets"][number]) => boolean {
  const last = new Map<string, number>();
  const repeated = new Set<ScenarioResult["packets"][number]>();
  for (const packet of packets.toSorted((one, other) => one.sentMs - other.sentMs)) {
    const { from, medium, to, generation, sequence, sentMs } = packet;
    if (sequence === null) repeated.add(packet);
    else {
      const path = `${from} ${medium} ${to} ${generation} ${sequence}`;
      const before = last.get(path);
      if (before === undefined) last.set(path, sentMs);
      else if (sentMs > before) repeated.add(packet);
    }
  }
  return (packet) => repeated.has(packet);
}

function sentenceLines({ atMs, node, kind, sentence }: Mark, number: number) {
  const text = `${(atMs / 1000).toFixed(2)} s  ${node}: ${kind === "alarm" ? "ALARM " : ""}${sentence}`;
  const [first = "", second, third] = lines(text, 12, width - left - right);
  const rest = third === undefined ? second : `${second} …`;
  return [
    { number: `${number}`, text: first },
    ...(rest === undefined ? [] : [{ number: null, text: rest }]),
  ];
}

function linksOf({ scenario }: ScenarioResult): string[] {
  return [...new Set(firstSettings(scenario.settings).media.map(linkName))];
}

function drawLegend(result: ScenarioResult, top: number): Block {
  const y = top + 10;
  let x = left;
  const parts: Markup[] = [];
  const add = (symbol: Markup, text: string) => {
    parts.push(symbol, element("text", { class: "tick", x: x + 32, y: y + 4 }, text));
    x += 32 + textWidth(text, 11) + 22;
  };
  for (const [index, link] of linksOf(result).entries()) {
    const style = `message ${linkStyles[index % linkStyles.length]}`;
    add(element("line", { class: style, x1: x, x2: x + 26, y1: y, y2: y }), `heartbeat on ${link}`);
  }
  const cross = `M${x + 9} ${y - 4}l8 8m0 -8l-8 8`;
  add(element("path", { class: "cross", d: cross }), "lost");
  add(element("rect", { class: "fault", x, y: y - 7, width: 26, height: 14 }), "something is broken");
  add(element("path", { class: "alarm", d: `M${x + 13} ${y - 7}l7 12h-14Z` }), "alarm");
  add(element("circle", { class: "decision", cx: x + 13, cy: y, r: 6 }), "decision");
  return { markup: element("g", {}, ...parts), height: 26 };
}

/** Broken between words to a width. */
function lines(text: string, size: number, room: number): string[] {
  const found: string[] = [];
  for (const word of text.split(" ")) {
    const last = found.at(-1);
    if (last !== undefined && textWidth(`${last} ${word}`, size) <= room) {
      found[found.length - 1] = `${last} ${word}`;
    } else found.push(word);
  }
  return text === "" ? [] : found;
}
