import assert from "node:assert/strict";
import { burstLoss, independentLoss, type LossModel } from "../../lib/measure/loss_model.ts";
import { type Detector, missesUntilDead, mistakeRecurrenceMs } from "../../lib/measure/pricing.ts";
import { Prng } from "../../lib/core/prng.ts";

const hourMs = 3_600_000;
const yearMs = 365.25 * 24 * hourMs;

/** A heartbeat each second, dead after `misses` lost ones. */
function detector(misses: number): Detector {
  return { keepaliveMs: 1_000, deadTimeMs: (misses + 1) * 1_000 };
}

function isNear(actual: number, expected: number, share: number, what: string): void {
  assert.ok(Math.abs(actual / expected - 1) <= share, `${what}: ${actual}, expected about ${expected}`);
}

Deno.test("1 % lost independently, 4 misses: one false alarm in 3.2 years", () => {
  isNear(mistakeRecurrenceMs([independentLoss(0.01, 1_000)], detector(4), 0), 3.2 * yearMs, 0.01, "years");
});

Deno.test("1 % lost in bursts of mean 5, 4 misses: one false alarm in 16 minutes; 30 misses: 3.7 days", () => {
  const bursts = [burstLoss(0.01, 5, 1_000)];
  isNear(mistakeRecurrenceMs(bursts, detector(4), 0), 16.3 * 60_000, 0.01, "4 misses");
  isNear(mistakeRecurrenceMs(bursts, detector(30), 0), 3.74 * 24 * hourMs, 0.01, "30 misses");
});

Deno.test("independent loss agrees with the closed form, also where the answer has 40 digits", () => {
  for (const [loss, misses] of [[0.5, 1], [0.3, 3], [0.1, 10], [0.01, 20], [0.9, 5]] as const) {
    const closed = (1 - loss ** misses) / (loss ** misses * (1 - loss)) * 1_000;
    const priced = mistakeRecurrenceMs([independentLoss(loss, 1_000)], detector(misses), 0);
    isNear(priced, closed, 1e-9, `${loss} ${misses}`);
  }
});

Deno.test("two independent links must lose at the same time", () => {
  const two = mistakeRecurrenceMs(
    [independentLoss(0.1, 1_000), independentLoss(0.2, 1_000)],
    detector(3),
    0,
  );
  isNear(
    two,
    mistakeRecurrenceMs([independentLoss(0.02, 1_000)], detector(3), 0),
    1e-9,
    "as one link of 2 %",
  );
});

Deno.test("a link without loss is priced at never, a dead one at nothing", () => {
  assert.equal(mistakeRecurrenceMs([independentLoss(0, 1_000)], detector(3), 0), Infinity);
  assert.ok(mistakeRecurrenceMs([independentLoss(1, 1_000)], detector(3), 0) <= 3_000);
});

Deno.test("bursts measured every 100 ms are as long in time when heartbeats go every second", () => {
  const fine = burstLoss(0.01, 50, 100);
  const coarse = mistakeRecurrenceMs([fine], detector(4), 0);
  // A burst of 5 s in the mean: exp(-3/5) of those that hold one heartbeat hold four.
  const perStep = 0.01 / 0.99 * (1 - Math.exp(-1 / 5)) * Math.exp(-3 / 5);
  isNear(coarse, 1_000 / perStep, 0.05, "recurrence");
});

Deno.test("misses until dead: heartbeats sent within the deadtime, less those that may come too late", () => {
  const cases: [keepaliveMs: number, deadTimeMs: number, variationMs: number, misses: number][] = [
    [1_000, 5_000, 0, 4],
    [1_000, 5_000, 10, 4],
    [1_000, 5_500, 10, 5],
    [1_000, 5_500, 600, 4],
    [200, 1_000, 0, 4],
    [200, 1_000, 250, 3],
    [200, 1_000, 2_000, 0],
  ];
  for (const [keepaliveMs, deadTimeMs, variationMs, misses] of cases) {
    assert.equal(missesUntilDead({ keepaliveMs, deadTimeMs }, variationMs), misses, `${deadTimeMs}`);
  }
});

/** The mean over many runs of a chain that is played out packet by packet. */
function played(links: readonly LossModel[], misses: number, runs: number, random: Prng): number {
  let steps = 0;
  for (let run = 0; run < runs; run++) {
    const isBad = links.map(() => false);
    for (let missed = 0; missed < misses; steps++) {
      let isHeard = false;
      for (const [link, model] of links.entries()) {
        isBad[link] = isBad[link] ? !random.chance(model.toGood) : random.chance(model.toBad);
        if (!random.chance(isBad[link] ? model.lossBad : model.lossGood)) isHeard = true;
      }
      missed = isHeard ? 0 : missed + 1;
    }
  }
  return steps / runs;
}

Deno.test("the price agrees with chains played out packet by packet", () => {
  const random = new Prng(20_251_125);
  const background: LossModel = {
    ...burstLoss(0.05, 4, 1_000),
    kind: "gilbert-elliott",
    lossGood: 0.1,
    lossBad: 0.7,
  };
  const cases: [string, LossModel[], number][] = [
    ["independent", [independentLoss(0.3, 1_000)], 4],
    ["bursts", [burstLoss(0.05, 3, 1_000)], 5],
    ["bursts with background", [background], 4],
    ["two links", [burstLoss(0.2, 3, 1_000), background], 3],
  ];
  for (const [name, links, misses] of cases) {
    const priced = mistakeRecurrenceMs(links, detector(misses), 0) / 1_000;
    // The times are exponential: 4,000 runs have a standard error of 1.6 %.
    isNear(played(links, misses, 4_000, random), priced, 0.06, name);
  }
});
