/** Who is there: restarts, goodbyes, old statements, replays, and the alarms about nodes and links. */

import assert from "node:assert/strict";
import fc from "fast-check";
import type { Context } from "../../../lib/core/context.ts";
import type { MessageInput } from "../../../lib/core/inputs.ts";
import { neighbourRetryMs } from "../../../lib/core/limits.ts";
import { Roster } from "../../../lib/core/membership/roster.ts";
import type { Settings } from "../../../lib/core/settings.ts";
import type { GroupState, Statement } from "../../../lib/wire/statement.ts";
import {
  at,
  contextAt,
  hears,
  message,
  type MessageParts,
  reports,
  settings,
  statement,
  stopped,
  timing,
} from "../samples.ts";

const ownGeneration = 3;
const linkDeadMs = timing.deadTimeMs + timing.keepaliveMs;

/** The roster of n1, which has sent a heartbeat of number n at n * 100 ms. */
function rosterOfN1(changes: Partial<Settings> = {}): { roster: Roster; context: Context } {
  const roster = new Roster("n1", ownGeneration, { ...settings(), ...changes });
  for (let n = 1; n <= 60; n++) roster.sent(n, at(n * 100));
  return { roster, context: contextAt(0) };
}

function holding(state: GroupState, parts: Partial<Statement> = {}): Statement {
  return statement({ groups: { web: { ...stopped, state, epoch: 1 } }, ...parts });
}

/** Hears a message on all links at an instant. Returns the reports. */
function hearAt(
  { roster, context }: { roster: Roster; context: Context },
  ms: number,
  parts: MessageParts,
  stated: Statement | null = statement({ hears: hears("n1", ownGeneration, Math.floor(ms / 100)) }),
  media: readonly string[] = ["hb0", "hb1"],
): string[] {
  context.now = at(ms);
  for (const medium of media) roster.hear(context, message({ ...parts, medium }, stated));
  roster.tick(context);
  return reports(context.takeEffects());
}

const goodbye = holding("stopped", { phase: "leaving", hears: hears("n1", ownGeneration, 1) });

function tickAt({ roster, context }: { roster: Roster; context: Context }, ms: number): string[] {
  context.now = at(ms);
  roster.tick(context);
  return reports(context.takeEffects());
}

/** All that is known of n2, apart from counters. */
function knowledge(roster: Roster): unknown {
  const { tracker, links, ...peer } = roster.peer("n2")!;
  return {
    ...peer,
    last: [tracker.generation, tracker.last],
    heardAt: links.map((link) => link.heardAt),
    hears: roster.hears(peer.heardAt ?? at(0)),
  };
}

for (const dt of ["1f4xyz", "0x1f4", "01f4", "1F4", "+1f4", " 1f4", "", "0", "-1", "ffffffffffff"]) {
  Deno.test(`a heartbeat whose dt is "${dt}" counts, its dt does not, and that is counted and told once`, () => {
    const scene = rosterOfN1();
    hearAt(scene, 100, { sequence: 1, deadTime: "258" });
    const told = hearAt(scene, 300, { sequence: 2, deadTime: dt });
    assert.deepEqual(told, ["warning refused"]);
    const peer = scene.roster.peer("n2")!;
    assert.deepEqual([peer.isInView, peer.beatSequence, peer.deadTimeMs], [true, 2, 600]);
    assert.deepEqual(scene.roster.refusals.counts, { "bad-dead-time": 1 });
  });
}

Deno.test("a peer comes into view with its first heartbeat, and out of it after its own dead time", () => {
  const n1 = rosterOfN1();
  assert.deepEqual(hearAt(n1, 1_000, { sequence: 1, deadTime: "258" }), ["notice node-heard"]);
  assert.equal(n1.roster.peer("n2")!.deadTimeMs, 600);
  assert.deepEqual(tickAt(n1, 1_599), []);
  assert.deepEqual(tickAt(n1, 1_600), ["alarm node-dead"]);
  assert.equal(n1.roster.peer("n2")!.isInView, false);
  assert.deepEqual(tickAt(n1, 9_000), []);
  assert.deepEqual(hearAt(n1, 9_100, { sequence: 40 }), ["notice node-heard", "clear node-dead"]);
});

