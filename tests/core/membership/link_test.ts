/** What refreshes a link, and what state it is in. */

import assert from "node:assert/strict";
import { Link } from "../../../lib/core/membership/link.ts";
import { at } from "../samples.ts";

Deno.test("a link is refreshed only by news of this link", () => {
  const link = new Link("hb0");
  // now, generation, sequence, is news, heardAt afterwards
  const steps = [
    [100, 5, 3, true, 100],
    [200, 5, 3, false, 100],
    [210, 5, 2, false, 100],
    [220, 4, 900, false, 100],
    [300, 5, 4, true, 300],
    [400, 6, 1, true, 400],
    [500, 5, 900, false, 400],
    [600, 6, 1, false, 400],
    [700, 6, 2, true, 700],
  ] as const;
  for (const [now, generation, sequence, isNews, heardAt] of steps) {
    assert.equal(link.hear(at(now), generation, sequence), isNews, `at ${now}`);
    assert.equal(link.heardAt, heardAt, `at ${now}`);
  }
  assert.deepEqual([link.received, link.copies, link.lost], [4, 5, 0]);
});

Deno.test("what a link missed within a run is counted, what it missed around a restart is not", () => {
  const link = new Link("hb0");
  link.hear(at(1), 5, 10);
  assert.equal(link.lost, 0, "numbers before the first one are not known to be lost");
  link.hear(at(2), 5, 14);
  assert.equal(link.lost, 3);
  link.hear(at(3), 6, 50);
  assert.equal(link.lost, 3);
});

Deno.test("a link lives from its news until a dead time later, exclusively", () => {
  const link = new Link("hb0");
  assert.equal(link.isAlive(at(0), 1_000), false);
  link.hear(at(100), 5, 1);
  assert.equal(link.isAlive(at(1_099), 1_000), true);
  assert.equal(link.isAlive(at(1_100), 1_000), false);
});

// A peer in view since 1000, a dead time of 1000, a warntime of 500.
const states = [
  // heardAt, now, heard by the peer, state
  [null, 1_000, true, "never"],
  [null, 1_999, true, "never"],
  [null, 2_000, true, "dead"],
  [900, 1_999, true, "never"],
  [900, 2_000, true, "dead"],
  [1_000, 1_000, true, "up"],
  [1_500, 1_999, true, "up"],
  [1_500, 2_000, true, "late"],
  [1_500, 2_499, true, "late"],
  [1_500, 2_500, true, "dead"],
  [1_500, 1_600, false, "one-way"],
  [1_500, 2_499, false, "one-way"],
  [1_500, 2_500, false, "dead"],
  [null, 1_500, false, "never"],
] as const;

for (const [heardAt, now, isHeard, state] of states) {
  const heard = heardAt === null ? "never heard" : `heard at ${heardAt}`;
  const back = isHeard ? "and heard by the peer" : "and not heard by the peer";
  Deno.test(`a link ${heard} ${back} is ${state} at ${now}`, () => {
    const link = new Link("hb0");
    if (heardAt !== null) link.hear(at(heardAt), 5, 1);
    assert.equal(link.state(at(now), at(1_000), 1_000, 500, isHeard), state);
  });
}

Deno.test("the death of a link counts from its last news, but not from before the peer came into view", () => {
  const link = new Link("hb0");
  assert.equal(link.deathAt(at(1_000), 1_000), 2_000);
  link.hear(at(400), 5, 1);
  assert.equal(link.deathAt(at(1_000), 1_000), 2_000);
  link.hear(at(1_700), 5, 2);
  assert.equal(link.deathAt(at(1_000), 1_000), 2_700);
});
