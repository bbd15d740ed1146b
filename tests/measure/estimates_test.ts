import assert from "node:assert/strict";
import { summarizeLoss } from "../../lib/measure/bursts.ts";
import { histogram, summarizeDelays } from "../../lib/measure/delay.ts";
import { quantile, wilson } from "../../lib/measure/interval.ts";
import { burstLoss, independentLoss, type LossModel, meanLoss } from "../../lib/measure/loss_model.ts";
import { Prng } from "../../lib/core/prng.ts";

function arrivalsOf(model: LossModel, packets: number, random: Prng): boolean[] {
  let isBad = random.chance(model.toBad / (model.toBad + model.toGood));
  return Array.from({ length: packets }, () => {
    isBad = isBad ? !random.chance(model.toGood) : random.chance(model.toBad);
    return !random.chance(isBad ? model.lossBad : model.lossGood);
  });
}

Deno.test("Wilson's interval has the published values, and never leaves 0 to 1", () => {
  const cases: [count: number, total: number, low: number, high: number][] = [
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ];
  for (const [count, total, low, high] of cases) {
    const found = wilson(count, total);
    assert.ok(Math.abs(found.low - low) < 5e-4 && Math.abs(found.high - high) < 5e-4, `${count} of ${total}`);
  }
  assert.equal(wilson(20, 20).high, 1);
  assert.deepEqual([wilson(0, 0).low, wilson(0, 0).high], [0, 1]);
});

Deno.test("a quantile's interval holds the true one in at least 93 of 100 samples, and is open where it must be", () => {
  const random = new Prng(1);
  for (const [n, q] of [[50, 0.5], [1_000, 0.99]] as const) {
    let hits = 0;
    for (let run = 0; run < 300; run++) {
      const sample = Array.from({ length: n }, () => -Math.log(1 - random.next())).sort((a, b) => a - b);
      const { low, high } = quantile(sample, q);
      if (low <= -Math.log(1 - q) && -Math.log(1 - q) <= high) hits++;
    }
    assert.ok(hits >= 279, `${hits} of 300 for the quantile ${q} of ${n}`);
  }
  const few = quantile([1, 2, 3, 4, 5], 0.99);
  assert.deepEqual([few.value, few.high], [5, Infinity]);
});

Deno.test("loss and burst length lie within their intervals in at least 90 of 100 samples, bursts or none", () => {
  const cases: [string, LossModel, burst: number][] = [
    ["independent", independentLoss(0.05, 100), 1 / 0.95],
    ["bursts of 5", burstLoss(0.05, 5, 100), 5],
    ["bursts of 20", burstLoss(0.1, 20, 100), 20],
  ];
  const random = new Prng(2);
  for (const [name, model, burst] of cases) {
    let [lossHits, burstHits] = [0, 0];
    for (let run = 0; run < 200; run++) {
      const { loss, burstLength } = summarizeLoss(arrivalsOf(model, 4_000, random), 100);
      if (loss.low <= meanLoss(model) && meanLoss(model) <= loss.high) lossHits++;
      if (burstLength !== null && burstLength.low <= burst && burst <= burstLength.high) burstHits++;
    }
    assert.ok(lossHits >= 180 && burstHits >= 180, `${name}: loss ${lossHits}, bursts ${burstHits} of 200`);
  }
});

Deno.test("without the bursts in mind the loss would miss its interval: the check can fail", () => {
  const random = new Prng(3);
  let hits = 0;
  for (let run = 0; run < 200; run++) {
    const { lost, packets } = summarizeLoss(arrivalsOf(burstLoss(0.1, 20, 100), 4_000, random), 100);
    const naive = wilson(lost, packets);
    if (naive.low <= 0.1 && 0.1 <= naive.high) hits++;
  }
  assert.ok(hits < 140, `${hits} of 200`);
});

Deno.test("the model that fits is chosen: independent, bursts, or bursts over a background", () => {
  const background: LossModel = {
    kind: "gilbert-elliott",
    toBad: 0.005,
    toGood: 0.05,
    lossGood: 0.02,
    lossBad: 0.8,
    intervalMs: 100,
  };
  const random = new Prng(4);
  for (const model of [independentLoss(0.05, 100), burstLoss(0.05, 6, 100), background]) {
    const found = summarizeLoss(arrivalsOf(model, 20_000, random), 100).model;
    assert.equal(found.kind, model.kind);
    if (found.kind !== "gilbert-elliott") continue;
    assert.ok(Math.abs(found.lossBad - 0.8) < 0.1 && Math.abs(found.lossGood - 0.02) < 0.01, "losses");
    assert.ok(Math.abs(found.toGood / 0.05 - 1) < 0.4 && Math.abs(found.toBad / 0.005 - 1) < 0.4, "moves");
  }
});

Deno.test("runs are counted over their whole length, and not across packets of unknown fate", () => {
  const of = (text: string) => [...text].map((each) => each === "?" ? null : each === "1");
  const found = summarizeLoss(of("1001011000?0011"), 100);
  assert.deepEqual(found.bursts, [[1, 1], [2, 2], [3, 1]]);
  assert.deepEqual([found.packets, found.lost, found.longestBurst], [14, 8, 3]);
});

Deno.test("all lost, none lost and nothing sent have an honest summary", () => {
  const none = summarizeLoss(new Array<boolean>(100).fill(true), 100);
  assert.deepEqual([none.loss.value, none.burstLength], [0, null]);
  assert.ok(none.loss.high > 0.03 && none.loss.high < 0.04);
  const all = summarizeLoss(new Array<boolean>(100).fill(false), 100);
  assert.deepEqual([all.loss.value, all.loss.high, all.burstLength?.value], [1, 1, Infinity]);
  assert.ok(Number.isNaN(summarizeLoss([], 100).loss.value));
});

Deno.test("jitter follows RFC 3550, the histogram holds every value once", () => {
  const delays = summarizeDelays([1, 2, 3, 10], [16, 0])!;
  assert.deepEqual([delays.minMs, delays.maxMs, delays.medianMs.value, delays.jitterMs], [1, 10, 2, 0.9375]);
  assert.equal(summarizeDelays([], []), null);
  for (const values of [[1, 2, 3, 10], [5], [0, 0, 0], [0.01, 1000]]) {
    const counts = histogram(values, 20).map(({ count }) => count);
    assert.equal(counts.reduce((total, each) => total + each), values.length);
    assert.ok(counts.length <= 20);
  }
});
