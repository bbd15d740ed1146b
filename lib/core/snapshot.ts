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
    fencing: node.fencing.view(now),
    pings: node.pings.view(now),
    alarms: node.alarms.view(now),
    unprotected: identity.unprotected,
    refused: { ...node.refusals.counts } as Record<string, number>,
  };
}

function peerView(node: ClusterNode, peer: Peer, now: Instant): PeerView {
  const exchange = node.exchange.with(peer.node)!;
  return {
    node: peer.node,
    state: peer.hasLeft ? "left" : !peer.isInView ? "down" : peer.phase === "settled" ? "alive" : "init",
    heardAgoMs: peer.heardAt === null ? null : now - peer.heardAt,
    deadTimeMs: peer.deadTimeMs,
    version: peer.statement?.version ?? null,
    settingsDiffer: peer.statement !== null && peer.statement.settingsHash !== node.identity.settingsHash,
    hearsUs: peer.isInView && peer.statement === null ? null : peer.hasContact(now, peer.deadTimeMs),
    unfinished: peer.isInView && peer.statement === null ? peer.foreign?.unfinished ?? null : null,
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
      sent: node.outbox.count + node.exchange.resent,
      received: link.received,
      duplicates: link.copies,
      lost: link.lost,
      reordered: link.reordered,
      retransmitted: link.retransmitted,
      refused: { ...node.refusals.byMedium.get(link.medium) } as Record<string, number>,
      roundTripMs: rounded(link.timing.roundTripMs),
      jitterMs: rounded(link.timing.jitterMs),
    })),
    exchange: {
      missing: peer.tracker.missing.size,
      requests: exchange.requests.count,
      irretrievable: exchange.irretrievable,
      resent: exchange.resent,
      unanswered: exchange.unanswered,
      unacknowledged: peer.isInView && peer.hasAcks ? exchange.acks.unacknowledged(node.outbox.last) : 0,
    },
  };
}

function groupView(keeper: Keeper, surroundings: Surroundings): GroupView {
  const candidates = keeper.candidates(surroundings);
  return {
    group: keeper.name,
    nodes: keeper.settings.nodes,
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

/** To a tenth: more is not known. */
function rounded(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 10) / 10;
}
