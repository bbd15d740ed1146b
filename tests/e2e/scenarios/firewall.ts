/**
 * Packet filters inside nodes: what befalls single kinds of traffic while the rest passes, as a firewall does it.
 * Everything is in one table of its own, so that one word lifts all of it.
 */

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
