/** What is in a picture of a run, judged from its text; how it looks is judged in a browser, end to end. */

import assert from "node:assert/strict";
import { drawCurves } from "../../cli/render/svg/curve.ts";
import { element, fitted, textWidth } from "../../cli/render/svg/elements.ts";
import { sampleOf } from "../../cli/render/svg/messages.ts";
import { TimeScale } from "../../cli/render/svg/scale.ts";
import { drawSpaceTime } from "../../cli/render/svg/space_time.ts";
import { storyOf } from "../../cli/render/svg/story.ts";
import { windowsOf } from "../../cli/render/svg/windows.ts";
import { renderReport } from "../../cli/render/simulation/report.ts";
import { library } from "../../lib/sim/library/library.ts";
import { runScenario, type ScenarioResult } from "../../lib/sim/scenario/run.ts";
import { scenarioFrom } from "../sim/scenario/samples.ts";

function played(name: string): ScenarioResult {
  return runScenario(scenarioFrom(library.get(name)!, name), { keepsPackets: true });
}

function count(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].length;
}

/** Every begin has its end, in order. */
function assertNested(markup: string): void {
  const open: string[] = [];
  for (const [, close, name, rest] of markup.matchAll(/<(\/?)([a-zA-Z]+)([^<>]*)>/g)) {
    if (close === "/") assert.equal(open.pop(), name);
    else if (!rest!.endsWith("/") && name !== "meta") open.push(name!);
  }
  assert.deepEqual(open, []);
}

for (const name of library.keys()) {
  Deno.test(`the picture of ${name} is well formed, the same each time, and as tall as it says`, () => {
    const result = played(name);
    const { svg, height } = drawSpaceTime(result);
    assertNested(svg);
    assert.equal(svg, drawSpaceTime(played(name)).svg);
    const lowest = Math.max(...[...svg.matchAll(/ y="(-?[\d.]+)"/g)].map(([, y]) => Number(y)));
    assert.ok(lowest < height, `something stands at ${lowest} of ${height}`);
    assert.ok(!/NaN|undefined|Infinity/.test(svg));
    assertNested(renderReport(result).replace(/^<!doctype html>/, ""));
  });
}

