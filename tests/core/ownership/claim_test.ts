/** What a claim waits for before a start, in which order, and what it asks of the wire. */

import assert from "node:assert/strict";
import type { WireVerdict } from "../../../lib/core/inputs.ts";
import { cutOffSilenceMs, leaseSlackMs, wireWindowMs } from "../../../lib/core/limits.ts";
import { Peer } from "../../../lib/core/membership/peer.ts";
import { Claim } from "../../../lib/core/ownership/claim.ts";
import { Directives } from "../../../lib/core/ownership/directives.ts";
import { Fencing } from "../../../lib/core/ownership/fencing.ts";
import type { Surroundings } from "../../../lib/core/ownership/surroundings.ts";
import type { GroupOutline } from "../../../lib/sim/cluster_settings.ts";
import { at, contextAt, lastId, reports, settings, statement, stopped, timing } from "../samples.ts";

const windowMs = wireWindowMs(timing.deadTimeMs);
const ownSequence = 50;
const vip = { name: "web", resources: [{ leaseSeconds: 1 }] };

/** A claim of n1 on `web` with the peers n2 and n3, who heard it unless a case says otherwise. */
function scene(outline: Partial<GroupOutline> = {}, more: Parameters<typeof settings>[0] = {}) {
  const all = settings({ groups: [{ ...vip, ...outline }], ...more });
  const context = contextAt(10_000);
  const claim = new Claim(all.groups[0]!);
  const peers = ["n2", "n3"].map((node) => {
    const peer = new Peer(node, ["hb0"], timing);
    Object.assign(peer, {
      isInView: true,
      heardAt: at(10_000),
      echoedAt: at(10_000),
      echoedSequence: ownSequence,
      statement: statement(),
    });
    return peer;
  });
  const surroundings: Surroundings = {
    now: at(10_000),
    self: "n1",
    settings: all,
    peers,
    phase: "settled",
    settledForMs: 60_000,
    directives: new Directives([]),
    isMaintenance: false,
    isIsolated: false,
    mayKeep: true,
    mayRenew: () => true,
    isArbiterReachable: null,
    nextSequence: ownSequence,
    fencing: new Fencing(null, [], timing),
    isCoordinator: true,
  };
  const pursueAt = (ms: number, changes: Partial<Surroundings> = {}, isPlaced = true) => {
    context.now = at(ms);
    const { missing } = claim.pursue(context, { ...surroundings, ...changes }, isPlaced);
    return { missing, effects: context.takeEffects() };
  };
  /** Pursues; the wire answers each question after its window, until nothing is missing or the time is over. */
  const pursueUntil = (untilMs: number, verdict: WireVerdict = { kind: "silent" }) => {
    for (let ms = 10_000; ms <= untilMs; ms++) {
      const { missing, effects } = pursueAt(ms);
      if (missing === null) return { missing, atMs: ms };
      if (effects.some(({ kind }) => kind === "ask-wire")) {
        const id = lastId(effects);
        pending.push({ atMs: ms + windowMs, id });
      }
      for (const each of pending.filter(({ atMs }) => atMs === ms)) claim.wire.hear(each.id, verdict, at(ms));
    }
    return { missing: pursueAt(untilMs).missing, atMs: untilMs };
  };
  const pending: { atMs: number; id: ReturnType<typeof lastId> }[] = [];
  return { claim, context, peers, pursueAt, pursueUntil };
}

function lose(peer: Peer): void {
  peer.isInView = false;
  peer.heardAt = at(9_000);
}

Deno.test("with all others in view nothing is missing once they have heard the claim and the address is free", () => {
  const { claim, peers, pursueAt, pursueUntil } = scene({ duplicateCheckMs: 0 });
  peers[1]!.echoedSequence = ownSequence - 1;
  assert.equal(claim.isMade, false);
  assert.equal(pursueAt(10_000).missing, "waiting until n3 has heard our claim");
  assert.equal(claim.isMade, true);
  assert.equal(pursueAt(10_100, { nextSequence: 99 }).missing, "waiting until n3 has heard our claim");
  peers[1]!.echoedSequence = ownSequence;
  assert.deepEqual(pursueUntil(10_000), { missing: null, atMs: 10_000 });
});

Deno.test("the address is asked for first, for as long as the duplicate check says", () => {
  const { pursueUntil } = scene({ duplicateCheckMs: 100 });
  const { missing, atMs } = pursueUntil(10_500);
  assert.equal(missing, null);
  assert.ok(atMs >= 10_100 && atMs <= 10_100 + windowMs, `${atMs}`);
});

