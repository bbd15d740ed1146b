/** Every row of the table at the head of `exclusion.ts`. */

import assert from "node:assert/strict";
import { type ExclusionFacts, judgeExclusion } from "../../../lib/core/ownership/exclusion.ts";
import { Peer } from "../../../lib/core/membership/peer.ts";
import { clusterSettings } from "../../../lib/sim/cluster_settings.ts";
import type { GroupState } from "../../../lib/wire/statement.ts";
import { at, groupStatement, statement } from "../helpers.ts";

const settings = clusterSettings({
  nodes: ["a", "b", "c"],
  links: 1,
  timing: { keepaliveMs: 200, deadTimeMs: 1_000 },
  groups: [{ name: "g", resources: [{ leaseSeconds: 2 }], waitForLease: true }],
});
const group = settings.groups[0]!;

function peer(node: string, state: GroupState, change: (peer: Peer) => void = () => {}): Peer {
  const made = new Peer(node, ["hb0"], settings.timing);
  made.isInView = true;
  made.heardAt = at(10_000);
  made.statement = statement({ groups: { g: groupStatement({ state, leaseSeconds: 2 }) } });
  change(made);
  return made;
}

const lost = (state: GroupState) => peer("b", state, (each) => each.isInView = false);
const facts = {
  now: at(20_000),
  isWireSilent: true,
  hasAddress: true,
  isArbiterReachable: null,
  isConfirmed: false,
  canFence: () => false,
  isRebooted: false,
  isVouched: () => false,
};
const canFence = (node: string) => node === "b";
const fenced = (state: GroupState) =>
  peer("b", state, (each) => (each.isInView = false, each.isFenced = true));

const cases: readonly (readonly [string, readonly Peer[], Partial<ExclusionFacts>, boolean])[] = [
  ["in view, stopped", [peer("b", "stopped")], {}, true],
  ...(["unknown", "starting", "running", "stopping", "blocked"] as const).map((state) =>
    [`in view, ${state}`, [peer("b", state)], {}, false] as const
  ),
  ["in view, another dialect", [peer("b", "stopped", (each) => each.statement = null)], {}, false],
  ["said goodbye", [peer("b", "running", (each) => (each.isInView = false, each.hasLeft = true))], {}, true],
  ["out of view, fenced", [fenced("running")], { canFence }, true],
  [
    "out of view, fenced, but somebody answers",
    [fenced("running")],
    { canFence, isWireSilent: false },
    false,
  ],
  ["out of view, fenced, last heard blocked", [fenced("blocked")], { canFence }, true],
  ["out of view, to be fenced", [lost("running")], { canFence }, false],
  [
    "out of view, to be fenced, a person vouches",
    [lost("running")],
    { canFence, isVouched: () => true },
    true,
  ],
  ["out of view, to be fenced, a person only allows it", [lost("running")], {
    canFence,
    isConfirmed: true,
  }, false],
  ["out of view, a person vouches, but somebody answers", [lost("running")], {
    canFence,
    isVouched: () => true,
    isWireSilent: false,
  }, false],
  [
    "one fenced, another out of view, which no device covers: by the wire",
    [
      fenced("running"),
      peer("c", "stopped", (each) => each.isInView = false),
    ],
    { canFence },
    true,
  ],
  ["out of view, wire silent, lease over", [lost("running")], {}, true],
  ["out of view, somebody answers", [lost("running")], { isWireSilent: false }, false],
  ["out of view, its lease still runs", [lost("running")], { now: at(12_299) }, false],
  ["out of view, its lease has just run out", [lost("running")], { now: at(12_300) }, true],
  ["out of view, held nothing: no lease to wait for", [lost("stopped")], { now: at(11_000) }, true],
  ["out of view, last heard blocked", [lost("blocked")], {}, false],
  ["out of view, last heard blocked, confirmed to be off", [lost("blocked")], { isConfirmed: true }, true],
  ["out of view, no arbiter answers us", [lost("running")], { isArbiterReachable: false }, false],
  ["out of view, an arbiter answers us", [lost("running")], { isArbiterReachable: true }, true],
  ["out of view, the arbiter answers us but the wire too", [lost("running")], {
    isArbiterReachable: true,
    isWireSilent: false,
  }, false],
  [
    "out of view, a third node hears it",
    [
      lost("running"),
      peer(
        "c",
        "stopped",
        (each) => each.statement = statement({ hears: { b: { generation: 1, sequence: 1, on: [0] } } }),
      ),
    ],
    {},
    false,
  ],
];

