/**
 * Script resources beside the address: what fails to start moves the group, what fails to stop blocks it, what hangs
 * is killed, what dies is restarted once and then moved. And the daemon answers while a script takes its time.
 */

import assert from "node:assert/strict";
import { type ConfigOptions, VIP } from "../../../scripts/lab/config.ts";
import { SERVICE_LINK } from "../../../scripts/lab/network.ts";
import { staysFor, waitFor } from "../harness.ts";
import type { Scenario } from "./scenario.ts";
import type { Stage } from "./stage.ts";

const both = ["node1", "node2"];
const service = "/etc/heartline/service";

/** Does as it is told by files in /run/service.d, and writes down what was done to it. */
const script = String.raw`#!/bin/sh
told() { test -e /run/service.d/$1; }
mkdir -p /run/service.d
echo $1 $HEARTLINE_EPOCH >> /run/service.log
case $1 in
start)
  if told fail-start; then echo "the disk is full" >&2; exit 1; fi
  while told slow-start; do sleep 0.1; done
  touch /run/service.up;;
stop)
  if told fail-stop; then echo "it clings to life" >&2; exit 1; fi
  if told hang-stop; then sleep 1000 & echo $! > /run/service.child; wait; fi
  rm -f /run/service.up;;
*) test -e /run/service.up || exit 3;;
esac
`;

/** The address comes first and goes last: who holds it shows that nobody starts behind a blocked group. */
const resources = [{ vip: `${VIP}/24`, dev: SERVICE_LINK }, { exec: service }];

function configWith(group: Readonly<Record<string, unknown>>): ConfigOptions {
  return { extra: { groups: { web: { nodes: both, failback: "off", resources, ...group } } } };
}

