/**
 * Packet filters inside nodes: what befalls single kinds of traffic while the rest passes, as a firewall does it.
 * Everything is in one table of its own, so that one word lifts all of it.
 */

import type { Lab } from "../../../scripts/lab/lab.ts";
import type { Stage } from "./stage.ts";

const table = "inet scenario";

export const needsFirewall: readonly string[] = ["nft"];

/** The node's heartbeats: it hears none, or none of one other node. */
export async function dropHeartbeatsTo(stage: Stage, node: string, fromAddresses: readonly string[] = []) {
  const source = fromAddresses.length === 0 ? "" : `ip saddr { ${fromAddresses.join(", ")} } `;
  const chain = "input { type filter hook input priority 0; }";
  await stage.shell(
    node,
    `nft 'add table ${table}; add chain ${table} ${chain}; add rule ${table} input ${source}udp dport 694 drop'`,
  );
}

export async function passHeartbeats(stage: Stage, ...nodes: string[]): Promise<void> {
  for (const node of nodes) await stage.shell(node, `nft 'delete table ${table}'`);
}

/**
 * Each node loses a share of the heartbeats that reach it, by chance, and nothing else: where ARP is lost as well, a
 * kernel that cannot confirm its neighbour's hardware address sends nothing at all for seconds. `null` ends it.
 */
export async function loseHeartbeats(lab: Lab, percent: number | null): Promise<void> {
  const rules = percent === null
    ? "delete table inet losses"
    : "add table inet losses; add chain inet losses input { type filter hook input priority 0; }; " +
      `add rule inet losses input udp dport 694 numgen random mod 100 < ${percent} drop`;
  for (const node of lab.nodes) {
    const { code, stderr } = await lab.exec(node, ["nft", rules]);
    if (code !== 0) throw new Error(`nft in ${node}: ${stderr}`);
  }
}
