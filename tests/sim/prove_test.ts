/** Every order of a few faults: what is enumerated, and that two holders are found where there are some. */

import assert from "node:assert/strict";
import { clusterSettings } from "../../lib/sim/cluster_settings.ts";
import type { Cluster } from "../../lib/sim/cluster.ts";
import { moveKinds } from "../../lib/sim/prove/alphabet.ts";
import { Prover } from "../../lib/sim/prove/prove.ts";
import { type Schedule, schedulesOf } from "../../lib/sim/prove/schedules.ts";
import { fencing } from "../core/samples.ts";
import { type Mutation, withMutant } from "./mutant.ts";
import { mutations } from "./mutations.ts";

function pair(
  hasArbiter: boolean,
  waitForLease = false,
  timing = { keepaliveMs: 200, deadTimeMs: 1_000 },
): Cluster {
  const settings = clusterSettings({
    nodes: ["n1", "n2"],
    links: 1,
    timing,
    groups: [{ name: "web", resources: [{ leaseSeconds: 1 }], waitForLease }],
    arbiter: hasArbiter ? { kind: "release" } : null,
  });
  return { settings, settingsOf: null };
}

/** Random faults seldom strike in the short time in which this matters. */
const staleRenewal: Mutation = {
  name: "a lease is renewed by a contact that is too old",
  file: "core/isolation.ts",
  from: "const windowMs = renewalContactMs(this.#timing, leaseSeconds);",
  to: "const windowMs = renewalContactMs(this.#timing, leaseSeconds) + this.#timing.deadTimeMs;",
};

const options = { seed: 1, kinds: moveKinds, boundMs: null };

/** The first schedule of up to so many faults that leads to two holders; `null`: none does. */
function firstToTwo(prover: Prover, depth: number): Schedule | null {
  for (let faults = 1; faults <= depth; faults++) {
    for (const schedule of schedulesOf(prover.space, faults)) {
      if (prover.play(schedule).verdicts.some(({ danger }) => danger === "two-holders")) return schedule;
    }
  }
  return null;
}

Deno.test("every sequence of faults that change something is tried, and the rest is counted", () => {
  const { space } = new Prover(pair(false), options);
  let leftOut = 0;
  const all = [...schedulesOf(space, 2, () => leftOut++)];
  assert.equal(new Set(all.map((schedule) => JSON.stringify(schedule))).size, all.length);
  // What is left out early stands for all that would have followed it.
  const firstMoves = space.moves.filter((move) => move.apply(new Set()) !== null).length;
  const seconds = firstMoves * space.phases.length * space.moves.length * space.waits.length;
  assert.equal(all.length + leftOut, seconds + (space.moves.length - firstMoves) * space.phases.length);
});

Deno.test("of two independent faults at the same instant, the order that is left out does the same", () => {
  const prover = new Prover(pair(true), options);
  const { moves, waits } = prover.space;
  const tried = new Set([...schedulesOf(prover.space, 2)].map((schedule) => JSON.stringify(schedule)));
  let swapped = 0;
  for (const [one, first] of moves.entries()) {
    for (const other of moves.keys()) {
      const schedule: Schedule = [{ move: one, wait: 0 }, { move: other, wait: waits.indexOf(0) }];
      const turned: Schedule = [{ move: other, wait: 0 }, { move: one, wait: waits.indexOf(0) }];
      const world = first.apply(new Set());
      if (world === null || moves[other]!.apply(world) === null || tried.has(JSON.stringify(schedule))) {
        continue;
      }
      swapped++;
      assert.ok(tried.has(JSON.stringify(turned)), `neither order of ${prover.inWords(schedule)} is tried`);
      assert.deepEqual(holdersOf(prover, schedule), holdersOf(prover, turned), prover.inWords(schedule));
    }
  }
  assert.ok(swapped > 10, `only ${swapped} orders were left out`);
});

function holdersOf(prover: Prover, schedule: Schedule): readonly string[] {
  return prover.play(schedule).simulation.trace.holders("web").map(({ holders }) => holders.join());
}

Deno.test("without an arbiter the partition of both networks alone makes two holders", () => {
  const prover = new Prover(pair(false), options);
  const schedule = firstToTwo(prover, 1);
  assert.equal(schedule === null ? null : prover.inWords(schedule), "split n1");
});

const withoutStalls = { ...options, kinds: ["cut", "split", "power-off", "heal"] as const };

Deno.test("with fencing no order of two faults makes two holders, and a device that fails leaves none", () => {
  const { settings } = pair(false);
  const kinds = ["split", "pause", "crash", "fencing", "heal"] as const;
  const cluster = { settings: { ...settings, fencing: fencing() }, settingsOf: null };
  const prover = new Prover(cluster, { ...options, kinds });
  assert.equal(firstToTwo(prover, 2), null);
  const [crash, fails] = ["crash n1", "fencing fails"].map((name) =>
    prover.space.moves.findIndex((move) => move.name === name)
  );
  const { verdicts } = prover.play([{ move: crash!, wait: 0 }, { move: fails!, wait: 0 }]);
  assert.deepEqual(verdicts.map(({ danger }) => danger), ["no-holder"]);
});

Deno.test("with an arbiter no order of two partitions, cuts, power-offs and repairs makes two holders", () => {
  assert.equal(firstToTwo(new Prover(pair(true), withoutStalls), 2), null);
});

Deno.test("with an arbiter, and a lease that is waited for, no two faults at all make two holders", () => {
  assert.equal(firstToTwo(new Prover(pair(true, true), options), 2), null);
});

Deno.test("the proof fails where a lease is renewed by a contact that is too old", async () => {
  await withMutant(staleRenewal, async (_, load) => {
    const { Prover } = await load("prove/prove.ts") as typeof import("../../lib/sim/prove/prove.ts");
    const prover = new Prover(pair(true, true, { keepaliveMs: 300, deadTimeMs: 3_000 }), options);
    const schedule = firstToTwo(prover, 2);
    assert.match(schedule === null ? "none" : prover.inWords(schedule), /split n1.*(crash|pause) n1/);
  });
});

Deno.test("without waiting for the lease, a daemon that is killed while it is cut off makes two holders", () => {
  const prover = new Prover(pair(true), options);
  const schedule = firstToTwo(prover, 2);
  assert.match(schedule === null ? "none" : prover.inWords(schedule), /split n1.*(crash|pause) n1/);
});

Deno.test("the proof fails where an isolated node keeps what it holds", async () => {
  const mutation = mutations.find(({ name }) => name === "an isolated node keeps what it holds")!;
  await withMutant(mutation, async (_, load) => {
    const { Prover } = await load("prove/prove.ts") as typeof import("../../lib/sim/prove/prove.ts");
    const prover = new Prover(pair(true), withoutStalls);
    const schedule = firstToTwo(prover, 1);
    assert.equal(schedule === null ? null : prover.inWords(schedule), "split n1");
  });
});
