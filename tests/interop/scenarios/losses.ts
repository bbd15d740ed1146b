/**
 * The only heartbeat link loses almost a third of what it carries, both ways: each side asks the other for what is
 * missing, gets it, and acknowledges. What the resource layers say to each other survives, as a move in the middle shows.
 */

import assert from "node:assert/strict";
import process from "node:process";
import type { NodeView } from "../../../lib/core/view.ts";
import { waitFor } from "../../e2e/harness.ts";
import { loseHeartbeats } from "../../e2e/scenarios/firewall.ts";
import type { InteropScenario } from "../scenario.ts";
import type { MixedPair, Node } from "../mixed_pair.ts";

/** With 90 s the real daemon would complain of more than 375 messages that we had not acknowledged. */
const lossMs = Number(process.env.HEARTLINE_LOSS_SECONDS ?? 8) * 1000;

export const losses: readonly InteropScenario[] = (["node1", "node2"] as const).map((ours) => ({
  name:
    `30 % loss both ways, Heartline on ${ours}: lost messages are asked for and sent again by both, groups move`,
  ours,
  options: {
    deadTimeMs: 4_000,
    failback: "off" as const,
    media: (node, lab) => [`ucast hb0 ${lab.network.address(node === "node1" ? "node2" : "node1", "hb0")}`],
  },
  play: async (pair) => {
    await pair.opens();
    pair.blow();
    await loseHeartbeats(pair.lab, 30);
    await pair.stays("node1", lossMs);
    // The negotiation of a move is numbered messages, one lost in three.
    const order = ours === "node1" ? "standby" : "takeover";
    // While the real daemon has not yet said that it is stable the order is refused, to be tried again.
    await waitFor(
      async () => (await pair.lab.heartline(ours, pair.target, [order])).code === 0,
      `${order} succeeds`,
      20_000,
    );
    await pair.heldBy("node2");
    await pair.stays("node2", 1_000);
    await loseHeartbeats(pair.lab, null);
    let view = await viewOf(pair, ours);
    await waitFor(async () => {
      view = await viewOf(pair, ours);
      const { missing, unacknowledged } = view.peers[0]!.exchange;
      return missing === 0 && unacknowledged < 25;
    }, "nothing is missing, and the real daemon acknowledges");
    const { requests, resent, irretrievable, unacknowledged } = view.peers[0]!.exchange;
    console.log(
      `${requests} requests of ours, ${resent} sent again for the real daemon, ${unacknowledged} unacknowledged`,
    );
    assert.ok(requests > 5 && resent > 5, "nothing was lost: nothing was tested");
    assert.equal(irretrievable, 0);
    assert.match(pair.log(), new RegExp(`No pkts missing from ${ours}!`), "it got what it asked for");
    assert.doesNotMatch(
      pair.log(),
      /irretriev|lost a lot|Cannot rexmit|corrupted|replay|filling up|message queue/i,
    );
    pair.neverTwo();
  },
}));

async function viewOf(pair: MixedPair, node: Node): Promise<NodeView> {
  const { stdout } = await pair.lab.heartline(node, pair.target, ["status", "--json"]);
  return JSON.parse(stdout).view;
}
