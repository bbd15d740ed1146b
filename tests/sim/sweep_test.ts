/** What a sweep measures: against calculation, and against the whole cluster on the real core. */

import assert from "node:assert/strict";
import { FixedDetector } from "../../lib/core/detector/fixed.ts";
import { clusterSettings } from "../../lib/sim/cluster_settings.ts";
import { goodLink, type LinkQuality } from "../../lib/sim/link_quality.ts";
import { Simulation } from "../../lib/sim/simulation.ts";
import { expectedFalseDeathsPerYear, measure, perYear } from "../../lib/sim/sweep/measure.ts";
import { cellsOf, parseParameter } from "../../lib/sim/sweep/parameters.ts";
import { measureCell } from "../../lib/sim/sweep/sweep.ts";

const parameters: readonly (readonly [text: string, values: readonly number[]])[] = [
  ["deadtime=1s..4s:3", [1_000, 2_000, 4_000]],
  ["loss=0..0.3", [0, 0.1, 0.2, 0.3]],
  ["loss=0,1%,5%", [0, 0.01, 0.05]],
  ["jitter=0..100ms:3", [0, 50, 100]],
  ["burst=1..10:2", [1, 10]],
];

for (const [text, values] of parameters) {
  Deno.test(`--param ${text} means ${values.join(", ")}`, () => {
    const parsed = parseParameter(text);
    assert.deepEqual(parsed.ok && parsed.value.values, values);
  });
}

const mistakes: readonly (readonly [text: string, hint: RegExp])[] = [
  ["deadtme=1s..2s", /did you mean "deadtime"/],
  ["deadtime", /NAME=FROM\.\.TO/],
  ["deadtime=5s..1s", /lower value/],
  ["deadtime=0..1s", /200ms/],
  ["deadtime=1s..2s:99", /2 to 50/],
  ["loss=2..3", /0 to 0.95/],
  ["phi=99", /1 to 16/],
];

for (const [text, hint] of mistakes) {
  Deno.test(`--param ${text} is refused with what would be accepted`, () => {
    const parsed = parseParameter(text);
    assert.ok(!parsed.ok);
    assert.match(parsed.hint, hint);
  });
}

Deno.test("a grid has every combination", () => {
  const cells = cellsOf([{ name: "deadtime", values: [1, 2] }, { name: "loss", values: [0, 0.1, 0.2] }]);
  assert.equal(cells.length, 6);
  assert.deepEqual(cells[1], { deadtime: 1, loss: 0.1 });
});

Deno.test("a fixed silence: detection takes the dead time less half a keepalive, and false deaths are as calculated", () => {
  const stream = { seed: 1, heartbeats: 400_000, keepaliveMs: 100, links: [{ ...goodLink, lossRate: 0.3 }] };
  const [found] = measure(stream, [new FixedDetector(350)]);
  assert.ok(Math.abs(found!.detectionMeanMs - 300) < 2, `${found!.detectionMeanMs} ms`);
  const expected = expectedFalseDeathsPerYear(stream, 350)!;
  const ratio = perYear(found!.falseDeaths, stream) / expected;
  assert.ok(
    found!.falseDeaths > 1_000 && Math.abs(ratio - 1) < 0.1,
    `${found!.falseDeaths}, ${ratio} of expected`,
  );
});

Deno.test("what is too rare to be seen is calculated only where delays do not decide", () => {
  const keepaliveMs = 200;
  const cases: ReadonlyArray<readonly [deadTimeMs: number, quality: Partial<LinkQuality>, isKnown: boolean]> =
    [
      [500, {}, true],
      [500, { jitterMs: 0, jitterShape: "pareto" }, true],
      [500, { jitterMs: 3, jitterShape: "exponential" }, true],
      [500, { jitterMs: 30, jitterShape: "exponential" }, false],
      [500, { jitterMs: 100 }, true],
      [500, { jitterMs: 101 }, false],
      [500, { jitterMs: 9, jitterShape: "normal" }, false],
      [500, { jitterMs: 0.1, jitterShape: "lognormal" }, false],
      [600, { jitterMs: 6, jitterShape: "exponential" }, true],
      [600, { jitterMs: 7, jitterShape: "exponential" }, false],
      [590, { jitterMs: 1, jitterShape: "exponential" }, false],
      [500, { burst: { lossRate: 0.1, meanPackets: 3 } }, false],
    ];
  for (const [deadTimeMs, quality, isKnown] of cases) {
    const stream = { seed: 1, heartbeats: 1, keepaliveMs, links: [{ ...goodLink, ...quality }] };
    const found = expectedFalseDeathsPerYear(stream, deadTimeMs);
    assert.equal(found !== null, isKnown, `${deadTimeMs} ${JSON.stringify(quality)}: ${found}`);
  }
  const apart = [goodLink, { ...goodLink, latencyMs: 120 }];
  assert.equal(
    expectedFalseDeathsPerYear({ seed: 1, heartbeats: 1, keepaliveMs, links: apart }, 500),
    null,
  );
});

Deno.test("a sweep and the whole cluster on the real core agree how often a living node is taken for dead", () => {
  const seconds = 4_000;
  const settings = clusterSettings({
    nodes: ["n1", "n2"],
    links: 1,
    timing: { keepaliveMs: 200, deadTimeMs: 700 },
    groups: [{ name: "web", resources: [{ leaseSeconds: 1 }] }],
  });
  const simulation = new Simulation({ seed: 3, settings })
    .at(0, { kind: "link", from: "n2", medium: null, to: "n1", quality: { lossRate: 0.25 } });
  simulation.run(seconds * 1_000);
  const deaths = simulation.trace.entries.filter(({ node, code, level }) =>
    node === "n1" && code === "node-dead" && level === "alarm"
  );
  const { detectors, resolutionPerYear } = measureCell(settings, { loss: 0.25 }, 1, 400_000);
  const years = seconds / (365.25 * 24 * 3_600);
  const expected = detectors.fixed.falseDeathsPerYear * years;
  assert.ok(detectors.fixed.falseDeathsPerYear > 100 * resolutionPerYear);
  // Some hundreds by chance; the daemon also sends a heartbeat whenever something changes.
  assert.ok(
    deaths.length > 0.5 * expected && deaths.length < 1.3 * expected,
    `${deaths.length}, expected ${expected}`,
  );
});

Deno.test("loss in bursts makes more false deaths than the same loss one by one", () => {
  const settings = clusterSettings({
    nodes: ["n1", "n2"],
    links: 1,
    timing: { keepaliveMs: 200, deadTimeMs: 1_000 },
    groups: [{ name: "web", resources: [{ leaseSeconds: 1 }] }],
  });
  const [single, bursts] = [1, 10].map((burst) =>
    measureCell(settings, { loss: 0.05, burst }, 1, 200_000).detectors.fixed.falseDeaths
  );
  assert.ok(bursts! > 10 * single!, `${single} and ${bursts}`);
});
