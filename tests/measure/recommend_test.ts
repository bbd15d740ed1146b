import assert from "node:assert/strict";
import { Prng } from "../../lib/core/prng.ts";
import { advise, type Wishes } from "../../lib/measure/recommend.ts";
import { type PathReport, reportOf } from "../../lib/measure/report.ts";

const intervalMs = 100;
const dayMs = 86_400_000;
const wishes: Wishes = { keepaliveMs: null, judged: null, acceptMs: 365 * dayMs };

function path(roundTrip: readonly boolean[], roundTripMs = 1): PathReport {
  return reportOf({
    intervalMs,
    durationMs: roundTrip.length * intervalMs,
    roundTrip,
    outward: null,
    homeward: null,
    roundTripsMs: roundTrip.filter(Boolean).map((_, index) => index === 0 ? roundTripMs : 1),
    variationsMs: [],
    copies: 0,
    reordered: 0,
    late: 0,
    far: null,
    refused: 0,
  }, null);
}

function losing(share: number, count: number, random: Prng): boolean[] {
  return Array.from({ length: count }, () => !random.chance(share));
}

Deno.test("a clean link: a short deadtime is enough, and the time measured is said to prove little", () => {
  const advice = advise([path(new Array<boolean>(6_000).fill(true))], wishes)!;
  assert.equal(advice.recommended?.deadTimeMs, 500);
  assert.equal(advice.provenMs, 200_000);
  assert.equal(advice.joint, null);
});

Deno.test("the fewer questions, the longer the deadtime that is enough", () => {
  const enough = [30, 300, 3_000].map((count) =>
    advise([path(new Array<boolean>(count).fill(true))], wishes)!.recommended!.deadTimeMs
  );
  assert.deepEqual(enough, [...enough].sort((a, b) => b - a));
  assert.ok(enough[0]! > enough[2]!, enough.join());
});

Deno.test("at worst is never better than the model, longer deadtimes never worse until one is enough", () => {
  const { choices, recommended } = advise([path(losing(0.2, 3_000, new Prng(1)))], wishes)!;
  const enough = choices.indexOf(recommended!);
  assert.ok(enough > 0);
  for (const [index, choice] of choices.entries()) {
    assert.ok(choice.atWorstEveryMs <= choice.falseAlarmEveryMs);
    const before = choices[index - 1];
    if (before !== undefined && index <= enough) assert.ok(choice.atWorstEveryMs >= before.atWorstEveryMs);
  }
});

Deno.test("silences as long as a deadtime are counted, and such a deadtime is not recommended", () => {
  const arrivals = new Array<boolean>(6_000).fill(true).map((_, index) => index % 3_000 < 2_980);
  const advice = advise([path(arrivals)], { ...wishes, judged: { keepaliveMs: 200, deadTimeMs: 2_000 } })!;
  assert.equal(advice.judged!.seen, 2);
  assert.ok(advice.recommended === null || advice.recommended.deadTimeMs > 2_000);
});

Deno.test("a second link makes the deadtime cheap, unless both fail together", () => {
  const random = new Prng(2);
  const one = losing(0.1, 4_000, random);
  const apart = advise([path(one), path(losing(0.1, 4_000, random))], wishes)!;
  assert.equal(apart.joint?.isDependent, false);
  const together = advise([path(one), path(one)], wishes)!;
  assert.equal(together.joint?.isDependent, true);
  const alone = advise([path(one)], wishes)!;
  const at = (advice: typeof alone, deadTimeMs: number) =>
    advice.choices.find((choice) => choice.deadTimeMs === deadTimeMs)!.falseAlarmEveryMs;
  assert.equal(at(together, 500), at(alone, 500));
  assert.ok(at(apart, 500) > 100 * at(alone, 500));
});

Deno.test("delays that vary as much as the deadtime leave it nothing, whatever is lost", () => {
  const advice = advise([path(new Array<boolean>(1_000).fill(true), 600)], wishes)!;
  const [half, one] = advice.choices;
  assert.deepEqual([half!.deadTimeMs, half!.misses, half!.atWorstEveryMs], [500, 0, 0]);
  assert.equal(one!.misses, 4);
});

Deno.test("a wish for the keepalive is kept, and deadtimes that it is too long for are left out", () => {
  const advice = advise([path(new Array<boolean>(1_000).fill(true))], { ...wishes, keepaliveMs: 1_000 })!;
  assert.ok(
    advice.choices.every(({ keepaliveMs, deadTimeMs }) => keepaliveMs === 1_000 && deadTimeMs > 2_000),
  );
});

Deno.test("no path carries: nothing is priced", () => {
  assert.equal(advise([path(new Array<boolean>(10).fill(false))], wishes), null);
});
