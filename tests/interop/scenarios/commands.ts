/** `cl_status`, `hb_standby` and `hb_takeover` of heartline beside the real ones, in the same cluster. */

import assert from "node:assert/strict";
import { heartline } from "../../../scripts/lab/daemon.ts";
import { clStatus } from "../../../scripts/lab/heartbeat.ts";
import type { Ended } from "../../../scripts/lab/run.ts";
import { untilEqual, waitFor } from "../../e2e/harness.ts";
import type { MixedPair } from "../mixed_pair.ts";
import type { InteropScenario } from "../scenario.ts";

const agreeMs = 20_000;
/** A move is over when the real daemon's scripts are. */
const moveMs = 90_000;

/** Whatever both nodes must see alike, wrong uses included. */
const lines = [
  "hbstatus",
  "hbstatus -m",
  "listnodes",
  "listnodes -n",
  "listnodes -p",
  "listnodes -m",
  "nodestatus node1",
  "nodestatus node2 -m",
  "nodestatus NODE2",
  "nodestatus nope",
  "nodestatus",
  "nodetype node1",
  "nodetype node1 -m",
  "nodetype nope",
  "nodetype",
  "nodeweight node2",
  "nodeweight node2 -m",
  "nodeweight nope",
  "nodesite node2",
  "nodesite node2 -m",
  "listhblinks node1",
  "listhblinks node2 -m",
  "listhblinks nope",
  "listhblinks",
  "hblinkstatus node2",
  "hblinkstatus node1 nope",
  "clientstatus node1",
  "hbparameter -p keepalive",
  "hbparameter -p deadtime",
  "hbparameter -p warntime",
  "hbparameter -p initdead",
  "hbparameter -p deadping",
  "hbparameter -p udpport",
  "hbparameter -p auto_failback",
  "hbparameter -p cluster",
  "hbparameter -p hopfudge",
  "hbparameter -p logfile",
  "hbparameter -p use_logd",
  "hbparameter -m -p keepalive",
  "hbparameter -p nope",
  "hbparameter -p",
  "hbparameter",
  "bogus",
  "listnodes -x",
];

export const commands: readonly InteropScenario[] = [{
  name: "cl_status, hb_standby and hb_takeover answer as the real ones",
  ours: "node1",
  isEssential: true,
  play: async (pair) => {
    await pair.opens();
    const linesOfBoth = [...lines, "rscstatus", "rscstatus -m"];
    for (const line of linesOfBoth) {
      await assertAlike(pair, line.split(" "));
    }
    for (const link of pair.lab.links) {
      const [theirs, ours] = [
        await clStatus(pair.lab, pair.theirs, "hblinkstatus", pair.ours, link),
        await asHeartbeat(pair, "cl_status", ["hblinkstatus", pair.theirs, link]),
      ];
      assert.deepEqual([ours.code, ours.stdout], [theirs.code, theirs.stdout]);
    }
    // Each about itself: the clients of another node are asked for by a message that Heartline has no use for.
    const clients = [
      await clStatus(pair.lab, pair.theirs, "clientstatus", pair.theirs, "ipfail"),
      await asHeartbeat(pair, "cl_status", ["clientstatus", pair.ours, "ipfail"]),
    ].map(({ code, stdout }) => [code, stdout]);
    assert.deepEqual(clients[1], clients[0]);
    const standby = await asHeartbeat(pair, "hb_standby", ["all"]);
    assert.equal(standby.code, 0, standby.stderr);
    assert.match(standby.stderr, /Going standby \[all\]\.\n$/);
    await pair.heldBy("node2");
    await waitFor(
      async () => (await asHeartbeat(pair, "cl_status", ["rscstatus"])).stdout === "none\n",
      "cl_status rscstatus says none",
      moveMs,
    );
    const takeover = await asHeartbeat(pair, "hb_takeover", ["local"]);
    assert.equal(takeover.code, 0, takeover.stderr);
    await pair.heldBy("node1");
    await pair.stop("node1");
    const stopped = await asHeartbeat(pair, "cl_status", ["hbstatus"]);
    assert.deepEqual([stopped.code, stopped.stdout], [1, "Heartbeat is stopped on this machine.\n"]);
    pair.neverTwo();
  },
}];

/** The binary is called by the name; the sources know it as a verb. */
function asHeartbeat(pair: MixedPair, name: string, args: readonly string[]): Promise<Ended> {
  if (pair.target === "source") return pair.lab.heartline(pair.ours, "source", [name, ...args]);
  const [binary] = heartline("binary") as [string];
  return pair.lab.exec(pair.ours, [
    "bash",
    "-c",
    'name=$1; file=$2; shift 2; exec -a "$name" "$file" "$@"',
    "as",
    name,
    binary,
    ...args,
  ]);
}

/** Of two that are asked side by side one may be in the middle of something: they have a while to agree. */
function assertAlike(pair: MixedPair, words: readonly string[]): Promise<void> {
  return untilEqual(
    async () => {
      const [theirs, ours] = await Promise.all([
        clStatus(pair.lab, pair.theirs, ...words),
        asHeartbeat(pair, "cl_status", words),
      ]);
      return [[ours.code, ours.stdout], [theirs.code, theirs.stdout]];
    },
    agreeMs,
    `cl_status ${words.join(" ")}`,
  );
}
