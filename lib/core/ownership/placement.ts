/**
 * Who should hold a group: the same answer on every node that has the same view. Placement only says where a group
 * belongs; whether it may be started there is decided elsewhere, and nothing is ever taken because of placement alone.
 */

import type { Instant } from "../instant.ts";
import type { Peer } from "../membership/peer.ts";
import type { GroupSettings } from "../settings.ts";
import type { GroupState } from "../../wire/statement.ts";

/** One node in view, as far as one group is concerned. */
export interface Candidate {
  readonly node: string;
  /** Settled, and able to hold the group by its own word. */
  readonly isEligible: boolean;
  readonly state: GroupState;
  readonly epoch: number;
  /** How long it has been an ordinary member, for `failback: after`. */
  readonly settledForMs: number;
}

/** A peer in view, by its own latest word. */
export function candidateOf(peer: Peer, group: string, now: Instant): Candidate {
  const { able, state, epoch } = peer.group(group);
  return {
    node: peer.node,
    isEligible: able && peer.phase === "settled",
    state,
    epoch,
    settledForMs: peer.statement?.settledForMs ?? peer.foreign?.settledForMs(now) ?? 0,
  };
}

/** A state in which a node has, or may have, something of the group running. */
export function mayHold(state: GroupState): boolean {
  return state !== "stopped";
}

/** A state in which a node serves the group or is about to. */
export function holds(state: GroupState): boolean {
  return state === "running" || state === "starting";
}

/** Whether the claim (epoch, node) outranks another: the later start wins, then the name that sorts higher. */
export function outranks(epoch: number, node: string, otherEpoch: number, otherNode: string): boolean {
  return epoch === otherEpoch ? node > otherNode : epoch > otherEpoch;
}

/** The candidate that holds the group by the highest claim; `null`: none does. */
export function holderOf(candidates: readonly Candidate[]): Candidate | null {
  let best: Candidate | null = null;
  for (const candidate of candidates) {
    if (!holds(candidate.state)) continue;
    if (best === null || outranks(candidate.epoch, candidate.node, best.epoch, best.node)) best = candidate;
  }
  return best;
}

/** The node that should hold the group; `null`: none in view can. */
export function place(
  group: GroupSettings,
  candidates: readonly Candidate[],
  pinnedNode: string | null,
): string | null {
  const isEligible = (c: Candidate) => c.isEligible && group.nodes.includes(c.node);
  if (pinnedNode !== null && candidates.some((c) => c.node === pinnedNode && isEligible(c))) {
    return pinnedNode;
  }

  const holder = holderOf(candidates);
  const stays = holder !== null && isEligible(holder) ? holder.node : null;
  for (const node of group.nodes) {
    const candidate = candidates.find((c) => c.node === node);
    if (candidate === undefined || !candidate.isEligible) continue;
    if (stays === null || node === stays || mayFailBack(group, candidate)) return node;
  }
  return stays;
}

/** Whether a more preferred node may take the group back from a healthy holder. */
function mayFailBack(group: GroupSettings, candidate: Candidate): boolean {
  switch (group.failback.kind) {
    case "on":
    case "legacy":
      return true;
    case "off":
      return false;
    case "after":
      return candidate.settledForMs >= group.failback.ms;
  }
}