const hears = (node: string, on: readonly number[]) =>
  statement({ hears: { [node]: { generation: 1, sequence: 1, on } } });

const more: typeof cases = [
  ["last heard blocked, confirmed, but somebody answers", [lost("blocked")], {
    isConfirmed: true,
    isWireSilent: false,
  }, false],
  ["a confirmation does not replace the silence of the wire", [lost("running")], {
    isConfirmed: true,
    isWireSilent: false,
  }, false],
  ["a node outside the group's list may say what it likes", [peer("z", "running")], {}, true],
  [
    "a third node hears it on no link any more",
    [
      lost("running"),
      peer("c", "stopped", (each) => each.statement = hears("b", [])),
    ],
    {},
    true,
  ],
  [
    "a third node heard it, but is out of view itself",
    [
      lost("running"),
      peer("c", "stopped", (each) => (each.isInView = false, each.statement = hears("b", [0]))),
    ],
    {},
    true,
  ],
  [
    "one is out of view and excluded, the other in view and holds",
    [
      lost("running"),
      peer("c", "running"),
    ],
    {},
    false,
  ],
  [
    "of two leases the later one counts",
    [
      lost("running"),
      peer("c", "running", (each) => (each.isInView = false, each.heardAt = at(15_000))),
    ],
    { now: at(17_299) },
    false,
  ],
  ["without an address: by time alone", [lost("running")], { hasAddress: false, isWireSilent: false }, true],
  ["without an address, no arbiter answers us", [lost("running")], {
    hasAddress: false,
    isArbiterReachable: false,
  }, false],
];

Deno.test("a start without protection says so, and every other does not", () => {
  const unprotected = judgeExclusion(group, { ...facts, peers: [lost("running")], hasAddress: false });
  assert.deepEqual([unprotected.isUnprotected, unprotected.isTakeover], [true, true]);
  const protectedOnes = [[peer("b", "stopped")], [lost("running")]];
  for (const peers of protectedOnes) {
    assert.equal(judgeExclusion(group, { ...facts, peers }).isUnprotected, false);
  }
});

Deno.test("fencing is asked for only when nothing else is missing, and for covered nodes only", () => {
  const c = peer("c", "stopped", (each) => each.isInView = false);
  const toFence = (part: Partial<ExclusionFacts>, ...peers: Peer[]) =>
    judgeExclusion(group, { ...facts, canFence, peers, ...part }).toFence;
  assert.deepEqual(toFence({}, lost("running"), c), ["b"]);
  assert.deepEqual(toFence({}, lost("blocked")), ["b"], "a device replaces the person");
  assert.deepEqual(toFence({ isWireSilent: false }, lost("running")), []);
  assert.deepEqual(toFence({ now: at(12_299) }, lost("running")), [], "its lease still runs");
  assert.deepEqual(toFence({ isArbiterReachable: false }, lost("running")), []);
  assert.deepEqual(toFence({}, fenced("running")), []);
  assert.deepEqual(toFence({}, c), []);
  const witness = peer("c", "stopped", (each) => each.statement = hears("b", [0]));
  assert.deepEqual(toFence({}, lost("running"), witness), []);
});

