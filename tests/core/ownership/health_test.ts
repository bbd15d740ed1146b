/** What makes a node unfit for a group, and what makes it fit again. */

import assert from "node:assert/strict";
import { addressLossesMax, addressLossMemoryMs, restartMemoryMs } from "../../../lib/core/limits.ts";
import { Health } from "../../../lib/core/ownership/health.ts";
import { at, contextAt, group, reports } from "../samples.ts";

const settings = group({ retryAfterMs: 3_000, monitorIntervalMs: 2_000 });

function scene() {
  const context = contextAt(1_000);
  const health = new Health(settings);
  const tickAt = (ms: number) => {
    context.now = at(ms);
    health.tick(context);
    return reports(context.takeEffects());
  };
  return { context, health, tickAt };
}

Deno.test("a failure keeps the group away until its time is over, and its alarm ends with it", () => {
  const { context, health, tickAt } = scene();
  context.raise("start-failed", "web", "it failed");
  context.takeEffects();
  health.fail(context, "start failed");
  assert.equal(context.isStatementDirty, true, "the others are told at once");
  assert.equal(health.ailment, "start failed");
  assert.equal(health.deadline(at(1_000), false), 4_000);
  assert.deepEqual(tickAt(3_999), []);
  assert.equal(health.isFit, false);
  context.isStatementDirty = false;
  assert.deepEqual(tickAt(4_000), ["clear start-failed"]);
  assert.equal(health.isFit, true);
  assert.equal(context.isStatementDirty, true);
  assert.equal(health.deadline(at(4_000), false), null);
});

Deno.test("an operator forgives a failure at once, but not a lost carrier", () => {
  const { context, health } = scene();
  health.fail(context, "start failed");
  health.setCarrier(context, "eth0", false);
  assert.equal(health.ailment, "no carrier on eth0");
  health.forgive(context);
  assert.equal(health.ailment, "no carrier on eth0");
  health.setCarrier(context, "eth0", true);
  assert.equal(health.ailment, null);
});

Deno.test("every interface without a carrier is one alarm, and the last one that returns heals", () => {
  const { context, health } = scene();
  health.setCarrier(context, "eth0", false);
  health.setCarrier(context, "eth1", false);
  health.setCarrier(context, "eth0", false);
  assert.deepEqual(reports(context.takeEffects()), ["alarm carrier-lost", "alarm carrier-lost"]);
  health.setCarrier(context, "eth0", true);
  assert.equal(health.ailment, "no carrier on eth1");
  health.setCarrier(context, "eth1", true);
  health.setCarrier(context, "eth1", true);
  assert.equal(health.isFit, true);
  assert.deepEqual(reports(context.takeEffects()), ["clear carrier-lost", "clear carrier-lost"]);
});

Deno.test("a resource is restarted once; again only when the first time is long ago or forgiven", () => {
  const { context, health } = scene();
  assert.equal(health.mayRestart(at(1_000)), true);
  assert.equal(health.mayRestart(at(1_000 + restartMemoryMs - 1)), false);
  assert.equal(health.mayRestart(at(1_000 + restartMemoryMs)), true, "the second one began a new count");
  assert.equal(health.mayRestart(at(1_000 + 2 * restartMemoryMs)), true, "long ago");
  health.forgive(context);
  assert.equal(health.mayRestart(at(1_001 + 2 * restartMemoryMs)), true, "forgiven");
});

Deno.test("monitoring is due an interval after the start, then every interval, never twice at a time", () => {
  const { health } = scene();
  assert.equal(health.isMonitorDue(at(1e9), false), false, "nothing runs yet");
  health.scheduleMonitor(at(1_000));
  assert.equal(health.deadline(at(1_000), true), 3_000);
  assert.equal(health.deadline(at(1_000), false), null);
  assert.equal(health.isMonitorDue(at(2_999), false), false);
  assert.equal(health.isMonitorDue(at(3_000), false), true);
  assert.equal(health.isMonitorDue(at(3_000), false), false);
  assert.equal(health.isMonitorDue(at(5_000), true), false, "the round before is still under way");
  assert.equal(health.deadline(at(5_000), true), 7_000);
});

Deno.test("an address is flapping when it is removed too often in too short a time, and no more after a while", () => {
  const { context, health, tickAt } = scene();
  const isFlapping: boolean[] = [];
  for (let n = 0; n <= addressLossesMax; n++) isFlapping.push(health.isAddressFlapping(at(1_000 + n)));
  assert.deepEqual(isFlapping, [...Array(addressLossesMax).fill(false), true]);
  context.raise("address-flapping", "web", "again and again");
  context.takeEffects();
  const last = 1_000 + addressLossesMax;
  assert.deepEqual(tickAt(last + addressLossMemoryMs - 1), []);
  assert.deepEqual(tickAt(last + addressLossMemoryMs), ["clear address-flapping"]);
  assert.equal(health.isAddressFlapping(at(last + addressLossMemoryMs)), false);
});
