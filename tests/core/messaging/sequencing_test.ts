/** Which numbers are news, and that none is news twice. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { missingSequencesMax, sequenceGapMax } from "../../../lib/core/limits.ts";
import { isAccepted, SequenceTracker, type SequenceVerdict } from "../../../lib/core/messaging/sequencing.ts";

type Step = readonly [generation: number, sequence: number, verdict: SequenceVerdict];

const cases: readonly (readonly [name: string, steps: readonly Step[]])[] = [
  ["the first message is new, whatever its number", [[5, 700, "new"]]],
  ["the next number is new", [[5, 1, "new"], [5, 2, "new"], [5, 3, "new"]]],
  ["the same number again is a copy", [[5, 1, "new"], [5, 1, "copy"], [5, 2, "new"], [5, 2, "copy"]]],
  ["numbers before the first one heard are copies", [[5, 10, "new"], [5, 9, "copy"], [5, 1, "copy"]]],
  ["a gap is closed late, each number once", [
    [5, 1, "new"],
    [5, 4, "new"],
    [5, 3, "late"],
    [5, 3, "copy"],
    [5, 2, "late"],
    [5, 2, "copy"],
  ]],
  ["a gap at the limit is remembered", [
    [5, 1, "new"],
    [5, 2 + sequenceGapMax, "new"],
    [5, 2, "late"],
    [5, 1 + sequenceGapMax, "late"],
  ]],
  ["what fell into a gap over the limit is refused when it comes late", [
    [5, 1, "new"],
    [5, 3 + sequenceGapMax, "new"],
    [5, 2, "copy"],
    [5, 2 + sequenceGapMax, "copy"],
    [5, 4 + sequenceGapMax, "new"],
  ]],
  ["a gap over the limit makes earlier gaps forgotten too", [
    [5, 1, "new"],
    [5, 3, "new"],
    [5, 4 + sequenceGapMax + 1, "new"],
    [5, 2, "copy"],
  ]],
  ["a later generation is a restart, whatever its number", [[5, 9, "new"], [6, 1, "restart"], [6, 2, "new"]]],
  ["after a restart the numbers of the earlier run mean nothing", [
    [5, 1, "new"],
    [5, 5, "new"],
    [6, 9, "restart"],
    [6, 3, "copy"],
  ]],
  ["an earlier generation is old, whatever its number, also after a leap of generations", [
    [5, 1, "new"],
    [9, 1, "restart"],
    [8, 1, "old-generation"],
    [5, 2, "old-generation"],
    [0, 1_000_000, "old-generation"],
    [9, 2, "new"],
  ]],
];

for (const [name, steps] of cases) {
  Deno.test(name, () => {
    const tracker = new SequenceTracker();
    for (const [generation, sequence, verdict] of steps) {
      assert.equal(tracker.judge(generation, sequence), verdict, `${generation}/${sequence}`);
    }
  });
}

Deno.test("what closes a gap after it was asked for is told apart from what is only late", () => {
  const tracker = new SequenceTracker();
  tracker.judge(5, 1);
  tracker.judge(5, 4);
  tracker.noteAsked(2);
  assert.deepEqual([tracker.judge(5, 2), tracker.judge(5, 3)], ["resent", "late"]);
});

Deno.test("up to the lowest missing number everything is there, and what is given up is missing no more", () => {
  const tracker = new SequenceTracker();
  assert.equal(tracker.contiguous, 0);
  for (const sequence of [7, 8, 10, 13]) tracker.judge(5, sequence);
  assert.deepEqual([tracker.first, tracker.contiguous], [7, 8]);
  tracker.judge(5, 9);
  assert.equal(tracker.contiguous, 10);
  assert.deepEqual([tracker.giveUp(11), tracker.giveUp(11)], [true, false]);
  assert.equal(tracker.contiguous, 11);
  assert.equal(tracker.judge(5, 11), "copy", "given up for good");
  tracker.judge(5, 12);
  assert.equal(tracker.contiguous, 13);
});

Deno.test("known generation and highest number follow what was accepted", () => {
  const tracker = new SequenceTracker();
  assert.deepEqual([tracker.generation, tracker.last], [null, 0]);
  tracker.judge(5, 4);
  tracker.judge(5, 9);
  tracker.judge(5, 7);
  assert.deepEqual([tracker.generation, tracker.last], [5, 9]);
  tracker.judge(7, 2);
  tracker.judge(5, 100);
  assert.deepEqual([tracker.generation, tracker.last], [7, 2]);
});

Deno.test("lost messages are counted until they come, and those of a gap over the limit for good", () => {
  const tracker = new SequenceTracker();
  tracker.judge(5, 1);
  tracker.judge(5, 5);
  assert.equal(tracker.lost, 3);
  tracker.judge(5, 3);
  tracker.judge(5, 3);
  assert.equal(tracker.lost, 2);
  tracker.judge(5, 1_006);
  assert.equal(tracker.lost, 1_002);
  tracker.judge(5, 500);
  assert.equal(tracker.lost, 1_002);
});

Deno.test("of many gaps only the newest numbers are remembered, as many as the bound says", () => {
  const tracker = new SequenceTracker();
  const jumps = 20;
  for (let n = 0; n <= jumps; n++) tracker.judge(5, 1 + n * 100);
  const accepted: number[] = [];
  for (let sequence = 1; sequence <= 1 + jumps * 100; sequence++) {
    if (isAccepted(tracker.judge(5, sequence))) accepted.push(sequence);
  }
  assert.equal(accepted.length, missingSequencesMax);
  assert.equal(accepted[0], 1 + jumps * 100 - missingSequencesMax - Math.floor(missingSequencesMax / 99));
});

Deno.test("no number of a generation is ever accepted twice, and no generation returns, in any order", () => {
  const pair = fc.tuple(
    fc.integer({ min: 1, max: 4 }),
    fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 900 })),
  );
  fc.assert(
    fc.property(fc.array(pair, { minLength: 1, maxLength: 300 }), (pairs) => {
      const tracker = new SequenceTracker();
      const accepted = new Set<string>();
      let highest = 0;
      for (const [generation, sequence] of pairs) {
        const verdict = tracker.judge(generation, sequence);
        if (!isAccepted(verdict)) {
          assert.equal(verdict === "old-generation", generation < highest);
          continue;
        }
        assert.ok(generation >= highest, `generation ${generation} came back`);
        assert.equal(verdict === "restart", highest > 0 && generation > highest);
        highest = generation;
        const key = `${generation}/${sequence}`;
        assert.ok(!accepted.has(key), `${key} was accepted twice`);
        accepted.add(key);
      }
    }),
    { numRuns: 1_000 },
  );
});
