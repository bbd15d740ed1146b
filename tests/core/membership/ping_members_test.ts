/** Ping members: up by an answer that is young enough, dead after deadping, one alarm; no node, no group, no vote. */

import assert from "node:assert/strict";
import { PingMembers } from "../../../lib/core/membership/ping_members.ts";
import { quietPair } from "../hand_wired.ts";
import { at, contextAt, reports } from "../samples.ts";

const deadPingMs = 1_000;

function scene() {
  const pings = new PingMembers([
    { name: "router", targets: ["10.0.0.254"] },
    { name: "exits", targets: ["10.0.0.253", "fd00::1"] },
  ], deadPingMs);
  const context = contextAt(0);
  const tickAt = (ms: number) => {
    context.now = at(ms);
    pings.tick(context);
    return reports(context.takeEffects());
  };
  const states = () => pings.view(context.now).map(({ state }) => state);
  tickAt(0);
  return { pings, context, tickAt, states };
}

Deno.test("a member is up by its first answer, dead deadping after the last question answered, and up again", () => {
  const { pings, tickAt, states } = scene();
  assert.deepEqual(states(), ["unknown", "unknown"]);
  pings.hear("router", at(100));
  assert.deepEqual([tickAt(120), states()], [["notice ping-up"], ["up", "unknown"]]);
  // An answer that waited in the socket is as old as its question.
  pings.hear("router", at(500));
  pings.hear("router", at(300));
  pings.hear("nobody", at(300));
  assert.deepEqual([tickAt(999), tickAt(1_000)], [[], ["alarm ping-dead"]], "exits has never answered");
  assert.deepEqual([tickAt(1_499), tickAt(1_500), tickAt(9_000)], [[], ["alarm ping-dead"], []]);
  assert.deepEqual(states(), ["dead", "dead"]);
  pings.hear("exits", at(9_050));
  assert.deepEqual([tickAt(9_060), states()], [["clear ping-dead"], ["dead", "up"]]);
  assert.deepEqual(pings.view(at(9_100))[1]!.answeredAgoMs, 50);
});

Deno.test("it asks to be woken when a member would be dead, and for nothing else", () => {
  const { pings, tickAt } = scene();
  const instants: (number | null)[] = [];
  pings.hear("router", at(400));
  tickAt(410);
  pings.addDeadlines(instants as never);
  assert.deepEqual(instants, [1_400, 1_000]);
  tickAt(2_000);
  instants.length = 0;
  pings.addDeadlines(instants as never);
  assert.deepEqual(instants, []);
});

Deno.test("a dead ping member moves nothing and is no node", () => {
  const wired = quietPair({ pingMembers: [{ name: "router", targets: ["10.0.0.254"] }] });
  wired.run(wired.nowMs + 5_000);
  const view = wired.nodes.get("n1")!.view();
  assert.equal(view.pings[0]!.state, "dead");
  assert.deepEqual(view.peers.map(({ node }) => node), ["n2"]);
  assert.deepEqual([view.phase, view.groups[0]!.holders], ["settled", ["n1"]]);
  wired.step("n1", { kind: "ping", member: "router", target: "10.0.0.254", askedAt: at(wired.nowMs) });
  assert.equal(wired.nodes.get("n1")!.view().pings[0]!.state, "up");
});
