/**
 * Whatever a Heartbeat daemon says, and in whatever order: what must never be so at the end of any step. The daemon of
 * these runs is no sane one; it lies, repeats, restarts and falls silent as it pleases.
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import { covers, type Holding, readHolding } from "../../../lib/core/heartbeat_dialect/holding.ts";
import { Negotiated } from "../../../lib/core/heartbeat_dialect/negotiated.ts";
import type { Effect } from "../../../lib/core/effects.ts";
import { holds } from "../../../lib/core/ownership/placement.ts";
import { DaemonPuppet } from "./daemon_puppet.ts";

const sets = ["local", "foreign", "all"];
const words = [
  "starting",
  "shutdone",
  "reqnodes",
  "ip-request web",
  "ip-request db",
  "ip-request-resp web",
  "stonith n1 n_stnth",
  ...["none", ...sets].flatMap((held) => [
    `resource ${held} 0`,
    `resource ${held} 1`,
    `resource ${held} 0 standby`,
    `resource ${held} 0 shutdown`,
  ]),
  ...sets.flatMap((set) => [
    `hb_takeover ${set}`,
    ...["me", "other", "done"].map((step) => `ask_resources ${set} ${step}`),
  ]),
];
const orders = ["takeover", "standby", "release", "rejoin"] as const;

const event = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...words).map((word) => ({ kind: "says", word }) as const) },
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 1_200 }).map((ms) => ({ kind: "beats", ms }) as const) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 1, max: 4_000 }).map((ms) => ({ kind: "silence", ms }) as const),
  },
  { weight: 1, arbitrary: fc.boolean().map((isHeard) => ({ kind: "restarts", isHeard }) as const) },
  { weight: 2, arbitrary: fc.constantFrom(...orders).map((order) => ({ kind: "order", order }) as const) },
  { weight: 1, arbitrary: fc.constant({ kind: "shutdown" } as const) },
  { weight: 1, arbitrary: fc.boolean().map((isAnswered) => ({ kind: "wire", isAnswered }) as const) },
  { weight: 1, arbitrary: fc.boolean().map((isSlow) => ({ kind: "scripts", isSlow }) as const) },
);
type Happening = typeof event extends fc.Arbitrary<infer T> ? T : never;

function play(puppet: DaemonPuppet, happenings: readonly Happening[]): void {
  const { wired } = puppet;
  const usual = wired.answer;
  watch(puppet);
  for (const each of happenings) {
    if (!wired.nodes.has("n1")) return;
    switch (each.kind) {
      case "says":
        puppet.says(each.word);
        break;
      case "beats":
        puppet.beats(each.ms);
        break;
      case "silence":
        puppet.silence(each.ms);
        break;
      case "restarts":
        puppet.restarts(each.isHeard);
        break;
      case "order":
        wired.command("n1", { kind: each.order, groups: [] });
        break;
      case "shutdown":
        wired.command("n1", { kind: "shutdown" });
        break;
      case "wire":
        wired.wire = () =>
          each.isAnswered ? { kind: "answered", address: "10.0.0.2", hardware: "02::2" } : { kind: "silent" };
        break;
      case "scripts":
        wired.answer = each.isSlow ? () => null : usual;
        break;
    }
  }
}

/** Checks every step of the node from now on. */
function watch(puppet: DaemonPuppet): void {
  const { wired } = puppet;
  const step = wired.step.bind(wired);
  wired.step = (node, input) => {
    // It has said goodbye and ended.
    if (!wired.nodes.has("n1")) return [];
    const effects = step(node, input);
    if (wired.nodes.has("n1")) check(puppet, effects);
    return effects;
  };
}

function check(puppet: DaemonPuppet, effects: readonly Effect[]): void {
  const { keepers, roster, heartbeat } = puppet.node;
  const peer = roster.peer("n2")!;
  const { pair } = heartbeat!;
  if (heartbeat!.isSpoken) {
    for (const { name, machine } of keepers) {
      const theirs = peer.group(name).state;
      assert.ok(
        !(holds(machine.state) && holds(theirs)),
        `${name} is ${machine.state} here and ${theirs} there`,
      );
      const isStarted = effects.some((each) =>
        each.kind === "report" && each.code === "group-starting" && each.fields.group === name
      );
      assert.ok(!isStarted || theirs === "stopped", `${name} is started while it is ${theirs} there`);
    }
  }
  for (const effect of effects) {
    if (effect.kind !== "send") continue;
    const field = (name: string) => effect.fields.find(([each]) => each === name)?.[1];
    const running = (set: Holding) => pair.of(set).filter(({ machine }) => machine.state !== "stopped");
    if (effect.type === "shutdone") assert.deepEqual(running("all"), [], "shutdone with something running");
    const { family } = heartbeat!;
    const isGiver = family instanceof Negotiated && family.standby.state === "handed";
    if (effect.type === "ask_resources" && field("info") === "done" && isGiver) {
      assert.deepEqual(running(readHolding(field("rsc_hold"))!), [], "done with something running");
    }
    if (effect.type === "resource") {
      const stated = readHolding(field("rsc_hold"))!;
      const given = field("info") ?? "";
      for (const side of ["local", "foreign"] as const) {
        if (covers(stated, side)) continue;
        // What is being given away is struck off before it is stopped, and stops at once.
        const allowed = given === "" ? ["stopped"] : ["stopped", "stopping"];
        for (const { name, machine } of pair.of(side)) {
          assert.ok(allowed.includes(machine.state), `${name} is ${machine.state} and stated as not held`);
        }
      }
    }
    if (effect.type === "ip-request-resp") {
      const keeper = keepers.find(({ name }) => name === field("ipaddr"))!;
      assert.equal(keeper.machine.state, "stopped", "given while it runs");
    }
  }
}

const legacy = { kind: "legacy" } as const;
const families = {
  "with statements": {},
  legacy: {
    groups: [
      { name: "web", nodes: ["n1", "n2"], failback: legacy, resources: [{ leaseSeconds: 1 }] },
      { name: "db", nodes: ["n2", "n1"], failback: legacy, resources: [{ leaseSeconds: 1 }] },
    ],
  },
};

for (const [name, outline] of Object.entries(families)) {
  Deno.test(`a daemon that says anything at any time, ${name}: never two holders by our own knowledge`, () => {
    fc.assert(
      fc.property(fc.array(event, { minLength: 10, maxLength: 80, size: "max" }), (happenings) => {
        const puppet = new DaemonPuppet(outline);
        puppet.beats(200);
        play(puppet, happenings);
      }),
      { numRuns: 400 },
    );
  });
}
