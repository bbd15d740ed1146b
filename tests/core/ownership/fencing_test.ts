/** When a lost node is fenced, what counts as that, and what happens when it does not work. */

import assert from "node:assert/strict";
import type { FenceOutcome, WireVerdict } from "../../../lib/core/inputs.ts";
import { fencedGoodMs } from "../../../lib/core/limits.ts";
import type { ClusterOutline } from "../../../lib/sim/cluster_settings.ts";
import { type HandWired, holders, order, quietPair } from "../hand_wired.ts";
import { at, fencing, timing } from "../samples.ts";

const fenced: FenceOutcome = { kind: "fence", result: "fenced", reason: "pdu: off" };
const failed: FenceOutcome = { kind: "fence", result: "failed", reason: "pdu: no answer" };
const unknown: FenceOutcome = { kind: "fence", result: "unknown", reason: "pdu: time limit" };
const answered: WireVerdict = { kind: "answered", address: "192.0.2.100", hardware: "n1" };

const script = [{ name: "web", resources: ["script" as const] }];

/** n1 holds `web` and is lost at 1000 ms, for n2; `isOff`: it is. */
function lost(outline: Partial<ClusterOutline> = {}, isOff = true): HandWired {
  const wired = quietPair({ fencing: fencing(), ...outline });
  wired.isCarried = () => false;
  if (isOff) wired.still.add("n1");
  return wired;
}

function fences(wired: HandWired): number[] {
  return wired.log.flatMap(({ atMs, effect }) => effect.kind === "fence" ? [atMs] : []);
}

const pending = (wired: HandWired) => wired.nodes.get("n2")!.view().groups[0]!.pending.join();
const held = (wired: HandWired) => wired.nodes.get("n2")!.view().groups[0]!.holders.includes("n2");

for (const groups of [undefined, script]) {
  const what = groups === undefined ? "with an address" : "of scripts";
  Deno.test(`a group ${what} is taken when its lost holder is verified off, and not before`, () => {
    const wired = lost(groups === undefined ? {} : { groups });
    wired.fence = () => [400, fenced];
    wired.run(2_300);
    assert.equal(fences(wired).length, 1);
    assert.equal(held(wired), false);
    assert.match(pending(wired), /^fencing n1, attempt 1$/);
    wired.run(2_500);
    assert.equal(held(wired), true);
    assert.ok(!wired.reports("n2").includes("warning group-starting"), "it is protected");
    assert.match(wired.nodes.get("n2")!.view().groups[0]!.reason, /n1 fenced/);
    assert.deepEqual(wired.nodes.get("n2")!.view().fencing.map(({ state }) => state), ["fenced"]);
  });
}

for (const outcome of [failed, unknown]) {
  Deno.test(`${outcome.result} is no success: an alarm, and another attempt after retryMs`, () => {
    const wired = lost();
    wired.fence = (_node, attempt) => attempt < 3 ? [100, outcome] : [100, fenced];
    wired.run(5_000);
    const [first, second] = fences(wired);
    assert.equal(second! - first!, 2_100);
    assert.equal(held(wired), false);
    assert.equal(wired.reports("n2").filter((each) => each === "alarm fencing-failed").length, 1);
    assert.match(pending(wired), new RegExp(`^fencing n1, attempt 2 ${outcome.result}: ${outcome.reason}$`));
    wired.run(7_000);
    assert.equal(held(wired), true);
    assert.ok(wired.reports("n2").includes("clear fencing-failed"));
  });
}

Deno.test("an attempt without an outcome holds everything up, and none is begun beside it", () => {
  const wired = lost();
  wired.run(60_000);
  assert.equal(fences(wired).length, 1);
  assert.equal(held(wired), false);
});

Deno.test("a person may vouch for the lost node once an attempt has failed, not while the first one runs", () => {
  const wired = lost();
  wired.fence = () => [1_000, failed];
  wired.run(2_500);
  assert.match(wired.command("n2", order("confirm")), /^refused: n1 is being fenced/);
  wired.run(3_500);
  assert.equal(wired.command("n2", order("confirm")), "accepted: confirmed: web, and that n1 is off");
  wired.run(3_600);
  assert.equal(held(wired), true);
  wired.run(3_700 + timing.deadTimeMs);
  assert.ok(wired.reports("n2").includes("clear fencing-failed"));
});

