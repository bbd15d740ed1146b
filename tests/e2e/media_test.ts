/** Two daemons that have but one link, of each kind of medium: they find each other, and one takes over. */

import assert from "node:assert/strict";
import { CONFIG_PATH, heartlineYaml, writeNodeFile } from "../../scripts/lab/config.ts";
import type { Target } from "../../scripts/lab/daemon.ts";
import { hasSocat, PseudoLine } from "../media/pseudo_line.ts";
import { assertNoOverlap, cannotRun, endToEnd, type Pair, targets, withPair } from "./harness.ts";

const dev = "hb0";
const peer = { node1: "10.77.2.1", node2: "10.77.2.2" };
const links: Readonly<Record<string, unknown>> = {
  "broadcast": { bcast: { dev } },
  "IPv4 multicast": { mcast: { dev, group: "225.0.0.1" } },
  "IPv6 multicast": { mcast: { dev, group: "ff12::694" } },
  "TCP": { tcp: { dev, peer } },
};
const deadTimeMs = 1_000;

for (const [kind, link] of Object.entries(links)) {
  endToEnd(`over ${kind} only: the nodes hear each other, and the standby takes over from a dead machine`, {
    config: { deadTimeMs, extra: { links: [link] } },
  }, async (pair) => {
    if (kind === "TCP") await isMeasured(pair, "tcp:hb0");
    await takesOver(pair);
  });
}

for (const target of targets()) {
  Deno.test({
    name: `over a serial line only: the nodes hear each other, and the standby takes over (${target})`,
    ignore: !hasSocat || cannotRun(target) !== null,
    fn: () => overSerial(target),
  });
}

async function overSerial(target: Target): Promise<void> {
  const line = await PseudoLine.open();
  try {
    await withPair(target, {
      prepare: (lab) => {
        for (const [index, node] of lab.nodes.entries()) {
          const tty = [line.a, line.b][index];
          const text = heartlineYaml(lab, {
            deadTimeMs,
            extra: { links: [{ serial: { tty, baud: 115_200 } }] },
          });
          writeNodeFile(lab, node, CONFIG_PATH, text, 0o600);
        }
      },
    }, async (pair) => {
      await isMeasured(pair, line.a);
      await takesOver(pair);
    });
  } finally {
    await line.close();
  }
}

/** A link that belongs to the daemons alone is asked by the daemon. */
async function isMeasured({ lab, target, untilSaid }: Pair, link: string): Promise<void> {
  for (const node of lab.nodes) await untilSaid(node, / notice settled: /);
  const { stdout, stderr } = await lab.heartline("node1", target, [
    ...["probe", "--json", "--count", "4", "--interval", "500ms", "--wait", "5s", "--link", link],
  ]);
  assert.ok(stdout.startsWith("{"), stderr);
  const { paths } = JSON.parse(stdout);
  assert.equal(paths.length, 1, stdout);
  const [{ description, answered, answeredBy }] = paths;
  assert.deepEqual([description, answeredBy], [`${link} node2`, ["node2"]]);
  assert.ok(answered > 0, stdout);
}

async function takesOver({ lab, holders, untilHeldBy, untilSaid }: Pair): Promise<void> {
  await untilHeldBy("node1");
  for (const node of lab.nodes) await untilSaid(node, / notice settled: /);
  await lab.powerOff("node1");
  await untilHeldBy("node2");
  assertNoOverlap(holders.timeline());
  await untilSaid("node2", / alarm node-dead: node1 is out of view/);
}