Deno.test("two holders are red, hatched and written; with one holder there is no such bar", () => {
  const split = drawSpaceTime(played("gateway-on-both-sides")).svg;
  assert.ok(count(split, /class="overlap"/g) >= 2, "in the overview and close up");
  assert.match(split, /n1 \+ n2: TWO HOLDERS/);
  assert.match(split, /url\(#hatch\)/);
  assert.equal(count(drawSpaceTime(played("power-off")).svg, /class="overlap"/g), 0);
});

Deno.test("lost messages end in a cross, and only they do", () => {
  const result = played("one-way-link");
  const windows = windowsOf(result, storyOf(result));
  const lost = result.packets.filter(({ sentMs, arrivedMs }) =>
    arrivedMs === null && windows.some(({ fromMs, toMs }) => sentMs >= fromMs && sentMs <= toMs)
  );
  assert.ok(lost.length > 5);
  assert.equal(count(drawSpaceTime(result).svg, /class="lostmessage"/g), lost.length);
  assert.equal(count(drawSpaceTime(played("clock-jump")).svg, /class="lostmessage"/g), 0);
});

Deno.test("close-ups lie around what happens, apart from each other, and not at the start", () => {
  for (const [name, atMs] of [["stalled-host", 23_000], ["gateway-on-both-sides", 23_000]] as const) {
    const result = played(name);
    const windows = windowsOf(result, storyOf(result));
    assert.ok(windows.some(({ fromMs, toMs }) => fromMs < atMs && atMs < toMs), `${name}: the takeover`);
    const [first, second] = windows;
    assert.ok(first!.fromMs > 10_000 && second!.fromMs > first!.toMs);
  }
});

Deno.test("faults become spans from their begin to their end, what belongs to a node stands on its lane", () => {
  const story = storyOf(played("dead-switch-between"));
  assert.deepEqual(story.faults.map(({ fromMs, toMs }) => [fromMs, toMs]), [[20_000, 45_000]]);
  assert.match(story.faults[0]!.text, /hb0 cut; service network parted; arbiter on one side/);
  const states = storyOf(played("stalled-host")).states.get("n1")!;
  assert.deepEqual(states.map(({ kind, fromMs }) => [kind, fromMs]), [
    ["running", 0],
    ["paused", 20_000],
    ["running", 32_000],
  ]);
});

Deno.test("fencing is marked, its devices' faults are spans, and who was rebooted is there again", () => {
  const failing = storyOf(played("fencing-fails"));
  const spans = failing.faults.filter(({ text }) => text.startsWith("ilo1")).map(({ text, fromMs, toMs }) =>
    [text, fromMs, toMs] as const
  );
  assert.deepEqual(spans, [["ilo1 hangs", 10_000, 32_000], ["ilo1 fails", 32_000, 45_000]]);
  assert.ok(failing.marks.some(({ kind, sentence }) => kind === "decision" && /^fencing n1/.test(sentence)));
  assert.match(failing.states.get("n1")!.at(-1)!.text, /^switched off by ilo1/);
  const rebooting = library.get("fencing-fails")!.replace("action: off", "action: reboot");
  const states = storyOf(runScenario(scenarioFrom(rebooting))).states.get("n1")!;
  assert.deepEqual(states.map(({ kind }) => kind), ["running", "gone", "running"]);
});

Deno.test("of too many messages a sample is drawn, and the caption says so", () => {
  const packets = Array.from({ length: 2_000 }, (_, at) => ({
    from: "n1",
    medium: "hb0",
    to: "n2",
    type: "status",
    generation: 1,
    sequence: at,
    sentMs: at,
    arrivedMs: at + 1,
  }));
  assert.equal(sampleOf(packets, () => false).packets.length, 200);
  assert.equal(sampleOf(packets.slice(0, 200), () => false).packets.length, 200);
  const { packets: shown, caption } = sampleOf(packets, ({ sentMs }) => sentMs >= 100);
  assert.ok(shown.length >= 130 && shown.length <= 140);
  assert.match(caption, /of those that are sent again one in 48/);
  const text = library.get("one-way-link")!.replace("keepalive: 500ms", "keepalive: 10ms");
  const result = runScenario(scenarioFrom(text), { keepsPackets: true });
  assert.match(drawSpaceTime(result).svg, /one message in \d+/);
});

Deno.test("whatever a scenario's author writes is text, never markup", () => {
  const nasty = library.get("power-off")!.replace("The ordinary case", `<script>alert("&")</script>`);
  const result = runScenario(scenarioFrom(nasty), { keepsPackets: true });
  for (const markup of [drawSpaceTime(result).svg, renderReport(result)]) {
    assert.ok(!markup.includes("<script"));
    assert.ok(markup.includes("&lt;script&gt;"));
  }
  assert.equal(element("a", { title: `"<>&` }, "<b>").markup, `<a title="&quot;&lt;&gt;&amp;">&lt;b&gt;</a>`);
});

Deno.test("marks of an axis stand at round times", () => {
  const texts = (fromMs: number, toMs: number) =>
    new TimeScale({ fromMs, toMs }, 0, 900).ticks().map(({ text }) => text);
  assert.deepEqual(texts(0, 60_000).slice(0, 3), ["0 s", "10 s", "20 s"]);
  assert.deepEqual(texts(22_400, 22_900).slice(0, 3), ["22.4 s", "22.5 s", "22.6 s"]);
  assert.deepEqual(texts(0, 86_400_000).slice(0, 3), ["0 h", "3 h", "6 h"]);
  assert.deepEqual(texts(0, 3_600_000).slice(0, 3), ["0 min", "10 min", "20 min"]);
  assert.ok(textWidth(fitted("a long sentence about nothing", 12, 60), 12) <= 60);
});

Deno.test("curves differ by more than colour, and a point that was never seen is hollow on the edge", () => {
  const axis = { label: "x", isLogarithmic: true, format: String };
  const point = (x: number, y: number | null) => ({ x, y, hint: `${x}` });
  const { svg } = drawCurves({
    title: "t",
    about: "",
    x: axis,
    y: axis,
    curves: ["one", "two"].map((name) => ({ name, points: [point(1, 100), point(2, 10), point(4, null)] })),
  });
  assertNested(svg);
  assert.equal(count(svg, /fill="none" stroke-width="1.8"/g), 2);
  assert.match(svg, /none was seen/);
  assert.match(svg, /stroke-dasharray="9 7"/);
  assert.ok(/a4\.5 4\.5/.test(svg) && /h8v8h-8Z/.test(svg), "circles and squares");
  const empty = { title: "t", about: "", x: axis, y: axis, curves: [] };
  assert.ok(!/NaN|Infinity/.test(drawCurves(empty).svg));
});
