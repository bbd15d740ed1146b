import assert from "node:assert/strict";
import {
  between,
  describeTimeline,
  heldByMs,
  type HolderTimeline,
  longestGapMs,
  overlapMs,
  soleHolderAtMs,
} from "../../scripts/lab/timeline.ts";

/** 100 ms nobody, 200 ms node1, 30 ms both, 70 ms node2, 50 ms nobody, 50 ms node2. */
const timeline: HolderTimeline = {
  fromMs: 1000,
  toMs: 1500,
  changes: [
    { atMs: 1000, holders: [] },
    { atMs: 1100, holders: ["node1"] },
    { atMs: 1300, holders: ["node1", "node2"] },
    { atMs: 1330, holders: ["node2"] },
    { atMs: 1400, holders: [] },
    { atMs: 1450, holders: ["node2"] },
  ],
  samples: 100,
  samplingGapMaxMs: 6,
};

Deno.test("times with no, one and two holders add up to the whole", () => {
  assert.deepEqual([0, 1, 2].map((count) => heldByMs(timeline, count)), [150, 320, 30]);
});

Deno.test("the overlap is the time with more than one holder", () => {
  assert.equal(overlapMs(timeline), 30);
});

Deno.test("the longest gap is one stretch, not the sum", () => {
  assert.equal(longestGapMs(timeline), 100);
});

Deno.test("the sole holder is found from an instant on", () => {
  assert.equal(soleHolderAtMs(timeline, "node2"), 1330);
  assert.equal(soleHolderAtMs(timeline, "node2", 1380), 1380);
  assert.equal(soleHolderAtMs(timeline, "node2", 1410), 1450);
  assert.equal(soleHolderAtMs(timeline, "node1", 1340), null);
});

Deno.test("a window keeps what was so at its begin", () => {
  const part = between(timeline, 1200, 1310);
  assert.deepEqual(part.changes, [
    { atMs: 1200, holders: ["node1"] },
    { atMs: 1300, holders: ["node1", "node2"] },
  ]);
  assert.equal(overlapMs(part), 10);
  assert.equal(heldByMs(part, 1), 100);
});

Deno.test("the account puts events between the changes of holder", () => {
  const lines = describeTimeline(timeline, [{ atMs: 1290, what: "power off node1" }]).split("\n");
  assert.match(lines[2] ?? "", /290\.0 ms {2}-- power off node1/);
  assert.match(lines[3] ?? "", /300\.0 ms {2}held by node1 AND node2/);
});
