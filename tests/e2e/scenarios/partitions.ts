/**
 * Links are cut: one, all that carry heartbeats, all of a node, with an arbiter and without.
 * Whoever can still be asked for the address keeps it; whoever is cut off gives it up before another takes it, where
 * there is an arbiter; and where there is none, two holders end as soon as they hear each other.
 */

import assert from "node:assert/strict";
import { waitFor } from "../harness.ts";
import { dropHeartbeatsTo, needsFirewall, passHeartbeats } from "./firewall.ts";
import type { Scenario } from "./scenario.ts";
import type { Stage } from "./stage.ts";

export const both = ["node1", "node2"];

/** Proofs are good for less than half of the deadtime: so long that a busy machine does not make a node let go. */
const deadTimeMs = 3_000;
/** Nothing may move: daemons of a busy machine wake late. */
const patient = { deadTimeMs };

/** The client's own address stands for the router. */
export function arbiter(onUnreachable: unknown) {
  return { deadTimeMs, extra: { arbiters: [{ ping: ["10.77.1.254"], "on-unreachable": onUnreachable }] } };
}

/** The group has not been touched by a node since the blow. */
export function assertUntouched(stage: Stage, ...nodes: string[]): void {
  for (const node of nodes) {
    const touched = stage.reports(node).filter(({ code }) => /^group-(start|stop|handed)/.test(code));
    assert.deepEqual(touched, [], `${node} touched the group`);
  }
}

