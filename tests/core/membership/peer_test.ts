/** What is known of one peer. */

import assert from "node:assert/strict";
import { deadTimeMsMax } from "../../../lib/core/limits.ts";
import { Peer } from "../../../lib/core/membership/peer.ts";
import { at, hears, statement, stopped, timing } from "../samples.ts";

function peerInView(heardAt = 1_000): Peer {
  const peer = new Peer("n2", ["hb0", "hb1"], timing);
  peer.isInView = true;
  peer.heardAt = at(heardAt);
  peer.statement = statement();
  return peer;
}

for (
  const [asked, adopted] of [
    [300, 300],
    [1, 1],
    [deadTimeMsMax, deadTimeMsMax],
    [deadTimeMsMax + 1, timing.deadTimeMs],
    [0, timing.deadTimeMs],
    [-5, timing.deadTimeMs],
    [NaN, timing.deadTimeMs],
    [Infinity, timing.deadTimeMs],
  ] as const
) {
  Deno.test(`a peer that asks for a dead time of ${asked} ms gets ${adopted} ms`, () => {
    const peer = peerInView();
    peer.adoptDeadTime(asked);
    assert.equal(peer.deadTimeMs, adopted);
    assert.equal(peer.deathAt(), 1_000 + adopted);
  });
}

Deno.test("who is not in view has no death to come and is no suspect", () => {
  const peer = peerInView();
  peer.isInView = false;
  assert.equal(peer.deathAt(), null);
  assert.equal(peer.isSuspect(at(1e9), 300), false);
});

Deno.test("a peer is a suspect from the lead before its death on", () => {
  const peer = peerInView();
  assert.equal(peer.isSuspect(at(1_699), 300), false);
  assert.equal(peer.isSuspect(at(1_700), 300), true);
});

Deno.test("fresh is who is in view, speaks our dialect and has heard that message of ours or a later one", () => {
  const peer = peerInView();
  peer.echoedSequence = 7;
  assert.deepEqual([6, 7, 8].map((sequence) => peer.isFresh(sequence)), [true, true, false]);
  peer.statement = null;
  assert.equal(peer.isFresh(1), false);
  assert.equal(peer.isForeign, true);
  peer.statement = statement();
  peer.isInView = false;
  assert.equal(peer.isFresh(1), false);
  assert.equal(peer.isForeign, false);
});

Deno.test("contact counts from when we sent what was echoed, and ends with the window or the view", () => {
  const peer = peerInView(5_000);
  assert.equal(peer.hasContact(at(5_000), 900), false, "heard, but it has echoed nothing");
  peer.echoedAt = at(4_500);
  assert.equal(peer.hasContact(at(5_399), 900), true);
  assert.equal(peer.hasContact(at(5_400), 900), false);
  peer.isInView = false;
  assert.equal(peer.hasContact(at(5_000), 900), false);
});

Deno.test("a group of which a peer says nothing is stopped there and cannot be placed there", () => {
  const peer = peerInView();
  assert.deepEqual(peer.group("web"), stopped);
  for (const unknown of ["mail", "toString", "__proto__"]) {
    peer.statement = statement({ groups: Object.assign(Object.create(null), { web: stopped }) });
    assert.equal(peer.group(unknown).state, "stopped");
    assert.equal(peer.group(unknown).able, false);
  }
  peer.statement = null;
  assert.equal(peer.group("web").able, false);
});

const ourLinks = [
  ["by name, whatever the order", ["hb1", "hb0"], [0], "hb1", 1, true],
  ["by name, not heard there", ["hb1", "hb0"], [0], "hb0", 0, false],
  ["by number, where it has no such name", ["eth0", "eth1"], [1], "hb1", 1, true],
  ["by number, not heard there", ["eth0", "eth1"], [1], "hb0", 0, false],
] as const;

for (const [name, theirs, on, medium, index, isHeard] of ourLinks) {
  Deno.test(`the paths of two nodes are matched ${name}`, () => {
    const peer = peerInView();
    const media = theirs.map((each) => ({ name: each, address: null }));
    peer.statement = statement({ media, hears: hears("n1", 1, 1, on) });
    assert.equal(peer.hearsUsOn("n1", medium, index), isHeard);
  });
}

Deno.test("who does not state us hears us on no link; of a Heartbeat daemon nothing is known against it", () => {
  const peer = peerInView();
  assert.equal(peer.hearsUsOn("n1", "hb0", 0), false);
  peer.statement = null;
  assert.equal(peer.hearsUsOn("n1", "hb0", 0), true);
});