Deno.test("an answer for a moment takes back neither the alarm of a failed attempt nor the right to vouch", () => {
  const wired = lost();
  wired.fence = (_node, attempt) => attempt === 1 ? [100, failed] : null;
  wired.run(3_000);
  wired.wire = () => answered;
  wired.run(3_500);
  assert.equal(pending(wired), "not taken: n1 answers for 192.0.2.100");
  wired.wire = () => ({ kind: "silent" });
  wired.run(5_400);
  assert.equal(fences(wired).length, 2);
  assert.ok(!wired.reports("n2").includes("clear fencing-failed"));
  assert.match(wired.command("n2", order("confirm")), /^accepted: confirmed: web, and that n1 is off/);
});

Deno.test("a person's word is about the present loss: who is heard in between must be fenced when lost again", () => {
  const wired = lost();
  wired.fence = () => [100, failed];
  const { roster: { peers }, keepers } = wired.nodes.get("n2")!;
  const { claim } = keepers[0]!;
  wired.run(5_000);
  claim.vouch(peers);
  peers[0]!.heardAt = at(wired.nowMs);
  wired.run(5_200);
  assert.equal(held(wired), false);
  claim.vouch(peers);
  wired.run(5_400);
  assert.equal(held(wired), true);
});

Deno.test("an outcome that waited for us to wake is too old, also where the sleep was no stall", () => {
  const slow = { keepaliveMs: 2_000, deadTimeMs: 10_000, warnTimeMs: 5_000, initDeadMs: 10_000 };
  const wired = lost({ timing: slow, groups: script });
  wired.fence = (_node, attempt) => attempt === 1 ? null : [100, fenced];
  while (fences(wired).length === 0) wired.run(wired.nowMs + 100);
  wired.still.add("n2");
  wired.run(wired.nowMs + 5_000);
  wired.still.delete("n2");
  wired.step("n2", { kind: "outcome", id: idOfFence(wired), outcome: fenced });
  assert.ok(!wired.reports("n2").includes("warning stalled"));
  assert.equal(held(wired), false);
  wired.run(wired.nowMs + 500);
  assert.deepEqual([fences(wired).length, held(wired)], [2, true]);
});

Deno.test("where takeovers are confirmed, that comes first and says nothing about the node", () => {
  const wired = lost({ takeoverConfirm: true });
  wired.fence = () => [100, failed];
  wired.run(4_000);
  assert.equal(fences(wired).length, 0);
  assert.equal(wired.command("n2", order("confirm")), "accepted: confirmed: web");
  wired.run(4_500);
  assert.equal(fences(wired).length, 1);
  assert.equal(held(wired), false);
  wired.command("n2", order("confirm"));
  wired.run(4_600);
  assert.equal(held(wired), true);
});

Deno.test("who answers for the address is not fenced, for another group neither", () => {
  const wired = lost({ groups: [...script, { name: "db", resources: [{ leaseSeconds: 1 }] }] }, false);
  wired.wire = (asker) => asker === "n2" ? answered : { kind: "silent" };
  wired.fence = () => [100, fenced];
  wired.run(30_000);
  assert.equal(fences(wired).length, 0);
  assert.ok(wired.reports("n2").includes("alarm wire-veto"));
  assert.match(pending(wired), /^n1 is not fenced: the service network is asked who has db$/);
  wired.wire = () => ({ kind: "silent" });
  wired.run(32_000);
  assert.equal(fences(wired).length, 1, "one attempt for both groups");
  assert.equal(held(wired), true);
});

Deno.test("the delay of a target counts from when it would be fenced, and anew after a veto", () => {
  const wired = lost({ fencing: fencing({ delayMs: { n1: 3_000 } }) });
  wired.fence = () => [100, fenced];
  wired.run(4_000);
  assert.equal(pending(wired), "delay before fencing n1");
  wired.wire = () => answered;
  wired.run(6_000);
  wired.wire = () => ({ kind: "silent" });
  wired.run(8_900);
  assert.equal(fences(wired).length, 0);
  wired.run(10_000);
  assert.equal(fences(wired).length, 1);
  assert.equal(held(wired), true);
});

Deno.test("a node that no device covers is judged as without fencing", () => {
  const wired = lost({ fencing: fencing({}, ["n2"]) });
  wired.run(2_500);
  assert.deepEqual([fences(wired).length, held(wired)], [0, true]);
});

