/** `auto_failback legacy`: no statements and no negotiation, requests only. Never two holders in any of it. */

import assert from "node:assert/strict";
import type { InteropScenario } from "../scenario.ts";

export const legacy: readonly InteropScenario[] = [
  {
    name: "legacy, Heartline where the group belongs: start, end, death and return of either",
    ours: "node1",
    options: { failback: "legacy" },
    play: async (pair) => {
      pair.start();
      await pair.startHeartbeat();
      await pair.heldBy("node1");
      await pair.logged(/Comm_now_up/);
      const refused = await pair.lab.heartline("node1", pair.target, ["standby"]);
      assert.equal(refused.code, 1);
      assert.match(
        refused.stderr,
        /with auto_failback legacy groups move only when a daemon starts or stops/,
      );
      pair.blow();
      await pair.stop("node1");
      await pair.heldBy("node2");
      pair.start();
      // Ours by right: it asks, and the daemon lets go.
      await pair.heldBy("node1");
      await pair.lab.powerOff("node1");
      await pair.heldBy("node2");
      await pair.lab.powerOn("node1");
      pair.start();
      await pair.heldBy("node1");
      await pair.stop("node2");
      await pair.stays("node1", 500);
      pair.neverTwo();
    },
  },
  {
    name: "legacy, the real daemon where the group belongs: start, end, death and return of either",
    ours: "node2",
    options: { failback: "legacy" },
    play: async (pair) => {
      pair.start();
      await pair.startHeartbeat();
      await pair.heldBy("node1");
      pair.blow();
      await pair.stop("node1");
      await pair.heldBy("node2");
      await pair.startHeartbeat();
      await pair.heldBy("node1");
      await pair.lab.powerOff("node1");
      await pair.heldBy("node2");
      await pair.lab.powerOn("node1");
      await pair.startHeartbeat();
      await pair.heldBy("node1");
      await pair.stop("node2");
      await pair.stays("node1", 500);
      pair.start();
      await pair.said(/ notice settled: /);
      await pair.stays("node1", 1_000);
      pair.neverTwo();
    },
  },
];
