import assert from "node:assert/strict";
import { type FarReport, Series } from "../../lib/measure/series.ts";

function far(number: number, heard: readonly number[]): FarReport {
  return {
    heard: (asked) => number - asked < 128 ? heard.includes(asked) : null,
    heardAtMs: 1_000 + number,
    copies: 0,
    reordered: 0,
    unanswered: 0,
  };
}

function sent(count: number): Series {
  const series = new Series(10, 100);
  for (let number = 0; number < count; number++) assert.equal(series.sent(10 * number), number);
  return series;
}

Deno.test("an answer tells which earlier questions were heard: the directions come apart", () => {
  const series = sent(6);
  series.answered({ number: 0, atMs: 5, far: far(0, [0]) });
  series.answered({ number: 4, atMs: 45, far: far(4, [0, 2, 3, 4]) });
  const { roundTrip, outward, homeward } = series.outcome(1_000);
  assert.deepEqual(roundTrip, [true, false, false, false, true, false]);
  assert.deepEqual(outward, [true, false, true, true, true, null]);
  assert.deepEqual(homeward, [true, null, false, false, true, null]);
});

Deno.test("an answer that was overtaken does not undo what a later one told", () => {
  const series = sent(3);
  series.answered({ number: 2, atMs: 25, far: far(2, [1, 2]) });
  series.answered({ number: 0, atMs: 30, far: far(0, [0]) });
  const outcome = series.outcome(1_000);
  assert.deepEqual([outcome.outward, outcome.reordered], [[true, true, true], 1]);
});

Deno.test("what is still within its patience is not decided, and what comes after it is late and lost", () => {
  const series = sent(3);
  assert.deepEqual(series.outcome(115).roundTrip, [false, false]);
  series.answered({ number: 1, atMs: 111, far: null });
  series.answered({ number: 0, atMs: 112, far: null });
  series.answered({ number: 1, atMs: 113, far: null });
  const outcome = series.outcome(1_000);
  assert.deepEqual(outcome.roundTrip, [false, false, false]);
  assert.deepEqual([outcome.late, outcome.copies, outcome.outward], [3, 0, null]);
});

Deno.test("an answer that comes twice is counted, one to a question that was never put is not", () => {
  const series = sent(1);
  for (let times = 0; times < 3; times++) series.answered({ number: 0, atMs: 4, far: null });
  series.answered({ number: 7, atMs: 4, far: null });
  const outcome = series.outcome(1_000);
  assert.deepEqual([outcome.copies, outcome.roundTripsMs], [2, [4]]);
});
