/** Who speaks for the cluster: the longest settled node of the view, then the first by name. It decides no placement. */

import type { Instant } from "../instant.ts";
import type { Peer } from "./peer.ts";

export function coordinatorOf(
  now: Instant,
  self: string,
  settledForMs: number,
  peers: readonly Peer[],
): string {
  let best = { node: self, ms: settledForMs };
  for (const peer of peers) {
    if (!peer.isInView || peer.statement?.phase !== "settled") continue;
    const ms = peer.statement.settledForMs + (now - peer.heardAt!);
    const isLonger = Math.abs(ms - best.ms) > 1_000 ? ms > best.ms : peer.node < best.node;
    if (isLonger) best = { node: peer.node, ms };
  }
  return best.node;
}