Deno.test("a restart of a peer forgets what its former run stated and proved", () => {
  const n1 = rosterOfN1();
  hearAt(n1, 1_000, { sequence: 70 }, holding("running", { hears: hears("n1", ownGeneration, 9) }));
  const peer = n1.roster.peer("n2")!;
  assert.deepEqual([peer.echoedSequence, peer.echoedAt], [9, 900]);
  peer.isFenced = true;
  const joining = holding("unknown", { phase: "joining" });
  assert.deepEqual(hearAt(n1, 1_100, { generation: 11, sequence: 1 }, joining), ["notice node-restarted"]);
  assert.deepEqual([peer.echoedSequence, peer.echoedAt, peer.isFenced], [0, null, false]);
  assert.equal(peer.group("web").state, "unknown");
  // The numbers begin anew: a low one is news again.
  hearAt(n1, 1_200, { generation: 11, sequence: 2 }, holding("stopped"));
  assert.equal(peer.group("web").state, "stopped");
});

Deno.test("only a heartbeat makes a later run known: other messages of an unknown run mean nothing", () => {
  const n1 = rosterOfN1();
  assert.deepEqual(hearAt(n1, 1_000, { type: "hbapi-clstat", sequence: 1 }, null), []);
  hearAt(n1, 1_100, { sequence: 1 });
  assert.deepEqual(hearAt(n1, 1_200, { type: "hbapi-clstat", generation: 11, sequence: 1 }, null), []);
  assert.deepEqual([n1.roster.peer("n2")!.tracker.generation, n1.roster.peer("n2")!.tracker.last], [10, 1]);
  hearAt(n1, 1_300, { type: "hbapi-clstat", sequence: 2 }, null);
  assert.equal(n1.roster.peer("n2")!.heardAt, 1_100, "no heartbeat, no sign of life");
});

Deno.test("we tell the number of the last heartbeat heard: another message keeps nobody from taking over", () => {
  const n1 = rosterOfN1();
  hearAt(n1, 1_000, { sequence: 4 });
  hearAt(n1, 1_010, { type: "hbapi-clstat", sequence: 5 }, null);
  assert.equal(n1.roster.hears(at(1_010)).n2?.sequence, 4);
});

Deno.test("goodbye and return: no alarm, at once out of view, and back with the next run", () => {
  const n1 = rosterOfN1();
  hearAt(n1, 1_000, { sequence: 1 }, holding("running"));
  const peer = n1.roster.peer("n2")!;
  assert.deepEqual(hearAt(n1, 1_100, { sequence: 2 }, holding("stopping", { phase: "leaving" })), []);
  assert.deepEqual([peer.isInView, peer.hasLeft], [true, false], "it still holds something");
  assert.deepEqual(hearAt(n1, 1_200, { sequence: 3 }, goodbye), [
    "notice node-left",
  ]);
  assert.deepEqual([peer.isInView, peer.hasLeft], [false, true]);
  assert.deepEqual(hearAt(n1, 1_210, { sequence: 4 }, goodbye), []);
  assert.deepEqual(tickAt(n1, 9_000), []);
  assert.deepEqual(
    hearAt(n1, 9_000, { generation: 11, sequence: 1 }, holding("unknown", { phase: "joining" })),
    [
      "notice node-restarted",
      "notice node-heard",
    ],
  );
  assert.deepEqual([peer.isInView, peer.hasLeft], [true, false]);
});

Deno.test("a node that was missing or dead and is first heard with its goodbye leaves no alarm behind", () => {
  const n1 = rosterOfN1();
  n1.context.raise("node-missing", "n2", "not heard yet");
  n1.context.takeEffects();
  assert.deepEqual(hearAt(n1, 1_000, { sequence: 1 }, goodbye), [
    "clear node-missing",
    "notice node-left",
  ]);
  hearAt(n1, 2_000, { generation: 11, sequence: 1 });
  assert.deepEqual(tickAt(n1, 4_000), ["alarm node-dead"]);
  assert.deepEqual(
    hearAt(n1, 5_000, { generation: 11, sequence: 9 }, goodbye),
    [
      "clear node-dead",
      "notice node-left",
    ],
  );
  assert.deepEqual(n1.context.alarms.view(at(5_000)), []);
});

