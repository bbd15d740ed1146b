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

Deno.test("what comes late by itself was not lost, what comes on request was; what comes twice is a copy", () => {
  const link = new Link("hb0");
  const hear = (sequence: number, isResent = false) => link.hear(at(1), 5, sequence, isResent);
  for (const sequence of [1, 2, 6]) hear(sequence);
  assert.deepEqual([hear(4), hear(3, true), hear(3, true), hear(6)], [false, false, false, false]);
  const { received, lost, reordered, retransmitted, copies } = link;
  assert.deepEqual([received, lost, reordered, retransmitted, copies], [5, 2, 1, 1, 2]);
});

Deno.test("a leap of the numbers is counted and not remembered", () => {
  const link = new Link("hb0");
  for (const sequence of [1, 1_000, 999]) link.hear(at(1), 5, sequence);
  assert.deepEqual([link.lost, link.reordered, link.copies], [998, 0, 1]);
});

Deno.test("jitter is that of RFC 3550, from the times that the sender tells, and starts anew with it", () => {
  const { timing } = new Link("hb0");
  timing.hearBeat(at(1_000), 1, 0);
  assert.equal(timing.jitterMs, null, "one heartbeat tells nothing");
  timing.hearBeat(at(1_200), 2, 200);
  assert.equal(timing.jitterMs, 0);
  timing.hearBeat(at(1_416), 3, 400);
  assert.equal(timing.jitterMs, 1);
  timing.restart();
  timing.hearBeat(at(9_000), 1, 0);
  timing.hearBeat(at(9_200), 2, 200);
  assert.equal(timing.jitterMs, 1 - 1 / 16, "a restart of the sender is no jump of the path");
  timing.hearBeat(at(9_999), 3, undefined);
  assert.equal(timing.jitterMs, 1 - 1 / 16, "a Heartbeat daemon does not tell");
});

Deno.test("round trip: from the sending of what was echoed, less the time that the peer kept it", () => {
  const { timing } = new Link("hb0");
  timing.hearEcho(at(1_150), 7, at(1_000), 130);
  assert.equal(timing.roundTripMs, 20);
  timing.hearEcho(at(1_350), 7, at(1_000), 330);
  timing.hearEcho(at(1_400), 8, at(1_300), 72);
  assert.equal(timing.roundTripMs, 21, "smoothed by an eighth, each echo once");
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
