/** Planned moves, ordered on either side by either tool. Never two holders in any of them. */

import assert from "node:assert/strict";
import { VIP, writeNodeFile } from "../../../scripts/lab/config.ts";
import { HolderSampler } from "../../../scripts/lab/samplers.ts";
import { overlapMs } from "../../../scripts/lab/timeline.ts";
import { waitFor } from "../../e2e/harness.ts";
import type { InteropScenario } from "../scenario.ts";

const second = "10.77.1.101";
const firstGroup = `IPaddr2::${VIP}/24/pub0`;
const secondGroup = `IPaddr2::${second}/24/pub0`;

export const moves: readonly InteropScenario[] = [
  {
    name: "hb_standby and hb_takeover there, standby and takeover here, Heartline where the group belongs",
    ours: "node1",
    isEssential: true,
    play: async (pair) => {
      await pair.opens();
      pair.blow();
      await pair.hbTakeover("all");
      await pair.heldBy("node2");
      await pair.settled("all");
      await pair.hbStandby("all");
      await pair.heldBy("node1");
      await pair.settled("none");
      pair.blow();
      assert.match(await pair.heartline("standby"), /runs on node2/);
      await pair.heldBy("node2");
      await pair.said(/ notice standby-done: /);
      assert.match(await pair.heartline("takeover"), /runs here/);
      await pair.heldBy("node1");
      pair.neverTwo();
    },
  },
  {
    name:
      "hb_standby and hb_takeover there, standby and takeover here, the real daemon where the group belongs",
    ours: "node2",
    play: async (pair) => {
      await pair.opens();
      pair.blow();
      await pair.hbStandby("local");
      await pair.heldBy("node2");
      await pair.settled("none|foreign");
      await pair.hbTakeover("local");
      await pair.heldBy("node1");
      await pair.settled("local|all");
      assert.match(await pair.heartline("takeover"), /runs here/);
      await pair.heldBy("node2");
      await pair.settled("none|foreign");
      assert.match(await pair.heartline("standby"), /runs on node1/);
      await pair.heldBy("node1");
      pair.neverTwo();
    },
  },
  {
    name: "each holds a group of its own: sets move apart and together, and a part of a set does not",
    ours: "node1",
    options: { haresources: `node1 ${firstGroup}\nnode1 lab-nothing\nnode2 ${secondGroup}\n` },
    play: async (pair) => {
      // A second group of node1, so that there is a part of a set.
      for (const node of pair.lab.nodes) {
        writeNodeFile(pair.lab, node, "/etc/ha.d/resource.d/lab-nothing", NOTHING, 0o755);
      }
      const others = new HolderSampler(pair.lab, second, 10);
      const other = (node: string) =>
        waitFor(() => others.sample().join() === node, `${node} alone holds the second address`, 25_000);
      try {
        await pair.opens();
        await other("node2");
        const refused = await pair.lab.heartline("node1", pair.target, ["standby", firstGroup]);
        assert.equal(refused.code, 1);
        assert.match(refused.stderr, /moves all groups of a node together: name lab-nothing too/);

        assert.match(await pair.heartline("takeover"), /runs here/);
        await other("node1");
        await pair.settled("none");
        await pair.heldBy("node1");
        await pair.hbTakeover("local");
        await other("node2");
        await pair.settled("local");
        await pair.heldBy("node1");
        await pair.lab.powerOff("node2");
        await other("node1");
        await pair.lab.powerOn("node2");
        await pair.startHeartbeat();
        await other("node2");
        // A daemon whose scripts for one move still run takes their end for that of the next move.
        await pair.settled("local");
        await pair.stays("node1", 3_000);
        const before = pair.log().length;
        await pair.stop("node1");
        await pair.heldBy("node2");
        await other("node2");
        await pair.logged(/mach_down takeover complete for node node1/, "node2", before);
        pair.start();
        await pair.heldBy("node1");
        await pair.settled("local");
        await other("node2");
      } finally {
        assert.equal(overlapMs(others.stop()), 0, "two holders of the second address");
      }
      pair.neverTwo();
    },
  },
  {
    name: "Heartline starts again while the real daemon still takes over from it: it gives back all the same",
    ours: "node1",
    options: { haresources: `node1 ${firstGroup} lab-slow\n` },
    play: async (pair) => {
      for (const node of pair.lab.nodes) {
        writeNodeFile(pair.lab, node, "/etc/ha.d/resource.d/lab-slow", SLOW_ON_NODE2, 0o755);
      }
      await pair.opens();
      await pair.stop("node1");
      pair.blow();
      pair.start();
      await pair.said(/ notice heartbeat-peer: /);
      assert.doesNotMatch(pair.log(), /mach_down takeover complete/, "the takeover is still under way");
      await pair.logged(/mach_down takeover complete/);
      await pair.heldBy("node1");
      const [released, taken] = ["foreign HA resource release completed", "mach_down takeover complete"]
        .map((words) => pair.log().indexOf(words)) as [number, number];
      // On a machine so slow that the scripts of its takeover run after those of giving back, it makes two by itself.
      if (released < 0 || released > taken) pair.neverTwo();
      else console.warn("the real daemon gave back before it took over: holders are not judged");
    },
  },
];

/** Starts so slowly on one node that much can happen meanwhile. */
const SLOW_ON_NODE2 = `#!/bin/sh
case "$1" in
  start) [ "$(uname -n)" != node2 ] || sleep 5; touch /run/lab-slow;;
  stop) rm -f /run/lab-slow;;
  status) [ -e /run/lab-slow ] && echo running || echo stopped;;
esac
`;

/** A resource that is nothing but its state. */
const NOTHING = `#!/bin/sh
case "$1" in
  start) touch /run/lab-nothing;;
  stop) rm -f /run/lab-nothing;;
  status) [ -e /run/lab-nothing ] && echo running || echo stopped;;
esac
`;