Deno.test("an older status that comes late replaces neither the statement nor the dead time of a newer one", () => {
  const n1 = rosterOfN1();
  hearAt(n1, 1_000, { sequence: 1 }, holding("stopped"));
  hearAt(n1, 1_400, { sequence: 3, deadTime: "258" }, holding("running"));
  hearAt(n1, 1_450, { sequence: 2, deadTime: "7d0" }, holding("stopped"));
  const peer = n1.roster.peer("n2")!;
  assert.equal(peer.group("web").state, "running");
  assert.equal(peer.deadTimeMs, 600);
  assert.equal(peer.heardAt, 1_400, "it was sent before: no fresh sign of life");
});

Deno.test("a heartbeat ends the success of a fencing, whatever its run and whether the peer was in view", () => {
  const made = rosterOfN1();
  const n2 = made.roster.peer("n2")!;
  hearAt(made, 100, { sequence: 1 });
  for (
    const [ms, parts] of [[200, { sequence: 2 }], [5_000, { sequence: 3 }], [9_000, {
      generation: 11,
    }]] as const
  ) {
    n2.isFenced = true;
    made.context.now = at(ms);
    if (ms > 200) made.roster.tick(made.context);
    assert.equal(n2.isFenced, true, "time alone does not end it here");
    hearAt(made, ms, parts);
    assert.equal(n2.isFenced, false);
  }
});

Deno.test("an echo is dated by the sending of what was echoed, and never goes back", () => {
  const n1 = rosterOfN1();
  const peer = n1.roster.peer("n2")!;
  // sequence, generation of ours that is echoed, number of ours, echoedAt afterwards
  const steps = [
    [1, ownGeneration - 1, 50, null],
    [2, ownGeneration, 7, 700],
    [3, ownGeneration, 5, 700],
    [4, ownGeneration, 9, 900],
    [5, ownGeneration, 1_000, 900],
  ] as const;
  for (const [sequence, generation, echoed, echoedAt] of steps) {
    hearAt(n1, 1_000 + sequence, { sequence }, statement({ hears: hears("n1", generation, echoed) }));
    assert.equal(peer.echoedAt, echoedAt, `after message ${sequence}`);
  }
});

Deno.test("a replay of anything heard before changes nothing, in any order", () => {
  const states = fc.constantFrom<GroupState>(
    "stopped",
    "unknown",
    "starting",
    "running",
    "stopping",
    "blocked",
  );
  const sent = fc.array(
    fc.record({
      state: states,
      phase: fc.constantFrom<Statement["phase"]>("joining", "settled", "leaving"),
      isRestart: fc.boolean(),
      echo: fc.integer({ min: 1, max: 20 }),
    }),
    { minLength: 1, maxLength: 20 },
  );
  fc.assert(fc.property(sent, fc.infiniteStream(fc.nat({ max: 1_000 })), (drawn, picks) => {
    const n1 = rosterOfN1();
    const heard: MessageInput[] = [];
    let [generation, sequence] = [10, 0];
    for (const [index, { state, phase, isRestart, echo }] of drawn.entries()) {
      if (isRestart) [generation, sequence] = [generation + 1, 0];
      sequence++;
      const stated = holding(state, { phase, hears: hears("n1", ownGeneration, echo) });
      hearAt(n1, 2_000 + index, { generation, sequence }, stated);
      heard.push(...["hb0", "hb1"].map((medium) => message({ generation, sequence, medium }, stated)));
    }
    const before = knowledge(n1.roster);
    n1.context.isStatementDirty = false;
    n1.context.now = at(2_500);
    for (const _ of heard) {
      const pick = picks.next().value! % heard.length;
      assert.equal(n1.roster.hear(n1.context, heard[pick]!), null);
    }
    assert.deepEqual(knowledge(n1.roster), before);
    assert.deepEqual(n1.context.takeEffects(), []);
    assert.equal(n1.context.isStatementDirty, false);
  }));
});

