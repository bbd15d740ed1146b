/**
 * Three nodes: who takes over is decided by the order of the group's nodes, and a node that only some others still
 * hear is not overtaken.
 */

import assert from "node:assert/strict";
import { dropHeartbeatsTo, needsFirewall, passHeartbeats } from "./firewall.ts";
import type { Scenario } from "./scenario.ts";
import type { Stage } from "./stage.ts";

const all = ["node1", "node2", "node3"];

export const clusters: readonly Scenario[] = [
  {
    name: "three nodes: the next in order takes over, and then the last",
    options: { nodes: 3 },
    play: async (stage) => {
      await stage.opens();
      stage.lab.kill("node1");
      await stage.heldBy("node2");
      await stage.untilServed();
      stage.outageWithin(3);
      assert.ok(!stage.hasSaid("node3", "group-starting"));
      for (const node of ["node2", "node3"]) {
        await stage.agrees(node, { alarms: ["node-dead"], holders: ["node2"] });
      }
      stage.blow();
      await stage.lab.powerOff("node2");
      await stage.heldBy("node3");
      await stage.untilServed();
      stage.neverTwo();
      stage.outageWithin(3);
      await stage.agrees("node3", { alarms: ["node-dead", "node-dead"], holders: ["node3"] });
    },
  },
  {
    name: "three nodes: the links between two of them are cut, the third is witness and nothing moves",
    needs: needsFirewall,
    options: { nodes: 3 },
    config: { deadTimeMs: 3_000 },
    play: async (stage) => {
      await stage.opens();
      await dropHeartbeatsTo(stage, "node1", addressesOf(stage, "node2"));
      await dropHeartbeatsTo(stage, "node2", addressesOf(stage, "node1"));
      for (const node of ["node1", "node2"]) await stage.said(node, "node-dead");
      await stage.nothingMoves("node1", 1500);
      await stage.agrees("node3", { alarms: [], holders: ["node1"] });
      assert.match(
        (await stage.status("node2")).groups[0]!.reason,
        /node3 still hears node1|answers for 10\.77\.1\.100/,
      );

      await passHeartbeats(stage, "node1", "node2");
      for (const node of all) await stage.agrees(node, { alarms: [], holders: ["node1"] });
      for (const node of all) assert.ok(!stage.hasSaid(node, "group-starting"), `${node} started it`);
      stage.neverTwo();
      stage.noOutage();
    },
  },
  {
    name: "three nodes and an arbiter: one is cut off and gives up, the next in order takes over",
    options: { nodes: 3 },
    config: {
      deadTimeMs: 4_000,
      extra: { arbiters: [{ ping: ["10.77.1.254"], "on-unreachable": "release" }] },
    },
    play: async (stage) => {
      await stage.opens();
      await stage.lab.mute("node1", "all");
      await stage.heldBy("node2");
      await stage.untilServed();
      stage.neverTwo();
      stage.outageWithin(3);
      await stage.lab.unmute("node1", "all");
      for (const node of all) await stage.agrees(node, { alarms: [], holders: ["node2"] });
      stage.neverTwo();
    },
  },
];

function addressesOf(stage: Stage, node: string): string[] {
  return stage.lab.links.map((link) => stage.lab.network.address(node, link));
}
