/** Makes the plain view of a node. Reads everything, changes nothing. */

import type { Instant } from "./instant.ts";
import type { Peer } from "./membership/peer.ts";
import type { ClusterNode } from "./node.ts";
import type { Keeper } from "./ownership/keeper.ts";
import { holds } from "./ownership/placement.ts";
import type { Surroundings } from "./ownership/surroundings.ts";
import type { GroupView, LinkView, NodeView, PeerView } from "./view.ts";

export function snapshot(
  node: ClusterNode,
  surroundings: Surroundings,
  now: Instant,
  startedAt: Instant,
  isIsolated: boolean | null,
): NodeView {
  const { identity, settings } = node;
  return {
    node: identity.node,
    version: identity.version,
    generation: identity.generation,
    phase: surroundings.phase,
    uptimeMs: now - startedAt,
    cluster: settings.cluster,
    settingsHash: identity.settingsHash,
    timing: { keepaliveMs: settings.timing.keepaliveMs, deadTimeMs: settings.timing.deadTimeMs },
    coordinator: node.coordinator(surroundings.settledForMs),
    maintenance: surroundings.isMaintenance,
    isolated: isIsolated,
    peers: node.roster.peers.map((peer) => peerView(node, peer, now)),
    groups: node.keepers.map((keeper) => groupView(keeper, surroundings)),
    arbiters: node.arbitration.view(now),
    alarms: node.alarms.view(now),
    unprotected: identity.unprotected,
    refused: { ...node.refused } as Record<string, number>,
  };
}

function peerView(node: ClusterNode, peer: Peer, now: Instant): PeerView {
  return {
    node: peer.node,
    state: peer.hasLeft
      ? "left"
      : !peer.isInView
      ? "down"
      : peer.statement?.phase === "settled"
      ? "alive"
      : "init",
    heardAgoMs: peer.heardAt === null ? null : now - peer.heardAt,
    deadTimeMs: peer.deadTimeMs,
    version: peer.statement?.version ?? null,
    settingsDiffer: peer.statement !== null && peer.statement.settingsHash !== node.identity.settingsHash,
    hearsUs: peer.hasContact(now, peer.deadTimeMs),
    links: peer.links.map((link, index): LinkView => ({
      medium: link.medium,
      state: link.state(
        now,
        peer.inViewSince,
        peer.deadTimeMs + node.settings.timing.keepaliveMs,
        node.settings.timing.warnTimeMs,
        !peer.isInView || peer.hearsUsOn(node.identity.node, link.medium, index),
      ),
      heardAgoMs: link.heardAt === null ? null : now - link.heardAt,
      received: link.received,
      duplicates: link.copies,
      lost: link.lost,
    })),
  };
}

function groupView(keeper: Keeper, surroundings: Surroundings): GroupView {
  const candidates = keeper.candidates(surroundings);
  return {
    group: keeper.name,
    state: keeper.machine.state,
    epoch: keeper.epoch,
    holders: candidates.filter((candidate) => holds(candidate.state)).map((candidate) => candidate.node),
    placedOn: keeper.placedOn,
    reason: keeper.reason,
    pending: keeper.pending,
    pinnedTo: surroundings.directives.pinnedNode(keeper.name),
    able: keeper.isAble(surroundings),
    lastGapMs: keeper.moves.lastGapMs,
    resources: keeper.settings.resources.map((resource, index) => ({
      id: resource.id,
      kind: resource.spec.kind,
      state: keeper.machine.resources[index]!.state,
      last: keeper.machine.resources[index]!.last,
    })),
  };
}
