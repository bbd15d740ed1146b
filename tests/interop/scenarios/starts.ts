/** Cold starts, joins, failback and clean ends of either side. Never two holders in any of them. */

import assert from "node:assert/strict";
import type { InteropScenario } from "../scenario.ts";

export const starts: readonly InteropScenario[] = [
  {
    name: "both start, Heartline where the group belongs; then each ends cleanly and comes back",
    ours: "node1",
    isEssential: true,
    play: async (pair) => {
      await pair.opens();
      pair.blow();
      await pair.stop("node1");
      await pair.heldBy("node2");
      await pair.settled("all|foreign");
      pair.start();
      // auto_failback on: the real daemon gives back what it took.
      await pair.heldBy("node1");
      await pair.settled("local|all");
      await pair.stop("node2");
      await pair.said(/ notice node-left: node2 said goodbye/);
      await pair.stays("node1", 1_500);
      await pair.startHeartbeat();
      await pair.settled("none|local");
      await pair.stays("node1", 500);
      pair.neverTwo();
    },
  },
  {
    name: "both start, the real daemon where the group belongs; then each ends cleanly and comes back",
    ours: "node2",
    play: async (pair) => {
      await pair.opens();
      pair.blow();
      await pair.stop("node1");
      await pair.heldBy("node2");
      await pair.startHeartbeat();
      await pair.heldBy("node1");
      await pair.settled("local|all");
      await pair.stop("node2");
      await pair.stays("node1", 1_500);
      pair.start();
      await pair.said(/ notice settled: /);
      await pair.stays("node1", 500);
      pair.neverTwo();
    },
  },
  {
    name:
      "Heartline joins a real daemon that holds all, without failback: it takes nothing until it is told to",
    ours: "node1",
    options: { failback: "off", initDeadMs: 3_000 },
    play: async (pair) => {
      await pair.startHeartbeat();
      await pair.heldBy("node2");
      pair.start();
      await pair.said(/ notice settled: /);
      await pair.stays("node2", 2_000);
      pair.blow();
      assert.match(await pair.heartline("takeover"), /runs here \(node1\)/);
      await pair.heldBy("node1");
      await pair.settled("local|all");
      pair.neverTwo();
    },
  },
  {
    name: "a real daemon joins Heartline that holds all, without failback: it gets its own when told to",
    ours: "node2",
    options: { failback: "off", initDeadMs: 3_000 },
    play: async (pair) => {
      pair.start();
      await pair.heldBy("node2");
      await pair.startHeartbeat();
      await pair.settled("none|local");
      await pair.stays("node2", 1_000);
      pair.blow();
      assert.match(await pair.heartline("standby"), /runs on node1/);
      await pair.heldBy("node1");
      await pair.settled("local|all");
      pair.neverTwo();
    },
  },
];
