/**
 * What operators order: takeover, standby, release, rejoin, maintenance, a clean shutdown, and failback as configured.
 */

import assert from "node:assert/strict";
import { waitFor } from "../harness.ts";
import type { Scenario } from "./scenario.ts";
import type { Stage } from "./stage.ts";

const both = ["node1", "node2"];

export const moves: readonly Scenario[] = [
  {
    name: "takeover and standby move the group as planned: both ends report the gap",
    isEssential: true,
    play: async (stage) => {
      await stage.opens();
      await movesAsPlanned(stage, ["node2", "takeover"], "node1", "node2");
      await movesAsPlanned(stage, ["node2", "standby"], "node2", "node1");
      // And the one that took it back can be killed like any other.
      for (const node of both) assert.deepEqual(stage.codes(node, "alarm"), []);
    },
  },
  {
    name: "release keeps a node out until it is told to come back",
    play: async (stage) => {
      await stage.opens();
      assert.equal((await stage.heartline("node1", "release", "web")).code, 0);
      await stage.heldBy("node2");
      assert.equal((await stage.heartline("node2", "release", "web")).code, 0);
      await stage.untilOn();
      await stage.nobodyHolds(500);
      assert.match((await stage.status("node1")).groups[0]!.reason, /released by an operator/);
      assert.equal((await stage.heartline("node1", "rejoin", "web")).code, 0);
      await stage.heldBy("node1");
      await stage.untilServed();
      stage.neverTwo();
    },
  },
  {
    name:
      "in maintenance nothing is taken, and a command is refused with the reason; afterwards the cluster acts",
    isEssential: true,
    play: async (stage) => {
      await stage.opens();
      assert.equal((await stage.heartline("node2", "maintenance", "on")).code, 0);
      await waitFor(async () => (await stage.status("node1")).maintenance, "node1 knows of the maintenance");
      const refused = await stage.heartline("node2", "takeover");
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /maintenance is on: switch it off first/);
      await stage.nothingMoves("node1", 300);

      stage.lab.kill("node1");
      await stage.untilOn();
      await stage.untilAlarms("node2", ["node-dead"]);
      await stage.nobodyHolds(1500);
      assert.equal((await stage.heartline("node2", "maintenance", "off")).code, 0);
      await stage.heldBy("node2");
      await stage.untilServed();
      stage.neverTwo();
    },
  },
  {
    name: "a clean shutdown hands over at once, and says goodbye",
    isEssential: true,
    config: { deadTimeMs: 3_000 },
    play: async (stage) => {
      await stage.opens();
      const daemon = stage.lab.daemon("node1");
      stage.lab.kill("node1", "SIGTERM");
      await stage.heldBy("node2");
      await stage.untilServed();
      assert.equal(await daemon.ended, 0);
      stage.neverTwo();
      stage.outageWithin(0.8);
      await stage.said("node1", "goodbye");
      await stage.said("node2", "node-left");
      await stage.agrees("node2", { alarms: [], holders: ["node2"] });
      assert.deepEqual(stage.codes("node2", "alarm"), []);
    },
  },
  ...failbacks(),
];

async function movesAsPlanned(
  stage: Stage,
  command: readonly [node: string, verb: string],
  from: string,
  to: string,
): Promise<void> {
  stage.blow();
  const [node, verb] = command;
  const { code, stdout, stderr } = await stage.heartline(node, verb);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /nobody held it for \d+ ms/);
  await stage.heldBy(to);
  await stage.untilServed();
  await stage.said(from, "group-handed-over", new RegExp(`${to} runs web; nobody held it for \\d+ ms`));
  await stage.said(to, "group-started", /nobody held it for \d+ ms, as measured here/);
  for (const each of both) await stage.agrees(each, { alarms: [], holders: [to] });
  stage.neverTwo();
  stage.outageWithin(0.8);
}

/** The preferred node dies and comes back. */
function failbacks(): Scenario[] {
  const cases = [
    { failback: "on", text: "moves back at once", goesBackAfterMs: 0 },
    { failback: { after: "2s" }, text: "moves back once it was stable for 2 s", goesBackAfterMs: 2000 },
    { failback: "off", text: "stays where it is", goesBackAfterMs: null },
  ] as const;
  return cases.map(({ failback, text, goesBackAfterMs }) => ({
    name: `failback ${typeof failback === "string" ? failback : "after"}: the group ${text}`,
    config: { failback },
    play: async (stage) => {
      await stage.opens();
      stage.lab.kill("node1");
      await stage.heldBy("node2");
      stage.blow();
      stage.start("node1");
      const settled = await stage.said("node1", "settled");
      if (goesBackAfterMs === null) await stage.nothingMoves("node2", 2500);
      else {
        await stage.heldBy("node1");
        const started = await stage.said("node1", "group-starting");
        const waitedMs = started.atMs - settled.atMs;
        assert.ok(waitedMs >= goesBackAfterMs - 100, `it moved back after ${waitedMs.toFixed(0)} ms`);
        await stage.said("node2", "group-handed-over");
      }
      stage.neverTwo();
      for (const node of both) await stage.untilAlarms(node, []);
    },
  }));
}
