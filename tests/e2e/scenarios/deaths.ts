/**
 * The holder's daemon, its machine, or its cable to the service network dies: the other node takes over, never before
 * the address is gone from the holder.
 */

import assert from "node:assert/strict";
import { waitFor } from "../harness.ts";
import type { Scenario } from "./scenario.ts";

export const deaths: readonly Scenario[] = [
  {
    name: "the holder's daemon is killed: the other node takes over once the address has expired",
    isEssential: true,
    play: async (stage) => {
      await stage.opens();
      stage.lab.kill("node1");
      await stage.heldBy("node2");
      await stage.untilServed();
      stage.neverTwo();
      stage.outageWithin(3);
      const taken = await stage.said("node2", "group-started");
      assert.match(taken.sentence, /ms after the last heartbeat of its former holder/);
      assert.deepEqual(stage.codes("node2", "alarm"), ["node-dead"]);
      await stage.agrees("node2", { alarms: ["node-dead"], holders: ["node2"] });

      stage.start("node1");
      await stage.untilAlarms("node2", []);
      await stage.said("node1", "settled");
      await stage.agrees("node1", { alarms: [], holders: ["node2"] });
      await stage.nothingMoves("node2", 500);
    },
  },
  {
    name: "the holder's daemon is killed and restarted within the deadtime: nobody is declared dead",
    config: { deadTimeMs: 4000 },
    play: async (stage) => {
      await stage.opens();
      stage.lab.kill("node1");
      await stage.lab.daemon("node1").ended;
      stage.start("node1");
      await stage.said("node2", "node-restarted");
      await waitFor(
        () => ["node1", "node2"].some((node) => stage.hasSaid(node, "group-started")),
        "the group is started again",
      );
      await stage.untilServed();
      stage.neverTwo();
      stage.outageWithin(1);
      await stage.untilAlarms("node1", []);
      assert.deepEqual(stage.codes("node2", "alarm"), []);
    },
  },
  {
    name: "the holder's machine loses power: the other node takes over, and it comes back as the standby",
    isEssential: true,
    play: async (stage) => {
      await stage.opens();
      await stage.lab.powerOff("node1");
      await stage.heldBy("node2");
      await stage.untilServed();
      stage.neverTwo();
      stage.outageWithin(3);
      // An outage of a deadtime: the proof that the checks of other scenarios see one.
      assert.throws(() => stage.noOutage(), /outage of/);
      assert.throws(() => stage.outageWithin(0.5), /outage of/);
      assert.deepEqual(stage.codes("node2", "alarm"), ["node-dead"]);
      await stage.agrees("node2", { alarms: ["node-dead"], holders: ["node2"] });

      await stage.lab.powerOn("node1");
      stage.start("node1");
      await stage.untilAlarms("node2", []);
      await stage.said("node1", "settled");
      await stage.nothingMoves("node2", 500);
      stage.neverTwo();
    },
  },
  {
    name: "the holder loses its cable to the service network: the other node takes the group",
    play: async (stage) => {
      await stage.opens();
      await stage.lab.cut("node1", "pub0");
      await stage.heldBy("node2");
      await stage.untilServed();
      stage.neverTwo();
      stage.outageWithin(3);
      await stage.said("node1", "carrier-lost");
      await stage.untilAlarms("node2", ["link-lost"]);
      assert.ok(!stage.hasSaid("node2", "node-dead"));

      await stage.lab.heal("node1", "pub0");
      await stage.agrees("node1", { alarms: [], holders: ["node2"] });
      await stage.agrees("node2", { alarms: [], holders: ["node2"] });
      stage.neverTwo();
    },
  },
  {
    name: "with a deadtime of 300 ms the address lease still ends before the other node takes over",
    config: { deadTimeMs: 300, realtime: true },
    play: async (stage) => {
      await stage.opens();
      stage.lab.kill("node1");
      await stage.heldBy("node2");
      await stage.untilServed();
      stage.neverTwo();
      // The lease of one whole second decides here, and not the deadtime.
      stage.outageWithin(8);
      assert.deepEqual(stage.codes("node2", "alarm"), ["node-dead"]);
    },
  },
  {
    name: "with a deadtime of 300 ms a machine that loses power is replaced within a few deadtimes",
    config: { deadTimeMs: 300, realtime: true },
    play: async (stage) => {
      await stage.opens();
      await stage.lab.powerOff("node1");
      await stage.heldBy("node2");
      await stage.untilServed();
      stage.neverTwo();
      stage.outageWithin(4);
    },
  },
  {
    name: "the standby's daemon is killed: nothing moves",
    play: async (stage) => {
      await stage.opens();
      stage.lab.kill("node2");
      await stage.said("node1", "node-dead");
      await stage.nothingMoves("node1", 500);
      stage.neverTwo();
      stage.noOutage();
      await stage.agrees("node1", { alarms: ["node-dead"], holders: ["node1"] });
    },
  },
];
