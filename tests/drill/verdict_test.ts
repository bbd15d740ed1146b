import assert from "node:assert/strict";
import type { NodeView } from "../../lib/core/view.ts";
import type { HeartbeatLoss } from "../../lib/drill/heartbeats.ts";
import { type Account, judge } from "../../lib/drill/verdict.ts";
import { type Sighting, thisMachine } from "../../lib/drill/watch.ts";
import { wholeCut } from "./samples.ts";

const other = "02:00:00:00:00:02";
const third = "02:00:00:00:00:03";

/** Rounds every 200 ms from 1 s before the cut; each word is who held it for that second: h here, o other, b both. */
function sighting(seconds: string, silentMs: readonly [from: number, to: number] = [0, 0]): Sighting {
  const holders: Record<string, string[]> = {
    h: [thisMachine],
    o: [other],
    b: [thisMachine, other],
    "-": [],
  };
  const rounds = [...seconds].flatMap((word, second) =>
    [0, 200, 400, 600, 800].map((ms) => ({ atMs: (second - 1) * 1000 + ms, holders: holders[word]! }))
  );
  const repliesAtMs = Array.from({ length: seconds.length * 20 }, (_, index) => index * 50 - 1000)
    .filter((atMs) => atMs < silentMs[0] || atMs >= silentMs[1]);
  return { address: "192.0.2.100", device: "eth0", blindness: "", rounds, repliesAtMs };
}

function account(change: Partial<Account> = {}): Account {
  return {
    plan: { ...wholeCut, durationMs: 4000 },
    paths: { kind: "left", sentence: "eth0" },
    cutAtMs: 0,
    healedAtMs: 4000,
    endAtMs: 6000,
    sightings: [sighting("ooooooo")],
    dropped: { in: 20, out: 20 },
    daemon: null,
    ...change,
  };
}

const last = { paths: { kind: "last", sentence: "" } } as const;
const before = {
  timing: { deadTimeMs: 1000, keepaliveMs: 100 },
  alarms: [],
  peers: [{ links: [{ medium: "eth1" }] }],
} as unknown as NodeView;
const daemon = { before, after: before, doubleGroups: [], rivals: [], alarms: [] };
const lost = { isRaised: true, code: "link-lost", sentence: "" };
const noticed = { kind: "noticed" } as const;

Deno.test("a drill is judged by what was seen, and what was not seen never passes", () => {
  const blind = { ...sighting("o----oo", [0, 4000]), device: "eth1" };
  const cases: ReadonlyArray<readonly [string, Partial<Account>, "passed" | "failed" | "unclear", string[]]> =
    [
      ["nothing moved", {}, "passed", []],
      ["it moved although a link was left", { sightings: [sighting("oohhhhh")] }, "failed", ["place"]],
      [
        "it moved once, over the last path",
        { ...last, sightings: [sighting("oo-hhhh", [900, 2000])] },
        "passed",
        [],
      ],
      ["it moved and came back", { ...last, sightings: [sighting("oohhhoo")] }, "failed", ["place"]],
      ["two held it", { ...last, sightings: [sighting("oobbhhh")] }, "failed", ["holders"]],
      ["an outage", { sightings: [sighting("ooooooo", [1000, 2500])] }, "failed", ["service"]],
      ["a hiccup", { sightings: [sighting("ooooooo", [1000, 1900])] }, "passed", []],
      ["silent to the end", { ...last, sightings: [sighting("oo-----", [1000, 9000])] }, "failed", [
        "place",
        "service",
      ]],
      ["nobody held it before", { sightings: [sighting("-------", [-2000, 9000])] }, "unclear", []],
      ["nothing was dropped", { dropped: { in: 0, out: 5 } }, "unclear", []],
      ["the counters were gone", { dropped: null }, "unclear", []],
      ["nobody watched", { sightings: [] }, "unclear", []],
      ["asked over the cut link", { ...last, sightings: [blind] }, "unclear", []],
      ["the alarm that was due came", { daemon: { ...daemon, alarms: [lost] } }, "passed", []],
      ["the alarm that was due did not come", { daemon }, "failed", ["alarm"]],
      ["shorter than a deadtime", { daemon, healedAtMs: 900 }, "passed", []],
      ["the daemon died", { daemon: { ...daemon, alarms: [lost], after: null } }, "failed", ["recovery"]],
      [
        "another claimed it",
        { daemon: { ...daemon, alarms: [lost], rivals: ["02:… claims it"] } },
        "failed",
        [
          "holders",
        ],
      ],
      ["two said they hold it", { daemon: { ...daemon, alarms: [lost], doubleGroups: ["web"] } }, "failed", [
        "holders",
      ]],
      [
        "an alarm stayed",
        {
          daemon: {
            ...daemon,
            alarms: [lost],
            after: {
              ...before,
              alarms: [{ code: "link-lost", subject: "node2 eth1" }],
            } as unknown as NodeView,
          },
        },
        "failed",
        ["recovery"],
      ],
    ];
  for (const [what, change, verdict, bad] of cases) {
    const judgement = judge(account(change), noticed);
    const named = judgement.findings.filter((finding) => finding.verdict === "bad")
      .map((finding) => finding.what.split(" ")[0]);
    assert.deepEqual([judgement.verdict, named], [verdict, bad], what);
  }
});