Deno.test("while somebody in view still holds the group the wire is not asked: it answers rightly", () => {
  const { peers, pursueAt } = scene({ duplicateCheckMs: 100 });
  peers[0]!.statement = statement({ groups: { web: { ...stopped, state: "stopping" } } });
  const { missing, effects } = pursueAt(10_000);
  assert.equal(missing, "n2 states that the group is stopping there");
  assert.deepEqual(effects, []);
});

Deno.test("of two that claim at once the one earlier in the list goes first", () => {
  const wants = statement({ groups: { web: { ...stopped, wants: true } } });
  const later = scene({ duplicateCheckMs: 0, nodes: ["n2", "n1", "n3"] });
  later.peers[0]!.statement = wants;
  assert.equal(later.pursueAt(10_000).missing, "n2 claims it too and goes first");
  const earlier = scene({ duplicateCheckMs: 0, nodes: ["n1", "n2", "n3"] });
  earlier.peers[0]!.statement = wants;
  assert.equal(earlier.pursueAt(10_000).missing, null);
});

Deno.test("a node outside the group's list need not hear the claim", () => {
  const { peers, pursueAt } = scene({ duplicateCheckMs: 0, nodes: ["n1", "n2"] });
  peers[1]!.echoedSequence = 0;
  assert.equal(pursueAt(10_000).missing, null);
});

Deno.test("just settled, it leaves the group to a preferred node that is about to settle, but not for long", () => {
  const { peers, pursueAt } = scene({ duplicateCheckMs: 0, nodes: ["n2", "n1"] });
  peers[0]!.statement = statement({ phase: "joining" });
  assert.equal(pursueAt(10_000, { settledForMs: 10 }).missing, "n2 is preferred and about to settle");
  assert.equal(pursueAt(10_500, { settledForMs: 2 * timing.keepaliveMs + 1 }).missing, null);
});

const silences = [
  ["without an arbiter, two questions", {}, { duplicateCheckMs: 10 }, 2 * windowMs],
  ["a longer duplicate check counts too", {}, { duplicateCheckMs: 300 }, 300],
  [
    "with an arbiter, as long as a proof of contact lasts",
    { arbiter: { kind: "release" } },
    { duplicateCheckMs: 10 },
    cutOffSilenceMs(timing),
  ],
] as const;

for (const [name, more, outline, silenceMs] of silences) {
  Deno.test(`from a lost node: ${name}`, () => {
    const { peers, pursueUntil } = scene(outline, more);
    lose(peers[0]!);
    const { missing, atMs } = pursueUntil(12_000);
    assert.equal(missing, null);
    assert.ok(atMs >= 10_000 + silenceMs && atMs <= 10_000 + silenceMs + 2 * windowMs, `${atMs}`);
  });
}

Deno.test("while somebody answers, or nobody can be asked, nothing is taken, however long", () => {
  const verdicts: WireVerdict[] = [
    { kind: "answered", address: "192.0.2.100", hardware: "b" },
    { kind: "contended", address: "192.0.2.100", hardware: "b" },
    { kind: "blind", reason: "no carrier" },
  ];
  for (const verdict of verdicts) {
    const { peers, pursueUntil } = scene();
    lose(peers[0]!);
    assert.notEqual(pursueUntil(20_000, verdict).missing, null, verdict.kind);
  }
});

Deno.test("the delay begins when all else is there, and the confirmation is asked for once", () => {
  const { claim, context, peers, pursueUntil, pursueAt } = scene({}, {
    takeoverDelayMs: 1_000,
    takeoverConfirm: true,
  });
  lose(peers[0]!);
  assert.equal(pursueUntil(10_900).missing, "delay before a takeover");
  assert.equal(pursueUntil(12_000).missing, "waiting for heartline confirm");
  assert.equal(context.alarms.isActive("confirm", "web"), true);
  assert.deepEqual(reports(pursueAt(12_001).effects), []);
  claim.isConfirmed = true;
  assert.equal(pursueUntil(12_200).missing, null);
});

Deno.test("a dropped claim is no claim: its confirmation, its delay and its silence end with it", () => {
  const { claim, peers, pursueUntil, pursueAt } = scene({}, { takeoverDelayMs: 500, takeoverConfirm: true });
  lose(peers[0]!);
  pursueUntil(11_000);
  claim.isConfirmed = true;
  claim.drop();
  assert.equal(claim.isMade, false);
  assert.equal(claim.isConfirmed, false);
  assert.equal(claim.deadline(at(11_000)), null);
  assert.equal(pursueAt(11_001).missing, "asking the service network who has the address");
});