Deno.test("a dead link raises an alarm only while the node lives, and it is cleared when it works again", () => {
  const n1 = rosterOfN1();
  const said: string[] = [];
  for (let n = 0; n <= 20; n++) {
    const isCut = n > 2 && n < 14;
    const heard = hearAt(
      n1,
      1_000 + n * 200,
      { sequence: n + 1 },
      undefined,
      isCut ? ["hb1"] : ["hb0", "hb1"],
    );
    said.push(...heard.map((report) => `${n} ${report}`));
  }
  // Heard last with number 2; dead after the dead time and one keepalive, that is six later.
  assert.deepEqual(said, ["0 notice node-heard", "8 alarm link-lost", "14 clear link-lost"]);
});

Deno.test("the alarm on a dead link is repeated until the link works again", () => {
  const n1 = rosterOfN1({ alarmRepeatMs: 5_000 });
  const said: string[] = [];
  for (let n = 0; n <= 100; n++) {
    const isCut = n > 2 && n < 90;
    const heard = hearAt(
      n1,
      1_000 + n * 200,
      { sequence: n + 1 },
      undefined,
      isCut ? ["hb1"] : ["hb0", "hb1"],
    );
    said.push(...heard.map((report) => `${n} ${report}`));
  }
  const alarms = [8, 33, 58, 83].map((n) => `${n} alarm link-lost`);
  assert.deepEqual(said, ["0 notice node-heard", ...alarms, "90 clear link-lost"]);
});

Deno.test("a node that dies is one alarm, not one per link", () => {
  const n1 = rosterOfN1();
  hearAt(n1, 1_000, { sequence: 1 });
  const said: string[] = [];
  for (let ms = 1_000; ms < 5_000; ms += 50) said.push(...tickAt(n1, ms));
  assert.deepEqual(said, ["alarm node-dead"]);
});

Deno.test("the alarm about a dead link ends with the node: it is dead on all links now", () => {
  const n1 = rosterOfN1();
  for (let n = 0; n < 10; n++) {
    hearAt(n1, 1_000 + n * 200, { sequence: n + 1 }, undefined, n === 0 ? ["hb0", "hb1"] : ["hb1"]);
  }
  assert.equal(n1.context.alarms.isActive("link-lost", "n2 hb0"), true);
  assert.deepEqual(tickAt(n1, 1_000 + 9 * 200 + timing.deadTimeMs), ["alarm node-dead", "clear link-lost"]);
});

Deno.test("a link that never spoke is dead a dead time after the node came into view by another", () => {
  const n1 = rosterOfN1();
  for (let n = 0; n * 200 < linkDeadMs; n++) {
    hearAt(n1, 1_000 + n * 200, { sequence: n + 1 }, undefined, ["hb1"]);
  }
  assert.deepEqual(hearAt(n1, 1_000 + linkDeadMs, { sequence: 90 }, undefined, ["hb1"]), ["alarm link-lost"]);
});

/** A heartbeat every 100 ms for a while, which tells on which links we are heard. */
function beatFor(n1: ReturnType<typeof rosterOfN1>, fromMs: number, lengthMs: number, on: readonly number[]) {
  const said: string[] = [];
  for (let ms = fromMs; ms < fromMs + lengthMs; ms += 100) {
    said.push(...hearAt(n1, ms, { sequence: ms }, statement({ hears: hears("n1", ownGeneration, 1, on) })));
  }
  return said;
}

const oneWayMs = timing.deadTimeMs + neighbourRetryMs;

Deno.test("a link that is one-way for a short while raises nothing, one that stays so one alarm, cleared once", () => {
  const n1 = rosterOfN1();
  assert.deepEqual(beatFor(n1, 1_000, oneWayMs, [1]), ["notice node-heard"]);
  assert.deepEqual(beatFor(n1, 1_000 + oneWayMs, 500, [0, 1]), []);
  const again = 1_500 + oneWayMs;
  assert.deepEqual(beatFor(n1, again, oneWayMs, [1]), []);
  assert.deepEqual(beatFor(n1, again + oneWayMs, 1_000, [1]), ["alarm one-way"]);
  assert.deepEqual(beatFor(n1, again + oneWayMs + 1_000, 1_000, [0, 1]), ["clear one-way"]);
});

