/**
 * The holder's daemon stands still: the kernel takes the address away, another node takes over, and the one that
 * stood still does not fight when it goes on.
 */

import assert from "node:assert/strict";
import type { Scenario } from "./scenario.ts";

export const stalls: readonly Scenario[] = [
  {
    name: "the holder's daemon stands still for longer than the deadtime and goes on: it does not fight",
    isEssential: true,
    play: async (stage) => {
      await stage.opens();
      stage.lab.stop("node1");
      await stage.heldBy("node2");
      await stage.untilServed();
      stage.outageWithin(3);
      await stage.agrees("node2", { alarms: ["node-dead"], holders: ["node2"] });

      stage.lab.cont("node1");
      await stage.said("node1", "stalled", /giving up web, listening before judging anybody/);
      for (const node of ["node1", "node2"]) await stage.agrees(node, { alarms: [], holders: ["node2"] });
      await stage.nothingMoves("node2", 1500);
      stage.neverTwo();
      assert.ok(!stage.hasSaid("node1", "group-starting"), "it started the group again");
      // node2 may hear the heartbeat that was on its way out when its sender was stopped.
      assert.ok(!stage.hasSaid("node1", "split-brain"));
    },
  },
  {
    name: "the holder's daemon stands still over and over, around the deadtime: never two holders",
    play: async (stage) => {
      await stage.opens();
      for (const stillMs of [750, 950, 1050, 1250]) {
        const holder = stage.pair.holders.sample()[0];
        if (holder === undefined) throw new Error("nobody holds it between two stalls");
        stage.lab.stop(holder);
        await pause(stillMs);
        stage.lab.cont(holder);
        // Until all is well again: one holder, in the eyes of both.
        for (const node of ["node1", "node2"]) await stage.untilAlarms(node, []);
        await pause(stage.deadTimeMs + 300);
        await stage.untilServed();
      }
      stage.neverTwo();
      stage.outageWithin(4);
    },
  },
  {
    name: "the holder's daemon stands still for less than the deadtime: nothing moves",
    config: { deadTimeMs: 4_000 },
    play: async (stage) => {
      await stage.opens();
      stage.lab.stop("node1");
      await pause(1_400);
      stage.lab.cont("node1");
      await stage.nothingMoves("node1", 4_000);
      stage.neverTwo();
      stage.noOutage();
      for (const node of ["node1", "node2"]) assert.deepEqual(stage.codes(node, "alarm"), []);
    },
  },
  {
    name: "the standby's daemon stands still for longer than the deadtime: it takes nothing when it goes on",
    play: async (stage) => {
      await stage.opens();
      stage.lab.stop("node2");
      await stage.said("node1", "node-dead");
      await pause(500);
      stage.lab.cont("node2");
      await stage.said("node2", "stalled", /holding nothing/);
      for (const node of ["node1", "node2"]) await stage.agrees(node, { alarms: [], holders: ["node1"] });
      await stage.nothingMoves("node1", 1200);
      stage.neverTwo();
      stage.noOutage();
    },
  },
];

/** The length of a blow; never a wait for a result. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
