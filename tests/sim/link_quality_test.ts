/** What chance makes of packets, measured over many: means, shares, lengths of bursts, queues. */

import { Prng } from "../../lib/core/prng.ts";
import assert from "node:assert/strict";
import { exp, ln } from "../../lib/sim/exact_math.ts";
import { fates, goodLink, type LinkQuality } from "../../lib/sim/link_quality.ts";

const packets = 200_000;

/** Delays of so many packets, one a millisecond apart; `null`: lost. */
function send(quality: Partial<LinkQuality>, count = packets, bytes = 500): (number | null)[] {
  const random = new Prng(4711);
  const memory = { isBad: false, busyUntilMs: 0 };
  const whole = { ...goodLink, latencyMs: 0, jitterMs: 0, ...quality };
  return Array.from({ length: count }, (_, at) => fates(whole, memory, bytes, at, random)[0] ?? null);
}

function near(actual: number, wanted: number, share: number): void {
  assert.ok(Math.abs(actual - wanted) <= share * wanted, `${actual} is not near ${wanted}`);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

for (
  const [jitterShape, wantedMs] of [["uniform", 5], ["exponential", 10], ["pareto", 10], [
    "lognormal",
    10 * Math.exp(0.5),
  ]] as const
) {
  Deno.test(`jitter of shape ${jitterShape} has the mean that is promised`, () => {
    near(mean(send({ jitterMs: 10, jitterShape }).map(Number)), wantedMs, 0.05);
  });
}

Deno.test("normal jitter lies around the latency with its deviation, and nothing arrives before it was sent", () => {
  const delays = send({ latencyMs: 100, jitterMs: 10, jitterShape: "normal" }).map(Number);
  near(mean(delays), 100, 0.01);
  near(Math.sqrt(mean(delays.map((delay) => (delay - 100) ** 2))), 10, 0.02);
  assert.ok(Math.min(...send({ jitterMs: 10, jitterShape: "normal" }, 1_000).map(Number)) >= 0);
});

Deno.test("a heavy tail is heavy: some packets of shape pareto are twenty times as late as the mean", () => {
  const delays = send({ jitterMs: 10, jitterShape: "pareto" }).map(Number);
  assert.ok(delays.some((delay) => delay > 200));
  assert.ok(!send({ jitterMs: 10, jitterShape: "exponential" }).some((delay) => delay! > 200));
});

for (const meanPackets of [1, 5, 40]) {
  Deno.test(`loss in bursts of ${meanPackets} has its share and its length`, () => {
    const lost = send({ burst: { lossRate: 0.1, meanPackets } }).map((delay) => delay === null);
    near(lost.filter(Boolean).length / packets, 0.1, 0.1);
    const bursts = lost.filter((isLost, at) => isLost && lost[at - 1] !== true).length;
    near(lost.filter(Boolean).length / bursts, meanPackets, 0.15);
  });
}

Deno.test("a slow line delays what waits and loses what finds too much waiting", () => {
  // 500 bytes take 500 ms at 8 kbit/s: packets that come twice as fast queue up.
  const delays = send({ bitsPerSecond: 8_000 }, 40).map((delay) => delay);
  assert.equal(delays[0], 500);
  assert.equal(delays[1], 999);
  assert.equal(delays.at(-1), null);
  assert.ok(Math.max(...delays.map(Number)) <= 17 * 500);
});

Deno.test("packets that are held back are overtaken", () => {
  const delays = send({ holdBack: { rate: 0.1, ms: 50 } }).map(Number);
  near(delays.filter((delay) => delay === 50).length / packets, 0.1, 0.05);
});

Deno.test("own logarithm and exponential agree with the engine's to the last digits", () => {
  for (const value of [1e-12, 0.001, 0.3, 0.9999, 1, 1.2345, 2, 10, 12345.678]) {
    assert.ok(Math.abs(ln(value) - Math.log(value)) <= 1e-14 * Math.max(1, Math.abs(Math.log(value))));
  }
  for (const power of [-30, -6, -0.5, 0, 1e-9, 0.3, 1, 6, 25]) {
    assert.ok(Math.abs(exp(power) / Math.exp(power) - 1) < 1e-13);
  }
});