Deno.test("one answer beside this machine, which held the address all along, is a second holder", () => {
  const held = sighting("hhhhhhh");
  const rounds = held.rounds.map((round, index) =>
    index === 20 ? { ...round, holders: [thisMachine, other] } : round
  );
  assert.equal(judge(account({ sightings: [{ ...held, rounds }] }), noticed).verdict, "failed");
});

Deno.test("a handover in the middle of a round is not taken for two holders", () => {
  const moved = sighting("oohhhhh");
  const rounds = moved.rounds.map((round, index) =>
    index === 10 ? { ...round, holders: [other, third] } : round
  );
  assert.equal(judge(account({ ...last, sightings: [{ ...moved, rounds }] }), noticed).verdict, "passed");
});

Deno.test("an alarm is due where the daemon must notice the cut, and not before it can", () => {
  const out = { plan: { ...wholeCut, directions: ["out"] } } as const;
  const unnoticed = { kind: "unnoticed", why: "no heartbeats on eth1 use port 80" } as const;
  const unknown = { kind: "unknown", why: "the settings were not read" } as const;
  // Two deadtimes; in one direction two keepalives, a second and the margin more.
  const oneWayMs = 2_000 + 2 * 100 + 1_000 + 500;
  const cases: ReadonlyArray<readonly [string, Partial<Account>, HeartbeatLoss, string, string, string?]> = [
    ["both ways", { healedAtMs: 2_001 }, noticed, "bad", "ok", "the daemon says that eth1 is lost"],
    ["both ways, short", { healedAtMs: 2_000 }, noticed, "ok", "ok"],
    ["only out", { ...out, healedAtMs: oneWayMs }, noticed, "ok", "ok"],
    ["only out, long", { ...out, healedAtMs: oneWayMs + 1 }, noticed, "bad", "ok"],
    ["past the heartbeats", {}, unnoticed, "ok", "bad", "none, since no heartbeats on eth1 use port 80"],
    ["nobody knows", {}, unknown, "unclear", "ok"],
    ["nobody knows, short", { healedAtMs: 2_000 }, unknown, "ok", "ok"],
    ["loss", { plan: { ...wholeCut, lossPermille: 300 } }, noticed, "ok", "ok"],
  ];
  for (const [what, change, heartbeats, silent, raised, expected] of cases) {
    for (const [alarms, verdict] of [[[], silent], [[lost], raised]] as const) {
      const { findings } = judge(account({ ...change, daemon: { ...daemon, alarms } }), heartbeats);
      const found = findings.find((finding) => finding.what === "alarm here")!;
      assert.equal(found.verdict, verdict, `${what}, ${alarms.length} alarms`);
      if (expected !== undefined) assert.equal(found.expected, expected);
    }
  }
});
