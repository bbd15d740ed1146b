/**
 * Packets that must not count: a peer with another key, and a flood of garbage, forgeries and replays.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { writeConfig } from "../../../scripts/lab/config.ts";
import type { Scenario } from "./scenario.ts";
import type { Stage } from "./stage.ts";

const both = ["node1", "node2"];
const flooder = fileURLToPath(new URL("flooder.ts", import.meta.url));
const perSecond = 20_000;
const floodMs = 4000;
/** Of Deno's heap and its buffers for packets; a leak at this rate would be several times as much. */
const growthMbMax = 120;

export const intruders: readonly Scenario[] = [
  {
    name: "a peer with another key is refused, says so, and takes nothing",
    isEssential: true,
    options: {
      start: ["node1"],
      prepare: (lab) => {
        writeConfig(lab, { deadTimeMs: 1000 }, ["node1"]);
        writeConfig(lab, { deadTimeMs: 1000, secret: "another-key" }, ["node2"]);
      },
    },
    play: async (stage) => {
      await stage.heldBy("node1");
      await stage.untilServed();
      stage.blow();
      stage.start("node2");
      for (const node of both) await stage.said(node, "refused", /wrong-key, does not verify with key 1/);
      await stage.said("node2", "wire-veto", /answers for 10\.77\.1\.100/);
      await stage.nothingMoves("node1", 1000);
      await stage.agrees("node1", { alarms: ["node-missing"], holders: ["node1"] });
      const { refused } = await stage.status("node1");
      assert.deepEqual(Object.keys(refused), ["wrong-key"]);
      assert.ok(refused["wrong-key"]! > 5, `${refused["wrong-key"]} counted`);
      stage.neverTwo();
      stage.noOutage();
    },
  },
  {
    name: `${perSecond} bad packets a second for ${
      floodMs / 1000
    } s: nothing moves, and all are counted by reason`,
    isEssential: true,
    play: async (stage) => {
      await stage.opens();
      const recording = `${stage.lab.directory}/heartbeats.json`;
      await runFlooder(stage, "record", "l0n1", "1200", recording);
      // Another run of the daemon: what was recorded of node2 is from before its start.
      stage.lab.kill("node2", "SIGTERM");
      await stage.lab.daemon("node2").ended;
      stage.start("node2");
      await stage.said("node1", "node-restarted");
      await stage.pair.untilSaid("node2", / notice settled: /);
      for (const node of both) await stage.untilAlarms(node, []);

      stage.blow();
      const beforeMb = residentMb(stage, "node1");
      const account = await runFlooder(
        stage,
        ...["flood", "10.77.1.1", `${perSecond}`, `${floodMs}`, recording],
      );
      const grownMb = residentMb(stage, "node1") - beforeMb;
      await stage.nothingMoves("node1", 500);
      stage.neverTwo();
      const touched = stage.reports("node1").filter(({ level, code }) =>
        level === "alarm" || code.startsWith("group-") || code.startsWith("node-")
      );
      assert.deepEqual(touched, []);
      for (const node of both) await stage.agrees(node, { alarms: [], holders: ["node1"] });

      const { refused } = await stage.status("node1");
      console.log(`flood: ${account.trim()}; refused ${JSON.stringify(refused)}; memory +${grownMb} MB`);
      for (const reason of ["unknown-encoding", "malformed", "wrong-key", "old-generation"]) {
        assert.ok((refused[reason] ?? 0) > 1000, `${refused[reason]} refused as ${reason}`);
      }
      const lines = stage.codes("node1", "warning").filter((code) => code === "refused").length;
      assert.ok(lines <= Object.keys(refused).length * 2, `${lines} lines about refused packets`);
      assert.ok(grownMb < growthMbMax, `the daemon grew by ${grownMb} MB`);
    },
  },
];

async function runFlooder(stage: Stage, ...args: string[]): Promise<string> {
  const command = [process.execPath, "run", "--allow-all", "--no-check", flooder, ...args];
  const { code, stdout, stderr } = await stage.lab.exec("client", command);
  assert.equal(code, 0, stderr);
  return stdout;
}

function residentMb(stage: Stage, node: string): number {
  const status = readFileSync(`/proc/${stage.lab.daemon(node).pid}/status`, "utf8");
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
}
