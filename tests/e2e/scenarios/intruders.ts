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
/**
 * Packets a second. Deno's own UDP sockets take about 7,000 a second of any kind, each in a fresh buffer of 64 KiB;
 * beyond that the kernel drops, and what it drops includes heartbeats.
 */
const bearablePerSecond = { source: 2_000, binary: 20_000 };
/** Deno returns its buffers late. All packets of one flood of the binary, kept, would be 30 MB and more. */
const growthMbMax = { source: 150, binary: 25 };

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
    name: "a flood of bad packets: nothing moves, no link is lost, and all are counted by reason",
    isEssential: true,
    config: { realtime: true },
    play: async (stage) => {
      const recording = await openForFlood(stage);
      const floodMs = 2500;
      await flood(stage, bearablePerSecond[stage.target], floodMs, recording);
      // The first one fills the runtime's heap; a leak would go on.
      const grownMb = await flood(stage, bearablePerSecond[stage.target], floodMs, recording);
      assert.ok(grownMb < growthMbMax[stage.target], `the daemon grew by ${grownMb} MB in the second flood`);
      const touched = stage.reports("node1").filter(({ level }) => level === "alarm");
      assert.deepEqual(touched, []);

      const { refused } = await stage.status("node1");
      for (const reason of ["unknown-encoding", "malformed", "wrong-key", "old-generation"]) {
        assert.ok((refused[reason] ?? 0) > 300, `${refused[reason]} refused as ${reason}`);
      }
      const lines = stage.codes("node1", "warning").filter((code) => code === "refused").length;
      assert.ok(lines <= Object.keys(refused).length * 2, `${lines} lines about refused packets`);
    },
  },
  {
    name: "a flood beyond what the runtime can read: heartbeats get lost, and still nothing moves",
    config: { realtime: true },
    play: async (stage) => {
      const recording = await openForFlood(stage);
      await flood(stage, 20_000, 3000, recording);
    },
  },
];

/** Records heartbeats, then lets node2 start again: what was recorded of it is from before its last start. */
async function openForFlood(stage: Stage): Promise<string> {
  await stage.opens();
  const recording = `${stage.lab.directory}/heartbeats.json`;
  await runFlooder(stage, "record", "l0n1", "1200", recording);
  stage.lab.kill("node2", "SIGTERM");
  await stage.lab.daemon("node2").ended;
  stage.start("node2");
  await stage.said("node1", "node-restarted");
  await stage.pair.untilSaid("node2", / notice settled: /);
  for (const node of both) await stage.untilAlarms(node, []);
  return recording;
}

/** Floods the holder; answers by how many MB it grew. Whatever the rate, nothing may move, and all alarms must be over in the end. */
async function flood(
  stage: Stage,
  perSecond: number,
  floodMs: number,
  recording: string,
): Promise<number> {
  stage.blow();
  const beforeMb = residentMb(stage, "node1");
  const account = await runFlooder(stage, "flood", "10.77.1.1", `${perSecond}`, `${floodMs}`, recording);
  const grownMb = residentMb(stage, "node1") - beforeMb;
  await stage.nothingMoves("node1", 500);
  for (const node of both) await stage.agrees(node, { alarms: [], holders: ["node1"] });
  const { refused } = await stage.status("node1");
  console.log(`flood: ${account.trim()}; refused ${JSON.stringify(refused)}; memory +${grownMb} MB`);
  for (const node of both) {
    const touched = stage.reports(node).filter(({ code }) => code.startsWith("group-"));
    assert.deepEqual(touched, [], `${node} touched the group`);
  }
  stage.neverTwo();
  assert.deepEqual(stage.timeline().changes.map(({ holders }) => holders.join()), ["node1"]);
  return grownMb;
}

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
