/**
 * The procedure of `docs/migrating.md`, step by step, with the client pinging all the while: two Heartbeat daemons
 * become two Heartlines, one node at a time, and go back. The address is away for planned moves only.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { InteropScenario } from "../scenario.ts";
import type { MixedPair, Node } from "../mixed_pair.ts";

/** What a busy machine may add to a move of Heartline's, of which a pause of the client is a small part. */
const slackMs = 3_000;

export const migration: readonly InteropScenario[] = [{
  name: "a pair is moved over one node at a time, and back",
  ours: "node2",
  isEssential: true,
  play: async (pair) => {
    await pair.startHeartbeat("node1");
    await pair.startHeartbeat("node2");
    await pair.heldBy("node1");
    await pair.settled("local|all", "node1");
    const plannedMs = await plannedMoveOfHeartbeat(pair);
    // The scripts of the real daemon take half as long, or twice as long, from one time to the next.
    const allowedMs = 2 * plannedMs + slackMs;
    const account = (what: string, outageMs: number) =>
      console.log(`  ${what}: the client's longest pause was ${outageMs.toFixed(0)} ms`);
    account("hb_standby between two Heartbeat daemons, for comparison", plannedMs);

    // What two Heartbeat daemons do between themselves is theirs.
    const mixedSinceMs = pair.blow();
    const generation = generationOf(pair, "node2");
    await pair.stop("node2");
    pair.start("node2");
    await pair.said(/ notice settled: /, "node2");
    await pair.settled("local|all", "node1");
    assert.equal(pair.holders.sample().join(), "node1");
    assert.ok(generationOf(pair, "node2") > generation, "the generation goes on");
    account("node2, which holds nothing, moved over", pair.outageMs());
    assert.ok(pair.outageMs() < allowedMs);

    pair.blow();
    await pair.heartlineOn("node2", "takeover");
    await pair.heldBy("node2");
    await pair.settled("none|foreign", "node1");
    account("heartline takeover on node2", pair.outageMs());
    assert.ok(pair.outageMs() < allowedMs);

    pair.blow();
    await pair.stop("node1");
    pair.start("node1");
    await pair.said(/ notice settled: /, "node1");
    await pair.stays("node2", 1_500);
    account("node1 moved over: both run Heartline", pair.outageMs());
    assert.ok(pair.outageMs() < allowedMs);

    pair.blow();
    await pair.heartlineOn("node1", "takeover");
    await pair.heldBy("node1");
    account("heartline takeover on node1", pair.outageMs());
    assert.ok(pair.outageMs() < allowedMs);

    pair.blow();
    await pair.stop("node2");
    await pair.startHeartbeat("node2");
    await pair.settled("none|local", "node2");
    assert.equal(pair.holders.sample().join(), "node1");
    account("back: node2 runs Heartbeat again", pair.outageMs());
    assert.ok(pair.outageMs() < allowedMs);

    pair.blow();
    await pair.heartlineOn("node1", "standby");
    await pair.heldBy("node2");
    await pair.settled("all|foreign", "node2");
    const before = pair.log("node2").length;
    await pair.stop("node1");
    pair.neverTwo(mixedSinceMs);
    // A daemon that has not noticed the end of the other one gives nothing back.
    await pair.logged(/node node1: is dead[^]*Dead node node1/, "node2", before);
    await pair.startHeartbeat("node1");
    // auto_failback on: it goes home as soon as node1 is stable.
    await pair.heldBy("node1");
    await pair.settled("local|all", "node1");
    account("back: node1 runs Heartbeat again, two planned moves", pair.outageMs());
    assert.ok(pair.outageMs() < allowedMs);
  },
}];

/** There and back; the longer one. */
async function plannedMoveOfHeartbeat(pair: MixedPair): Promise<number> {
  pair.blow();
  await pair.hbStandby("all", "node1");
  await pair.heldBy("node2");
  await pair.settled("all|foreign", "node2");
  await pair.hbStandby("foreign", "node2");
  await pair.heldBy("node1");
  await pair.settled("local|all", "node1");
  return pair.outageMs();
}

function generationOf(pair: MixedPair, node: Node): number {
  const path = pair.lab.machine(node).hostPath("/var/lib/heartbeat/hb_generation");
  return Number(readFileSync(path, "utf8"));
}
