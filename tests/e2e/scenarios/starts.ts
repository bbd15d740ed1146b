/**
 * How a cluster comes up: both nodes at the same instant, one alone, a second daemon on one machine, and the files of
 * Heartbeat instead of a heartline.yaml.
 */

import assert from "node:assert/strict";
import { HA_DIRECTORY, writeHaDirectory } from "../../../scripts/lab/config.ts";
import { waitFor } from "../harness.ts";
import { assertUntouched } from "./partitions.ts";
import type { Scenario } from "./scenario.ts";

const both = ["node1", "node2"];
/** Starting a runtime takes a while on a busy machine; agreeing does not. */
const agreeMsMax = 10_000;

export const starts: readonly Scenario[] = [
  {
    name: "two nodes started at the same instant agree on one holder at once, again and again",
    isEssential: true,
    // So long that a node that waited for it instead of agreeing would be noticed.
    config: { initDeadMs: 20_000 },
    options: { start: [] },
    play: async (stage) => {
      for (let round = 0; round < 3; round++) {
        stage.blow();
        for (const node of both) stage.start(node);
        const ups = await Promise.all(both.map((node) => stage.said(node, "start")));
        await stage.heldBy("node1");
        const started = await stage.said("node1", "group-started");
        const agreedMs = started.atMs - Math.max(...ups.map(({ atMs }) => atMs));
        assert.ok(agreedMs < agreeMsMax, `it took ${agreedMs.toFixed(0)} ms to agree`);
        await stage.nothingMoves("node1", 700);
        for (const node of both) assert.deepEqual(stage.codes(node, "alarm"), []);
        // The standby first, so that the end moves nothing; both at once in the end.
        for (const node of ["node2", "node1"]) {
          const daemon = stage.lab.daemon(node);
          stage.lab.kill(node, "SIGTERM");
          assert.equal(await daemon.ended, 0);
        }
        await stage.untilOn();
      }
      stage.neverTwo();
    },
  },
  {
    name: "a node that is alone waits for initdead before it takes anything",
    config: { initDeadMs: 3000 },
    options: { start: ["node2"] },
    play: async (stage) => {
      const up = await stage.said("node2", "start");
      const heldMs = await stage.heldBy("node2");
      const settled = await stage.said("node2", "settled", /waited \d+ ms/);
      const waitedMs = settled.atMs - up.atMs;
      assert.ok(waitedMs > 2800, `it waited for ${waitedMs.toFixed(0)} ms`);
      const heldAfterMs = heldMs - up.atMs;
      assert.ok(heldAfterMs > 2800, `it took the group after ${heldAfterMs.toFixed(0)} ms`);
      await stage.agrees("node2", { alarms: ["node-missing"], holders: ["node2"] });

      stage.start("node1");
      await stage.said("node1", "settled", /node2 is settled and hears us|all other nodes hear us/);
      for (const node of both) await stage.agrees(node, { alarms: [], holders: ["node2"] });
      await stage.nothingMoves("node2", 300);
      stage.neverTwo();
    },
  },
  {
    name: "a second daemon on the same machine is refused, and the first does not notice",
    isEssential: true,
    play: async (stage) => {
      await stage.opens();
      const second = await stage.heartline("node1", "peer", "--config", "/etc/heartline/heartline.yaml");
      assert.equal(second.code, 69, second.stderr);
      assert.match(second.stderr, /Cannot start: a daemon runs here already \(process \d+ holds /);
      await stage.nothingMoves("node1", 300);
      assert.deepEqual(stage.codes("node1", "alarm"), []);
      assertUntouched(stage, "node1");
      stage.neverTwo();
      stage.noOutage();
    },
  },
  {
    name: "an ha.d directory: killed, taken over, back, and planned moves",
    isEssential: true,
    options: { prepare: (lab) => writeHaDirectory(lab), args: ["--ha-dir", HA_DIRECTORY] },
    play: async (stage) => {
      await stage.opens();
      stage.lab.kill("node1");
      await stage.heldBy("node2");
      await stage.untilServed();
      stage.outageWithin(3);
      await stage.agrees("node2", { alarms: ["node-dead"], holders: ["node2"] });
      stage.start("node1");
      await stage.untilAlarms("node2", []);
      await stage.said("node1", "settled");
      assert.equal((await stage.heartline("node1", "takeover")).code, 0);
      await stage.heldBy("node1");
      stage.neverTwo();
      await waitFor(() => stage.hasSaid("node2", "group-handed-over"), "node2 reports the gap");
    },
  },
];
