/**
 * A thousand checks of a healthy pair while a fifth of all packets is lost in each direction, from the standby, the
 * primary and third machines: not one of them may alarm. And of a pair with two holders: hardly one may miss it.
 */

import assert from "node:assert/strict";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { CheckQuestion, Role } from "../../lib/checks/question.ts";
import { severityOf, type VerdictCode } from "../../lib/checks/verdict_table.ts";
import { SERVICE_LINK } from "../../scripts/lab/network.ts";
import { tryRun } from "../../scripts/lab/run.ts";
import { type Segment, segmentTest, VIP } from "./segment.ts";

const child = fileURLToPath(new URL("loss_child.ts", import.meta.url));
const machines = 10;
const checksEach = 100;
/** Shorter than the command's own second, so that a thousand fit into a test; the number of questions is the same. */
const windowMs = 200;

function questionOf(segment: Segment, node: string): CheckQuestion {
  const role: Role = node === "node1" ? "primary" : node === "node2" ? "standby" : "observer";
  const pair = [
    { name: "node1", role: "primary", addresses: [segment.address("node1")] } as const,
    { name: "node2", role: "standby", addresses: [segment.address("node2")] } as const,
  ];
  return {
    role,
    vips: [{ address: VIP, family: 4, device: SERVICE_LINK, group: null, virtualRouter: null }],
    nodes: pair.filter((other) => other.name !== node),
    services: [],
    links: [],
    controlSocket: null,
    authentication: null,
    ignoredHardware: [],
    windowMs,
  };
}

/** How often each verdict came, over all machines. */
async function manyChecks(
  segment: Segment,
  nodes: readonly string[],
  each: number,
): Promise<Record<string, number>> {
  const total: Record<string, number> = {};
  await Promise.all(nodes.map(async (node) => {
    const question = JSON.stringify(questionOf(segment, node));
    const command = [process.execPath, "run", "-A", "--no-check", child, String(each), question];
    const namespace = segment.network.namespace(node);
    const ended = await tryRun("ip", ["netns", "exec", namespace, ...command], { limitMs: 120_000 });
    assert.equal(ended.code, 0, ended.stderr);
    for (const [code, count] of Object.entries<number>(JSON.parse(ended.stdout))) {
      total[code] = (total[code] ?? 0) + count;
    }
  }));
  return total;
}

segmentTest(
  "1,000 checks of a healthy pair under 20 % loss raise no alarm, and a second holder is seen all the same",
  {
    machines,
    programs: ["nft"],
  },
  async (segment) => {
    const nodes = segment.network.plan.nodes;
    await segment.hold("node1");
    // At the primary alone: each question of everybody crosses it twice.
    await segment.network.harm("node1", SERVICE_LINK, { lossPermille: 200 });
    const healthy = await manyChecks(segment, nodes, checksEach);
    const alarms = Object.keys(healthy).filter((code) => severityOf[code as VerdictCode] !== "ok");
    assert.deepEqual(alarms.filter((code) => code !== "not-seen"), [], JSON.stringify(healthy));
    // Of a machine too busy to ask, "could not be seen" is an honest answer, though a rare one.
    assert.ok(
      healthy["held-here"] === checksEach && healthy["held-by-primary"]! >= 890,
      JSON.stringify(healthy),
    );
    await segment.network.harm("node2", SERVICE_LINK, { lossPermille: 200 });
    await segment.hold("node2");
    const split = await manyChecks(segment, ["node1", "node2", "node3", "node4"], 25);
    assert.ok(split["split-brain"]! >= 98, JSON.stringify(split));
  },
);