export const partitions: readonly Scenario[] = [
  {
    name: "one of two links is cut: nothing moves, one alarm on each node, over when it heals",
    isEssential: true,
    config: patient,
    play: async (stage) => {
      await stage.opens();
      await stage.lab.cut("node1", "hb0");
      for (const node of both) await stage.said(node, "link-lost", /1 of 2 links left to node[12]: pub0/);
      await stage.nothingMoves("node1", 500);
      for (const node of both) {
        assert.deepEqual(stage.codes(node, "alarm"), ["link-lost"]);
        await stage.agrees(node, { alarms: ["link-lost"], holders: ["node1"] });
      }
      await stage.lab.heal("node1", "hb0");
      for (const node of both) await stage.agrees(node, { alarms: [], holders: ["node1"] });
      assertUntouched(stage, ...both);
      stage.neverTwo();
      stage.noOutage();
    },
  },
  {
    name: "one of two links passes nothing although its carrier stays: nothing moves, one alarm",
    config: patient,
    play: async (stage) => {
      await stage.opens();
      await stage.lab.mute("node2", "hb0");
      for (const node of both) await stage.said(node, "link-lost", /link hb0 is dead; 1 of 2 links left/);
      await stage.lab.unmute("node2", "hb0");
      for (const node of both) await stage.untilAlarms(node, []);
      for (const node of both) assert.deepEqual(stage.codes(node, "alarm"), ["link-lost"]);
      assertUntouched(stage, ...both);
      stage.neverTwo();
      stage.noOutage();
    },
  },
  {
    name:
      "all heartbeat links are cut while the service network works: the wire's veto, and normal after the heal",
    isEssential: true,
    needs: needsFirewall,
    config: patient,
    play: async (stage) => {
      await stage.opens();
      for (const node of both) await dropHeartbeatsTo(stage, node);
      await stage.said("node2", "wire-veto", /node1 is out of view: .* answers for 10\.77\.1\.100/);
      await stage.nothingMoves("node1", 1500);
      // That nobody in its view holds the group is told later.
      const alarms = stage.codes("node2", "alarm").filter((code) => code !== "group-unheld");
      assert.deepEqual(alarms, ["node-dead", "wire-veto"]);
      assert.deepEqual(stage.codes("node1", "alarm"), ["node-dead"]);
      await stage.agrees("node2", { alarms: ["node-dead", "wire-veto"], holders: [] });
      await stage.agrees("node1", { alarms: ["node-dead"], holders: ["node1"] });

      await passHeartbeats(stage, ...both);
      for (const node of both) await stage.agrees(node, { alarms: [], holders: ["node1"] });
      await stage.nothingMoves("node1", 300);
      assertUntouched(stage, ...both);
      stage.neverTwo();
      stage.noOutage();
    },
  },
  {
    name: "all heartbeat links are cut, then the holder dies: only then the other node takes over",
    needs: needsFirewall,
    play: async (stage) => {
      await stage.opens();
      for (const node of both) await dropHeartbeatsTo(stage, node);
      await stage.said("node2", "wire-veto");
      stage.lab.kill("node1");
      await stage.heldBy("node2");
      await stage.untilServed();
      stage.neverTwo();
      stage.outageWithin(3);
      await stage.agrees("node2", { alarms: ["node-dead"], holders: ["node2"] });
    },
  },
  {
    name:
      "the holder is cut off from everything, with an arbiter: it gives up before the other node takes over",
    isEssential: true,
    config: arbiter("release"),
    play: async (stage) => {
      await stage.opens();
      await stage.lab.mute("node1", "all");
      await stage.heldBy("node2");
      await stage.untilServed();
      stage.neverTwo();
      stage.outageWithin(4);
      const gaveUp = await stage.said("node1", "group-stopping", /cut off|which was lost here/);
      const taken = await stage.said("node2", "group-starting", /an? .*arbiter|out of view/);
      assert.ok(gaveUp.atMs < taken.atMs, "it was taken before it was given up");
      await stage.agrees("node1", { alarms: ["isolated", "node-dead"], holders: [] });
      await stage.agrees("node2", { alarms: ["node-dead"], holders: ["node2"] });

      await stage.lab.unmute("node1", "all");
      for (const node of both) await stage.agrees(node, { alarms: [], holders: ["node2"] });
      await stage.nothingMoves("node2", 300);
      stage.neverTwo();
    },
  },
  {
    name: "the standby is cut off from everything, with an arbiter: nothing moves",
    config: arbiter("release"),
    play: async (stage) => {
      await stage.opens();
      await stage.lab.mute("node2", "all");
      await stage.said("node2", "isolated");
      await stage.said("node1", "node-dead");
      await stage.nothingMoves("node1", 1000);
      await stage.lab.unmute("node2", "all");
      for (const node of both) await stage.agrees(node, { alarms: [], holders: ["node1"] });
      assertUntouched(stage, ...both);
      stage.neverTwo();
      stage.noOutage();
    },
  },
  {
    name: "the arbiter dies while the nodes hear each other: nothing moves",
    config: arbiter("release"),
    needs: needsFirewall,
    play: async (stage) => {
      await stage.opens();
      // The client goes on asking for the address; only echo requests to itself are lost.
      const rule =
        "add rule inet scenario input ip daddr 10.77.1.254 icmp type echo-request drop; add rule inet scenario " +
        "input ip6 daddr fd77:1::254 icmpv6 type echo-request drop";
      const chain = "add chain inet scenario input { type filter hook input priority 0; }";
      await stage.shell("client", `nft 'add table inet scenario; ${chain}; ${rule}'`);
      await waitFor(
        async () => (await stage.status("node1")).arbiters[0]?.reachable === false,
        "node1 misses the arbiter",
      );
      await stage.nothingMoves("node1", 1500);
      for (const node of both) assert.equal((await stage.status(node)).isolated, false);
      assertUntouched(stage, ...both);
      stage.neverTwo();
      stage.noOutage();
    },
  },
  {
    name: "policy hold: a node that is cut off keeps the group, and yields at once after the heal",
    config: arbiter("hold"),
    play: async (stage) => {
      await stage.opens();
      await stage.lab.mute("node1", "all");
      await stage.said("node1", "isolated");
      await stage.said("node2", "group-started");
      // As documented. It also shows that the sampler sees two holders where there are two.
      await stage.untilOn(...both);
      await stage.agrees("node1", { alarms: ["isolated", "node-dead"], holders: ["node1"] });
      const { unprotected, arbiters } = await stage.status("node2");
      assert.match(unprotected.join(), /can be held twice: the arbiter's policy is to hold/);
      assert.equal(arbiters[0]?.policy, "hold");

      await stage.lab.unmute("node1", "all");
      await stage.heldBy("node2");
      await stage.said("node1", "group-stopping", /node2 holds it by the later epoch/);
      for (const node of both) await stage.agrees(node, { alarms: [], holders: ["node2"] });
    },
  },
  {
    name: "policy hold-for: a node that is cut off keeps the group for the time that was said",
    config: arbiter({ "hold-for": "1500ms" }),
    play: async (stage) => {
      await stage.opens();
      assert.match((await stage.status("node1")).unprotected.join(), /held twice for 1\.5 ?s/);
      stage.blow();
      await stage.lab.mute("node1", "all");
      const isolated = await stage.said("node1", "isolated");
      const gaveUp = await stage.said("node1", "group-stopping", /cut off/);
      const heldMs = gaveUp.atMs - isolated.atMs;
      assert.ok(heldMs >= 1400, `it was kept for ${heldMs.toFixed(0)} ms only`);
      await stage.heldBy("node2");
      await stage.lab.unmute("node1", "all");
      for (const node of both) await stage.agrees(node, { alarms: [], holders: ["node2"] });
    },
  },
  {
    name: "a partition without arbiter heals: the later epoch wins untouched, the other node yields at once",
    isEssential: true,
    config: { resources: [{ vip: "10.77.1.100/24", dev: "pub0" }, { exec: "/etc/heartline/service" }] },
    options: { start: [] },
    play: async (stage) => {
      await installService(stage);
      for (const node of both) stage.start(node);
      await stage.opens();
      await stage.lab.mute("node1", "all");
      await stage.said("node2", "group-started");
      for (const node of both) await stage.said(node, "node-dead");
      // As config check and status say.
      await stage.untilOn(...both);

      const healedMs = stage.blow();
      await stage.lab.unmute("node1", "all");
      await stage.heldBy("node2");
      const yielded = await stage.said("node1", "group-stopping", /node2 holds it by the later epoch/);
      assert.ok(yielded.atMs - healedMs < 5 * stage.deadTimeMs, "it did not yield at once");
      for (const node of both) await stage.agrees(node, { alarms: [], holders: ["node2"] });
      await waitFor(
        async () => /stop$/.test((await stage.shell("node1", "cat /run/service.log")).trim()),
        "the service is stopped on node1",
      );
      await stage.nothingMoves("node2", 500);
      assertUntouched(stage, "node2");
      assert.equal((await stage.shell("node2", "cat /run/service.log")).trim(), "start");
    },
  },
];

export async function givenUpThenTaken(stage: Stage): Promise<void> {
  await stage.heldBy("node2");
  await stage.untilServed();
  stage.neverTwo();
  stage.outageWithin(4);
  await stage.said("node1", "isolated");
  // Or its lease had run out before, unrenewed.
  const gaveUp = await stage.said("node1", "group-stopping", /cut off|which was lost here/);
  const taken = await stage.said("node2", "group-starting");
  assert.ok(gaveUp.atMs < taken.atMs, "it was taken before it was given up");
}

/** A service that writes down what was done to it. */
async function installService(stage: Stage): Promise<void> {
  const script = String.raw`#!/bin/sh
case $1 in
start) echo start >> /run/service.log; touch /run/service.up;;
stop) echo stop >> /run/service.log; rm -f /run/service.up;;
*) test -e /run/service.up || exit 3;;
esac
`;
  for (const node of stage.lab.nodes) {
    await stage.lab.exec(node, ["tee", "/etc/heartline/service"], script);
    await stage.shell(node, "chmod 755 /etc/heartline/service");
  }
}