Deno.test("for a node that is only overdue the wire is asked, and nothing is taken", () => {
  const { pursueAt } = scene();
  const { effects } = pursueAt(10_000, {}, false);
  assert.deepEqual(effects.map(({ kind }) => kind), ["ask-wire"]);
  assert.deepEqual(pursueAt(10_010, {}, false).effects, [], "one question at a time");
});

Deno.test("who hears nothing of us for a dead time must be confirmed by the wire, like one out of view", () => {
  const { peers, pursueUntil } = scene({ duplicateCheckMs: 0 });
  peers[0]!.echoedAt = null;
  peers[0]!.echoedSequence = 0;
  const early = pursueUntil(10_000 + timing.deadTimeMs - 1);
  assert.equal(early.missing, "waiting until n2 has heard our claim");
  assert.equal(pursueUntil(10_000 + 2 * timing.deadTimeMs).missing, null);
});

Deno.test("who hears nothing of us keeps a group without an address down: nothing can be asked", () => {
  const { peers, pursueUntil } = scene({ resources: ["script"] });
  peers[0]!.echoedAt = null;
  peers[0]!.echoedSequence = 0;
  assert.equal(pursueUntil(20_000).missing, "waiting until n2 has heard our claim");
});

Deno.test("an answer may be a lease that still runs until the later of dead time and lease, and a little more", () => {
  for (
    const [leaseSeconds, afterMs] of [[1, 1_000 + leaseSlackMs], [5, 5_000 + leaseSlackMs], [
      null,
      1_000,
    ]] as const
  ) {
    const { claim, peers, pursueAt } = scene({ resources: [{ leaseSeconds }] });
    lose(peers[0]!);
    pursueAt(10_000);
    const surroundings = { peers, settings: settings() } as unknown as Surroundings;
    assert.equal(claim.leaseEnd(surroundings), 9_000 + afterMs + 200);
  }
});

Deno.test("with an arbiter the wire is silent for as long as a holder with a longer dead time may keep its right", () => {
  const { peers, pursueUntil } = scene({ duplicateCheckMs: 0 }, { arbiter: { kind: "release" } });
  peers[0]!.adoptDeadTime(3_000);
  lose(peers[0]!);
  const { missing, atMs } = pursueUntil(14_000);
  assert.equal(missing, null);
  assert.ok(atMs >= 13_000 && atMs <= 13_000 + 2 * windowMs, `${atMs}`);
});

Deno.test("a confirmation is about one loss: a node that was back meanwhile is waited for anew", () => {
  const { claim, peers, pursueAt, pursueUntil } = scene({ duplicateCheckMs: 0 }, { takeoverConfirm: true });
  lose(peers[0]!);
  assert.equal(pursueUntil(10_500).missing, "waiting for heartline confirm");
  claim.isConfirmed = true;
  Object.assign(peers[0]!, {
    isInView: true,
    statement: statement({ groups: { web: { ...stopped, state: "running" } } }),
  });
  assert.equal(pursueAt(10_600).missing, "n2 states that the group is running there");
  lose(peers[0]!);
  peers[0]!.statement = statement();
  assert.equal(pursueUntil(11_500).missing, "waiting for heartline confirm");
});

Deno.test("one that does not hear our claim, and claims too, goes first whatever the order", () => {
  const { peers, pursueUntil } = scene({ nodes: ["n1", "n2"], duplicateCheckMs: 0 });
  Object.assign(peers[0]!, {
    echoedAt: null,
    echoedSequence: 0,
    statement: statement({ groups: { web: { ...stopped, wants: true } } }),
  });
  assert.equal(pursueUntil(12_500).missing, "n2 claims it too and goes first");
  peers[0]!.statement = statement();
  assert.equal(pursueUntil(13_500).missing, null);
});

Deno.test("a goodbye is believed for a dead time; after that the wire is asked", () => {
  const { peers, pursueAt } = scene({ duplicateCheckMs: 0 });
  Object.assign(peers[0]!, { isInView: false, hasLeft: true, heardAt: at(9_500) });
  assert.equal(pursueAt(10_000).missing, null);
  peers[0]!.heardAt = at(5_000);
  const { missing, effects } = pursueAt(10_001);
  assert.equal(missing, "checking that nobody else uses the address");
  assert.equal(effects[0]?.kind, "ask-wire");
});

Deno.test("with an arbiter and a lease that is waited for, silence lasts for a proof and a whole lease", () => {
  const { peers, pursueUntil } = scene({ waitForLease: true }, { arbiter: { kind: "release" } });
  lose(peers[0]!);
  const silenceMs = cutOffSilenceMs(timing) + 1_000 + leaseSlackMs;
  assert.notEqual(pursueUntil(10_000 + silenceMs - 1).missing, null);
});