Deno.test("the time for which a link was one-way does not count on over the death and return of the node", () => {
  const n1 = rosterOfN1();
  beatFor(n1, 1_000, 500, [1]);
  assert.deepEqual(tickAt(n1, 3_000), ["alarm node-dead"]);
  assert.deepEqual(beatFor(n1, 30_000, 500, [1]), ["notice node-heard", "clear node-dead"]);
});

Deno.test("whom we hear is told with the links that live, and not of who is out of view", () => {
  const n1 = rosterOfN1();
  hearAt(n1, 1_000, { sequence: 4 });
  hearAt(n1, 1_400, { sequence: 5 }, undefined, ["hb1"]);
  const told = (ms: number) => n1.roster.hears(at(ms)).n2;
  const both = { ...hears("n2", 10, 5, [0, 1]).n2, last: [[4, 400], [5, 0]], acked: 5 };
  assert.deepEqual(told(1_400), both, "each with its last heartbeat, and how long ago that was");
  assert.deepEqual(told(1_000 + linkDeadMs), { ...both, on: [1], last: [[5, linkDeadMs - 400]] });
  tickAt(n1, 2_400);
  assert.deepEqual({ ...n1.roster.hears(at(2_400)) }, {});
});

Deno.test("after a stall of ours every node in view gets a dead time of grace, and nobody comes back by it", () => {
  const n1 = rosterOfN1();
  hearAt(n1, 1_000, { source: "n3", sequence: 1 });
  tickAt(n1, 2_000);
  hearAt(n1, 2_000, { sequence: 1 });
  n1.context.now = at(9_000);
  n1.roster.forgiveSilence(at(9_000));
  assert.deepEqual(tickAt(n1, 9_999), []);
  assert.deepEqual(tickAt(n1, 10_000), ["alarm node-dead"]);
  assert.equal(n1.roster.peer("n3")!.isInView, false);
});

Deno.test("an immediate answer is due to who does not hear us as we are now, or is joining", () => {
  const cases: readonly (readonly [string, Statement | null, boolean])[] = [
    ["settled and hears us", statement({ hears: hears("n1", ownGeneration, 1) }), false],
    ["settled and does not hear us", statement(), true],
    ["settled and hears our former run", statement({ hears: hears("n1", ownGeneration - 1, 99) }), true],
    ["joining", statement({ phase: "joining", hears: hears("n1", ownGeneration, 1) }), true],
    ["a Heartbeat daemon", null, false],
    ["gone", goodbye, false],
  ];
  for (const [name, stated, wantsReply] of cases) {
    const { roster, context } = rosterOfN1();
    const heard = roster.hear(context, message({}, stated));
    assert.equal(heard?.kind === "heartbeat" && heard.wantsReply, wantsReply, name);
  }
});

Deno.test("a claim is new once, and again after it was dropped", () => {
  const { roster, context } = rosterOfN1();
  const news: boolean[] = [];
  for (const [index, wants] of [false, true, true, false, true].entries()) {
    const stated = statement({ groups: { web: { ...stopped, wants } } });
    const heard = roster.hear(context, message({ sequence: index + 1 }, stated));
    news.push(heard?.kind === "heartbeat" && heard.hasNewClaim);
  }
  assert.deepEqual(news, [false, true, false, false, true]);
});

Deno.test("a goodbye that does not show that it heard us in our present life is no goodbye: it may be a replay", () => {
  for (const heard of [{}, hears("n1", ownGeneration - 1, 900)]) {
    const n1 = rosterOfN1();
    const old = holding("stopped", { phase: "leaving", hears: heard });
    assert.deepEqual(hearAt(n1, 1_000, { sequence: 1 }, old), ["notice node-heard"]);
    const { hasLeft, isInView } = n1.roster.peer("n2")!;
    assert.deepEqual([isInView, hasLeft], [true, false]);
    assert.deepEqual(tickAt(n1, 1_000 + timing.deadTimeMs), ["alarm node-dead"]);
  }
});
