/**
 * Fencing for real: an agent switches the laboratory's machines off, beside all networks. Whoever is cut off in every
 * way, or stands still, is off before another node takes what it held; where that fails, nobody takes; and a holder
 * that works and can be asked for its address is left alone.
 */

import assert from "node:assert/strict";
import { writeConfig } from "../../../scripts/lab/config.ts";
import { LAB_AGENT, LabPower, powerDirectory } from "../../../scripts/lab/power.ts";
import { dropHeartbeatsTo, needsFirewall } from "./firewall.ts";
import { assertUntouched, both } from "./partitions.ts";
import type { Scenario } from "./scenario.ts";
import type { Stage } from "./stage.ts";

/** A scenario of a pair with one device for both nodes; no arbiter, and a service beside the address. */
function fenced(
  name: string,
  settings: Readonly<Record<string, unknown>>,
  rest: Pick<Scenario, "isEssential" | "needs">,
  play: (stage: Stage, power: LabPower) => Promise<void>,
): Scenario {
  return {
    name,
    ...rest,
    options: {
      prepare: (lab) => {
        const device = {
          name: "switch",
          agent: LAB_AGENT,
          nodes: both,
          options: { directory: powerDirectory(lab) },
          limit: "55s",
        };
        const fencing = { devices: [device], delay: { node1: "200ms" }, ...settings };
        writeConfig(lab, { deadTimeMs: 1000, extra: { fencing } });
      },
    },
    play: async (stage) => {
      const power = new LabPower(stage.lab, (node) => void stage.start(node));
      try {
        await play(stage, power);
      } finally {
        await power.stop();
      }
    },
  };
}

/** node1 was verified to be off before node2 took from it, and the sampler saw no two holders. */
async function fencedThenTaken(stage: Stage): Promise<void> {
  await stage.heldBy("node2");
  await stage.untilServed();
  stage.neverTwo();
  const off = await stage.said("node2", "fenced", /node1 is off, as switch says/);
  const taken = await stage.said("node2", "group-starting", /fenced/);
  assert.ok(off.atMs <= taken.atMs, "it was taken before it was fenced");
}

export const fencing: readonly Scenario[] = [
  fenced(
    "a pair without arbiter is cut in every network: the holder is fenced, then taken from, and comes back",
    { action: "reboot" },
    { isEssential: true },
    async (stage, power) => {
      await stage.opens();
      await stage.lab.mute("node1", "all");
      await fencedThenTaken(stage);
      assert.ok(!power.calls().includes("off node2"), "the holder fenced the standby");
      await stage.said("node2", "fenced-node-on", /has switched node1 on again/);
      // It came back into the partition. It must not fence whoever fenced it, or both would go on by turns.
      await stage.pair.untilSaid("node1", / notice settled: /);
      await stage.nothingMoves("node2", 1500);
      assert.ok(!power.calls().includes("off node2"), "it fenced back");
      await stage.lab.unmute("node1", "all");
      for (const node of both) await stage.agrees(node, { alarms: [], holders: ["node2"] });
      stage.neverTwo();
    },
  ),
  fenced(
    "the device does not work: nobody takes, the alarm says why, and a person who pulled the plug can vouch",
    { action: "off", retry: "1s" },
    {},
    async (stage, power) => {
      await stage.opens();
      power.fault = "dead";
      await stage.lab.mute("node1", "all");
      const failed = await stage.said("node2", "fencing-failed");
      assert.match(failed.sentence, /Unable to connect to the device.*heartline confirm/);
      await stage.nothingMoves("node1", 2000);
      const alarms = (await stage.status("node2")).alarms.map(({ code }) => code);
      assert.ok(alarms.includes("fencing-failed"), alarms.join());
      await power.pull("node1");
      const confirmed = await stage.heartline("node2", "confirm");
      assert.equal(confirmed.code, 0, confirmed.stderr);
      await stage.heldBy("node2");
      await stage.untilServed();
      stage.neverTwo();
    },
  ),
  fenced(
    "the holder's daemon stands still: it is fenced, then taken from",
    { action: "off" },
    {},
    async (stage) => {
      await stage.opens();
      stage.lab.stop("node1");
      await fencedThenTaken(stage);
      await stage.agrees("node2", { alarms: ["node-dead"], holders: ["node2"] });
      assert.equal(stage.lab.machine("node1").isOn, false);
    },
  ),
  fenced(
    "the heartbeat links alone are cut: the holder works and is not fenced",
    { action: "off" },
    { needs: needsFirewall },
    async (stage, power) => {
      await stage.opens();
      for (const node of both) await dropHeartbeatsTo(stage, node);
      await stage.said("node2", "wire-veto", /node1 is out of view: .* answers for 10\.77\.1\.100/);
      await stage.nothingMoves("node1", 1500);
      assert.deepEqual(power.calls().filter((call) => call.startsWith("off")), []);
      assertUntouched(stage, ...both);
      stage.neverTwo();
      stage.noOutage();
    },
  ),
];