Deno.test("a node that may itself have been fenced and rebooted fences nobody whom it has never heard", () => {
  const unheard = peer("b", "unknown", (each) => (each.isInView = false, each.heardAt = null));
  const judge = (part: Partial<ExclusionFacts>, other = unheard) => {
    const { toFence, needsPerson, isClear } = judgeExclusion(group, {
      ...facts,
      canFence,
      isRebooted: true,
      peers: [other],
      ...part,
    });
    return [toFence.join(), needsPerson, isClear];
  };
  assert.deepEqual(judge({}), ["", true, false]);
  assert.deepEqual(judge({}, lost("running")), ["b", false, false], "it was heard");
  assert.deepEqual(judge({ isConfirmed: true }), ["b", false, false], "still fenced, to be sure");
  assert.deepEqual(judge({ isArbiterReachable: true }), ["b", false, false]);
  assert.deepEqual(judge({ isRebooted: false }), ["b", false, false], "who is off comes back by hand only");
});

Deno.test("a group without an address is protected by fencing, and only by that", () => {
  const isUnprotected = (part: Partial<ExclusionFacts>, ...peers: Peer[]) =>
    judgeExclusion(group, { ...facts, hasAddress: false, canFence, peers, ...part }).isUnprotected;
  const c = peer("c", "stopped", (each) => each.isInView = false);
  assert.equal(isUnprotected({}, fenced("running")), false);
  assert.equal(isUnprotected({ isVouched: () => true }, lost("running")), false);
  assert.equal(isUnprotected({}, fenced("running"), c), true);
});

Deno.test("it is a takeover exactly when a node has to be excluded", () => {
  const isTakeover = (...peers: Peer[]) => judgeExclusion(group, { ...facts, peers }).isTakeover;
  assert.equal(isTakeover(peer("b", "stopped")), false);
  assert.equal(
    isTakeover(peer("b", "stopped", (each) => (each.isInView = false, each.hasLeft = true))),
    false,
  );
  assert.equal(isTakeover(lost("stopped")), true);
  assert.equal(isTakeover(fenced("running")), true);
});

Deno.test("only a running lease is waited for by the clock, and only a blocked loss by a person", () => {
  const judged = (now: number, state: GroupState) =>
    judgeExclusion(group, { ...facts, now: at(now), peers: [lost(state)] });
  assert.equal(judged(11_000, "running").retryAt, 12_300);
  assert.equal(judged(20_000, "running").retryAt, null);
  assert.deepEqual([judged(20_000, "blocked").needsPerson, judged(20_000, "running").needsPerson], [
    true,
    false,
  ]);
});

for (const [name, peers, part, isClear] of [...cases, ...more]) {
  Deno.test(`exclusion: ${name}: ${isClear ? "clear" : "wait"}`, () => {
    const exclusion = judgeExclusion(group, { ...facts, peers, ...part });
    assert.equal(exclusion.isClear, isClear, exclusion.why);
  });
}

const scriptFirst = clusterSettings({
  nodes: ["a", "b", "c"],
  links: 1,
  timing: { keepaliveMs: 200, deadTimeMs: 1_000 },
  groups: [{ name: "g", resources: ["script", { leaseSeconds: 2 }] }],
}).groups[0]!;
const [script] = scriptFirst.resources;
const limitsMs = script!.startLimitMs + script!.stopLimitMs;

for (const state of ["starting", "stopping", "unknown", "running", "stopped"] as const) {
  const waits = !["running", "stopped"].includes(state);
  Deno.test(`exclusion: lost while ${state}, a script stands left of the address: ${waits ? "wait" : "clear"}`, () => {
    const judge = (now: number, isConfirmed = false) =>
      judgeExclusion(scriptFirst, { ...facts, now: at(now), isConfirmed, peers: [lost(state)] });
    assert.equal(judge(10_000 + limitsMs / 2).isClear, !waits);
    assert.equal(judge(10_000 + limitsMs / 2, true).isClear, true, "confirmed");
    assert.equal(judge(10_000 + limitsMs - 1).isClear, !waits, "just before the limits are over");
    assert.equal(judge(10_000 + limitsMs).isClear, true, "the limits are over");
  });
}