Deno.test("in maintenance nobody is fenced", () => {
  const wired = lost();
  wired.command("n2", { kind: "maintenance", on: true });
  wired.run(30_000);
  assert.equal(fences(wired).length, 0);
});

Deno.test("a success is good for a moment: a start that comes later fences again", () => {
  const wired = lost();
  wired.fence = () => [100, fenced];
  let isBroken = true;
  const answer = wired.answer;
  wired.answer = (run, node) =>
    isBroken && run.operation === "start"
      ? { kind: "resource", result: "failed", code: 1, reason: "", output: [], durationMs: 1 }
      : answer(run, node);
  wired.run(3_000);
  assert.deepEqual([fences(wired).length, held(wired)], [1, false]);
  isBroken = false;
  wired.run(8_000);
  assert.deepEqual([fences(wired).length, held(wired)], [2, true]);
});

Deno.test("a stall between the fencing and the start undoes it, also when the outcome comes only afterwards", () => {
  for (const outcomeMs of [100, 1_500]) {
    const wired = lost();
    wired.fence = (_node, attempt) => [attempt === 1 ? outcomeMs : 100, fenced];
    wired.run(2_250);
    assert.equal(fences(wired).length, 1);
    wired.still.add("n2");
    wired.run(5_000);
    wired.still.delete("n2");
    // What came meanwhile is handed over late.
    wired.step("n2", { kind: "outcome", id: idOfFence(wired), outcome: fenced });
    assert.equal(held(wired), false);
    assert.deepEqual(wired.nodes.get("n2")!.roster.peers.map(({ isFenced }) => isFenced), [false]);
    wired.run(5_000 + timing.deadTimeMs + 2_000);
    assert.deepEqual([fences(wired).length, held(wired)], [2, true]);
  }
});

function idOfFence(wired: HandWired) {
  const found = wired.log.find(({ effect }) => effect.kind === "fence")!.effect;
  assert.ok(found.kind === "fence");
  return found.id;
}

Deno.test("heard again in a new run: the success was about the former one, and nothing rests on it", () => {
  const wired = lost();
  wired.fence = () => [1_000, fenced];
  wired.run(2_500);
  wired.still.delete("n1");
  wired.isCarried = () => true;
  wired.start("n1", 2);
  wired.run(3_200);
  assert.ok(wired.reports("n2").includes("notice fenced"));
  const view = wired.nodes.get("n2")!.view();
  assert.deepEqual(view.fencing, []);
  assert.deepEqual(view.alarms, []);
});

Deno.test("an attempt that fails when nobody waits for it any more leaves no alarm behind", () => {
  const wired = lost();
  wired.fence = () => [1_000, failed];
  wired.run(2_500);
  wired.still.delete("n1");
  wired.isCarried = () => true;
  wired.run(5_000);
  assert.deepEqual(wired.reports("n2", 2_500).filter((each) => each.endsWith("fencing-failed")), [
    "alarm fencing-failed",
    "clear fencing-failed",
  ]);
});

Deno.test("heard again in the same run long after: the device lied, which is an alarm until it is started anew", () => {
  const wired = lost();
  wired.fence = () => [100, fenced];
  wired.run(2_600);
  assert.equal(held(wired), true);
  wired.still.delete("n1");
  wired.isCarried = () => true;
  wired.run(2_600 + fencedGoodMs);
  wired.run(2_600 + 2 * timing.deadTimeMs);
  assert.ok(wired.reports("n2").includes("alarm fenced-alive"));
  wired.start("n1", 2);
  wired.run(8_000);
  assert.ok(wired.reports("n2").includes("clear fenced-alive"));
  assert.equal(holders(wired), "n2");
});

Deno.test("what was still under way when the node was fenced is no alarm, but ends the success", () => {
  const wired = lost({}, false);
  wired.fence = () => [10, failed];
  wired.run(2_300);
  assert.equal(fences(wired).length, 1);
  wired.fence = () => [10, fenced];
  wired.isCarried = (from) => from === "n1";
  wired.run(2_600);
  wired.isCarried = () => false;
  wired.still.add("n1");
  wired.run(9_000);
  assert.equal(held(wired), true);
  assert.ok(!wired.reports("n2").includes("alarm fenced-alive"));
});