export const services: readonly Scenario[] = [
  {
    name: "a service that does not start moves the group, with the reason, and is left alone here",
    isEssential: true,
    options: { start: [] },
    config: configWith({}),
    play: async (stage) => {
      await install(stage);
      await tell(stage, "node1", "fail-start");
      for (const node of both) stage.start(node);
      await stage.said(
        "node1",
        "start-failed",
        /giving up web: start of .* failed with code 1.*the disk is full/,
      );
      await stage.heldBy("node2");
      await stage.said("node2", "group-started");
      const view = await stage.agrees("node1", { alarms: ["start-failed"], holders: ["node2"] });
      assert.equal(view.groups[0]!.able, false);
      await stage.agrees("node2", { alarms: [], holders: ["node2"] });
      // Not a flapping: one attempt, undone.
      const log = (await stage.shell("node1", "cat /run/service.log")).trim().split("\n");
      assert.equal(log.filter((line) => line.startsWith("start")).length, 1);

      await stage.shell("node1", "rm /run/service.d/fail-start");
      assert.equal((await stage.heartline("node1", "takeover")).code, 0);
      await stage.said("node1", "group-started");
      await stage.untilAlarms("node1", []);
      stage.neverTwo();
      // The epoch is a fencing token: it grows with each start, wherever that is.
      const epochs = (await stage.shell("node1", "cat /run/service.log")).trim().split("\n")
        .filter((line) => line.startsWith("start")).map((line) => Number(line.split(" ")[1]));
      assert.ok(epochs[1]! > epochs[0]! + 1, `epochs ${epochs}`);
    },
  },
  {
    name: "a service that does not stop blocks the group, with an alarm, and nobody starts it a second time",
    isEssential: true,
    options: { start: [] },
    config: configWith({}),
    play: async (stage) => {
      await startWithService(stage);
      await tell(stage, "node1", "fail-stop");
      const moved = await stage.heartline("node2", "takeover", "--timeout", "2s");
      assert.notEqual(moved.code, 0, moved.stdout);
      await stage.said(
        "node1",
        "stop-failed",
        /web is blocked here and nobody may start it: .*it clings to life/,
      );
      await stage.nothingMoves("node1", 1000);
      const view = await stage.agrees("node1", { alarms: ["stop-failed"] });
      assert.equal(view.groups[0]!.state, "blocked");
      assert.ok(!stage.hasSaid("node2", "group-starting"), "node2 started it");

      await stage.shell("node1", "rm /run/service.d/fail-stop");
      assert.equal((await stage.heartline("node1", "rejoin")).code, 0);
      await stage.said("node2", "group-started");
      await stage.agrees("node1", { alarms: [], holders: ["node2"] });
      stage.neverTwo();
    },
  },
  {
    name: "a stop that hangs is killed at its limit with all its children, and the group stays blocked",
    options: { start: [] },
    config: configWith({ "stop-limit": "1s" }),
    play: async (stage) => {
      await startWithService(stage);
      await tell(stage, "node1", "hang-stop");
      const moved = await stage.heartline("node1", "standby", "--timeout", "5s");
      assert.notEqual(moved.code, 0, moved.stdout);
      const failed = await stage.said("node1", "stop-failed");
      assert.match(failed.sentence, /limit|killed|1 s|1000 ms/);
      await waitFor(
        async () => {
          const probe = "kill -0 $(cat /run/service.child) 2>/dev/null && echo alive || echo gone";
          return (await stage.shell("node1", probe)).trim() === "gone";
        },
        "the child of the script is gone",
      );
      await stage.nothingMoves("node1", 500);
      assert.ok(!stage.hasSaid("node2", "group-starting"), "node2 started it");
      stage.neverTwo();
    },
  },
  {
    name: "a service that dies is restarted once where it is, and moved when it dies again",
    options: { start: [] },
    config: configWith({ "monitor-interval": "300ms" }),
    play: async (stage) => {
      await startWithService(stage);
      await stage.shell("node1", "rm /run/service.up");
      await stage.said("node1", "monitor-failed", /restarting exec:.* of web/);
      await stage.said("node1", "group-started");
      await stage.nothingMoves("node1", 500);
      stage.noOutage();

      await stage.shell("node1", "rm /run/service.up");
      await stage.said("node1", "monitor-failed", /giving up web: .* again after a restart/);
      await stage.heldBy("node2");
      await stage.untilServed();
      await stage.agrees("node1", { alarms: ["monitor-failed"], holders: ["node2"] });
      stage.neverTwo();
    },
  },
  {
    name: "status answers at once while a slow script runs, and says what it is doing",
    options: { start: [] },
    config: { ...configWith({}), deadTimeMs: 3_000 },
    play: async (stage) => {
      await install(stage);
      await tell(stage, "node1", "slow-start");
      for (const node of both) stage.start(node);
      await stage.said("node1", "group-starting");
      const view = await stage.status("node1");
      assert.equal(view.groups[0]!.state, "starting");
      assert.equal(view.groups[0]!.resources[1]!.state, "starting");
      // What runs for longer than the deadtime, and the other node notices nothing.
      await staysFor(stage.deadTimeMs + 500, () => !stage.hasSaid("node2", "node-dead"), "node1 is heard");
      await stage.shell("node1", "rm /run/service.d/slow-start");
      await stage.said("node1", "group-started");
      assert.ok(!stage.hasSaid("node1", "stalled"), "the script held up the heartbeats");
      assert.ok(!stage.hasSaid("node2", "node-dead"), "the script held up the heartbeats");
      stage.neverTwo();
    },
  },
];

async function startWithService(stage: Stage): Promise<void> {
  await install(stage);
  for (const node of both) stage.start(node);
  await stage.opens();
}

async function install(stage: Stage): Promise<void> {
  for (const node of both) {
    await stage.lab.exec(node, ["tee", service], script);
    await stage.shell(node, `chmod 755 ${service}; mkdir -p /run/service.d`);
  }
}

async function tell(stage: Stage, node: string, what: string): Promise<void> {
  await stage.shell(node, `touch /run/service.d/${what}`);
}
