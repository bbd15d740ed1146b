/** `heartline detect` on the nodes of a running Heartline pair, from its own settings. */

import assert from "node:assert/strict";
import { VIP } from "../../scripts/lab/config.ts";
import { CLIENT } from "../../scripts/lab/network.ts";
import { type Pair, targets, waitFor, withPair } from "../e2e/harness.ts";
import { Lab } from "../../scripts/lab/lab.ts";

const unavailable = await Lab.unavailable();
if (unavailable !== null) console.warn(`SKIPPED: heartline detect on a running pair: ${unavailable}`);

async function verdict(pair: Pair, node: string, more: readonly string[] = []) {
  const args = [
    "detect",
    "--config",
    "/etc/heartline/heartline.yaml",
    "--json",
    "--window",
    "1500ms",
    ...more,
  ];
  const ended = await pair.lab.heartline(node, pair.target, args);
  assert.ok(ended.stdout.startsWith("{"), `${node}: ${ended.code} ${ended.stdout}${ended.stderr}`);
  const report = JSON.parse(ended.stdout);
  return { code: report.verdicts[0].code as string, text: JSON.stringify(report.verdicts[0]), report };
}

for (const target of targets()) {
  Deno.test({
    name: `${target}: a pair in health, after a failover, after the return of the primary, and torn apart`,
    ignore: unavailable !== null,
    fn: () =>
      withPair(target, { nodes: 2, links: 2, config: { failback: { after: "10m" } } }, async (pair) => {
        const { lab } = pair;
        await pair.untilHeldBy("node1");
        for (const node of lab.nodes) await pair.untilSaid(node, / notice settled: /);
        const [primary, standby] = await Promise.all([verdict(pair, "node1"), verdict(pair, "node2")]);
        assert.deepEqual([primary.code, standby.code], ["held-here", "held-by-primary"]);
        assert.match(standby.text, /the nodes state that node1 holds group \\"web\\"/);

        await lab.powerOff("node1");
        await pair.untilHeldBy("node2");
        assert.equal((await verdict(pair, "node2")).code, "taken-over");

        await lab.powerOn("node1");
        pair.start("node1");
        await waitFor(
          async () => (await verdict(pair, "node2")).code === "held-here-by-right",
          "the returned primary states that it does not hold the address",
        );
        assert.equal((await verdict(pair, "node1")).code, "held-by-standby");

        // An address that nobody's daemon knows of, by hand.
        await lab.exec("node1", ["ip", "addr", "add", `${VIP}/24`, "dev", "pub0"]);
        assert.equal((await verdict(pair, "node2")).code, "split-brain");
        const args = ["--vip", VIP, "--primary", lab.network.address("node1", "pub0")];
        const observed = await lab.exec(CLIENT, [
          Deno.execPath(),
          ...["run", "-A", "--no-check", "cli/main.ts", "detect", "--role", "observer", "--nagios"],
          ...args,
        ]);
        assert.equal(observed.code, 2, observed.stdout + observed.stderr);
      }),
  });
}
