/**
 * A heartbeat link that loses almost a third of what it carries, in both directions: the nodes ask each other for what
 * is lost, keep one history, and nothing moves. ARP is lost as well: the kernel must not fall silent for that.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import process from "node:process";
import { needsFirewall } from "./firewall.ts";
import type { Scenario } from "./scenario.ts";
import type { Stage } from "./stage.ts";

/** The issue asks for two minutes; the test command has not that much time for one scenario. */
const lossMs = Number(process.env.HEARTLINE_LOSS_SECONDS ?? 12) * 1000;

/** A runtime that has just started grows while it compiles what it runs; over a longer loss than that, this is flat. */
const growthMbMax = 80;

/** On the service network, which loses nothing. */
const pinged = { neighbours: ["10.77.1.1", "10.77.1.2"] };

export const losses: readonly Scenario[] = [
  {
    name: `${
      lossMs / 1000
    } s of 30 % loss both ways: nothing moves, each event once and in one order, memory flat`,
    needs: needsFirewall,
    config: { deadTimeMs: 2_000, keepaliveMs: 200, links: ["hb0"], extra: { "ping-members": pinged } },
    play: async (stage) => {
      await stage.opens();
      const before = stage.lab.nodes.map((node) => residentMb(stage, node));
      await stage.lab.loss("node1", "hb0", 30);
      const endMs = performance.now() + lossMs;
      let orders = 0;
      while (performance.now() < endMs) {
        const node = stage.lab.nodes[orders % 2]!;
        const { code } = await stage.heartline(node, "maintenance", orders++ % 4 < 2 ? "on" : "off");
        assert.equal(code, 0);
        await stage.nothingMoves("node1", 400);
      }
      await stage.lab.loss("node1", "hb0", 0);
      const [first, second] = await historiesInAgreement(stage);
      assert.deepEqual(second, first, "one order on both nodes");
      assert.equal(new Set(first).size, first!.length, "an event came twice");
      const told = first!.filter((event) => event.endsWith("command-maintenance")).length;
      assert.equal(told, orders, "each order of an operator is in the history once");
      for (const [index, node] of stage.lab.nodes.entries()) {
        assert.deepEqual(stage.codes(node, "alarm"), [], `${node} raised an alarm`);
        assert.ok(!stage.hasSaid(node, "message-lost"));
        const { peers, pings } = await stage.status(node);
        const { exchange, links } = peers[0]!;
        assert.deepEqual(pings.map(({ name, state }) => `${name} ${state}`), ["neighbours up"]);
        assert.ok(exchange.requests > 0 && exchange.resent > 0, "nothing was lost: nothing was tested");
        assert.deepEqual([exchange.irretrievable, exchange.missing], [0, 0]);
        const grownMb = residentMb(stage, node) - before[index]!;
        assert.ok(grownMb < growthMbMax, `${node} has grown by ${grownMb.toFixed(1)} MB`);
        const { received, lost, retransmitted, roundTripMs, jitterMs } = links[0]!;
        console.log(
          `${node}: ${received} received, ${lost} lost by the link, ${retransmitted} of these sent again; ` +
            `${exchange.requests} requests; round trip ${roundTripMs} ms, jitter ${jitterMs} ms; grown by ` +
            `${grownMb.toFixed(1)} MB`,
        );
      }
      stage.neverTwo();
      stage.noOutage();
    },
  },
];

/** What both nodes have in their history of the cluster, once it is the same or the time is over. */
async function historiesInAgreement(stage: Stage): Promise<readonly string[][]> {
  let histories: string[][] = [];
  for (let attempt = 0; attempt < 20; attempt++) {
    histories = await Promise.all(stage.lab.nodes.map((node) => history(stage, node)));
    if (histories[0]!.join() === histories[1]!.join()) break;
    await stage.nothingMoves("node1", 200);
  }
  return histories;
}

/** Events since both nodes have heard each other, as `clock node code`. */
async function history(stage: Stage, node: string): Promise<string[]> {
  const { stdout } = await stage.heartline(node, "history", "--cluster", "--json");
  const reports: { clock: number; node: string; code: string }[] = JSON.parse(stdout).reports;
  const events = reports.map((each) => `${each.clock} ${each.node} ${each.code}`);
  return events.slice(events.findIndex((event) => event.endsWith("command-maintenance")));
}

function residentMb(stage: Stage, node: string): number {
  const status = readFileSync(`/proc/${stage.lab.daemon(node).pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024;
}
