/** Machines that go off, daemons that are killed or stand still. Never two holders in any of it. */

import { VIP } from "../../../scripts/lab/config.ts";
import { killHeartbeatProcesses } from "../../../scripts/lab/heartbeat.ts";
import type { InteropScenario } from "../scenario.ts";
import assert from "node:assert/strict";

export const deaths: readonly InteropScenario[] = [
  {
    name: "the machine of the real daemon goes off and comes back: taken, and given back",
    ours: "node2",
    isEssential: true,
    play: async (pair) => {
      await pair.opens();
      pair.blow();
      await pair.lab.powerOff("node1");
      await pair.heldBy("node2");
      await pair.said(/ alarm node-dead: node1 /);
      await pair.lab.powerOn("node1");
      await pair.startHeartbeat();
      await pair.heldBy("node1");
      await pair.settled("local|all");
      pair.neverTwo();
    },
  },
  {
    name: "the machine of Heartline goes off and comes back: taken, and given back",
    ours: "node1",
    play: async (pair) => {
      await pair.opens();
      pair.blow();
      await pair.lab.powerOff("node1");
      await pair.heldBy("node2");
      await pair.settled("all|foreign");
      await pair.lab.powerOn("node1");
      pair.start();
      await pair.heldBy("node1");
      await pair.settled("local|all");
      pair.neverTwo();
    },
  },
  {
    name: "kill -9 of the real daemon leaves its address: not taken until an operator has removed it",
    ours: "node2",
    play: async (pair) => {
      await pair.opens();
      pair.blow();
      pair.lab.kill("node1");
      await pair.said(/ alarm wire-veto: .* is not taken although node1 is out of view/);
      await pair.stays("node1", 2_000);
      const removed = await pair.lab.exec("node1", ["ip", "addr", "del", `${VIP}/24`, "dev", "pub0"]);
      assert.equal(removed.code, 0, removed.stderr);
      await pair.heldBy("node2");
      pair.neverTwo();
    },
  },
  {
    name: "kill -9 of Heartline: the kernel ends its lease before the real daemon takes over",
    ours: "node1",
    isEssential: true,
    play: async (pair) => {
      await pair.opens();
      pair.blow();
      pair.lab.kill("node1");
      await pair.heldBy("node2");
      await pair.settled("all|foreign");
      pair.start();
      await pair.heldBy("node1");
      pair.neverTwo();
    },
  },
  {
    name: "the real daemon is killed and started again with its address left: not taken while that answers",
    ours: "node1",
    options: { failback: "off", initDeadMs: 3_000 },
    play: async (pair) => {
      await pair.startHeartbeat();
      await pair.heldBy("node2");
      pair.start();
      await pair.said(/ notice settled: /);
      await pair.settled("all|foreign");
      pair.blow();
      pair.lab.kill("node2");
      await pair.lab.daemon("node2").ended;
      await killHeartbeatProcesses(pair.lab, "node2");
      await pair.startHeartbeat();
      // It says that it holds nothing.
      await pair.said(/ alarm address-in-use: .* is not started: /);
      await pair.stays("node2", 1_500);
      const removed = await pair.lab.exec("node2", ["ip", "addr", "del", `${VIP}/24`, "dev", "pub0"]);
      assert.equal(removed.code, 0, removed.stderr);
      await pair.heldBy("node1");
      pair.neverTwo();
    },
  },
  {
    name:
      "Heartline stands still for longer than its deadtime: it wakes with nothing, and takes nothing from the daemon",
    ours: "node1",
    options: { failback: "off" },
    play: async (pair) => {
      await pair.opens();
      pair.blow();
      pair.lab.stop("node1");
      await pair.heldBy("node2");
      pair.lab.cont("node1");
      await pair.said(/ warning stalled: /);
      // The daemon takes this for a healed partition and restarts itself, as it always does.
      await pair.said(/ notice node-restarted: the daemon of node2 was restarted/);
      await pair.heldBy("node1");
      pair.neverTwo();
    },
  },
];
