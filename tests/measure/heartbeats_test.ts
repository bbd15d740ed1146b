import assert from "node:assert/strict";
import { HeardHeartbeats } from "../../lib/measure/heartbeats.ts";
import { heardReport } from "../../lib/measure/report.ts";

function heard(
  links: readonly string[],
  ...beats: [link: string, number: number, atMs: number, generation?: number][]
) {
  const tally = new HeardHeartbeats(links);
  for (const [link, number, atMs, generation] of beats) {
    tally.add("n2", link, generation ?? 5, number, true, atMs);
  }
  return { tally, links: tally.heard() };
}

Deno.test("a number that one link did not bring was lost there, whatever another link brought", () => {
  const { links } = heard(
    ["hb0", "hb1"],
    ...[7, 8, 9, 10].map((number) => ["hb0", number, 100 * number] as [string, number, number]),
    ["hb1", 7, 701],
    ["hb1", 10, 1_001],
  );
  const expected = [[true, true, true, true], [true, false, false, true]];
  assert.deepEqual(links.map(({ arrivals }) => arrivals), expected);
  assert.deepEqual(links.map(({ longestSilenceMs }) => longestSilenceMs), [100, 300]);
  assert.equal(heardReport(links[1]!).roundTrip.lost, 2);
});

Deno.test("what comes soon after a higher number was overtaken, what comes later was sent again and is lost", () => {
  const { links: [link] } = heard(["hb0"], ["hb0", 1, 0], ["hb0", 3, 200], ["hb0", 2, 210], ["hb0", 6, 500], [
    "hb0",
    5,
    600,
  ]);
  assert.deepEqual(link!.arrivals, [true, true, true, false, false, true]);
  assert.equal(link!.reordered, 1);
});

Deno.test("copies are counted, lateness is beyond the usual interval", () => {
  const { links: [link] } = heard(
    ["hb0"],
    ["hb0", 1, 0],
    ["hb0", 1, 1],
    ["hb0", 2, 100],
    ["hb0", 3, 200],
    ["hb0", 4, 345],
    ["hb0", 5, 445],
  );
  assert.deepEqual([link!.copies, link!.intervalMs, link!.lateMsMax, link!.durationMs], [1, 100, 45, 445]);
});

Deno.test("a restarted daemon counts anew; its earlier run and absurd numbers do not count", () => {
  const { tally, links: [link] } = heard(
    ["hb0"],
    ["hb0", 90, 0, 5],
    ["hb0", 1, 100, 6],
    ["hb0", 91, 150, 5],
    ["hb0", 2, 200, 6],
    ["hb0", 2 ** 40, 300, 6],
  );
  assert.deepEqual([tally.isRestarted, link!.arrivals], [true, [true, true]]);
});

Deno.test("what came before all links were listened to, and at the very end, is nobody's loss", () => {
  const { links } = heard(
    ["hb0", "hb1", "hb2"],
    ...[1, 2, 3, 4, 5].map((number) => ["hb0", number, 100 * number] as [string, number, number]),
    ["hb1", 3, 301],
    ["hb1", 4, 401],
  );
  assert.deepEqual(links.map(({ arrivals }) => arrivals), [[true, true], [true, true], [false, false]]);
});
