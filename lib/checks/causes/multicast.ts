/**
 * Multicast that does not arrive although the same interface carries everything else: a switch or bridge that snoops
 * on group membership and has forgotten it, because nobody asks for members.
 */

import type { Cause, CauseFinder } from "../cause.ts";
import type { BridgeState } from "../circumstances.ts";
import { type Evidence, ofKind } from "../evidence.ts";
import type { CheckQuestion } from "../question.ts";
import { isTroubled, kinds, pairsOf, pathsOf, type Speaker } from "./reading.ts";

export const multicast: CauseFinder = {
  code: "multicast",
  find(question, evidence, judgement): Cause[] {
    if (!isTroubled(judgement)) return [];
    const bridges = ofKind(evidence, "bridge").filter((bridge) =>
      bridge.portsWithoutMulticast.length > 0 || (bridge.isSnooping && !bridge.isQuerier)
    );
    const blocking = bridges.find((bridge) => bridge.portsWithoutMulticast.length > 0);
    const groups = groupSpeakers(question, evidence);
    if (blocking !== undefined && groups.length > 0) return [atBridge(blocking, groups)];
    return missingHere(question, evidence, groups, bridges);
  },
};

/** Those that speak to a group: VRRP unless told otherwise, CARP, heartbeats of a multicast link. */
function groupSpeakers(question: CheckQuestion, evidence: readonly Evidence[]): Speaker[] {
  const groups = question.links.flatMap((link) => link.kind === "network" ? link.group ?? [] : []);
  return evidence.filter((piece): piece is Speaker =>
    piece.kind === "carp" || (piece.kind === "vrrp" && !piece.isUnicast) ||
    (piece.kind === "beats" && groups.includes(piece.to))
  );
}

function atBridge(bridge: BridgeState, speakers: readonly Speaker[]): Cause {
  const ports = bridge.portsWithoutMulticast.join(", ");
  const isProved = pairsOf(speakers).some(([a, b]) => a.kind === b.kind);
  return {
    code: "multicast",
    certainty: isProved ? "certain" : "likely",
    sentence:
      `bridge ${bridge.subject} of this machine does not forward multicast to ${ports}: who is behind it does not hear ` +
      kinds[speakers[0]!.kind].packets,
    evidence: bridgeFacts(bridge),
    next: `bridge link set dev ${bridge.portsWithoutMulticast[0]} mcast_flood on`,
  };
}

function bridgeFacts(bridge: BridgeState): string[] {
  const { subject, isSnooping, isQuerier, portsWithoutMulticast: ports } = bridge;
  return [
    `${subject}: multicast snooping ${isSnooping ? "on" : "off"}, querier ${isQuerier ? "on" : "off"}` +
    (ports.length === 0 ? "" : `, no unknown multicast to ${ports.join(", ")} (/sys/class/net/${subject})`),
  ];
}

/** We speak to a group on an interface where unicast passes, and hear nobody of that group. */
function missingHere(
  question: CheckQuestion,
  evidence: readonly Evidence[],
  speakers: readonly Speaker[],
  bridges: readonly BridgeState[],
): Cause[] {
  const paths = pathsOf(question, evidence);
  const own = speakers.filter((speaker) => speaker.direction === "out");
  const silent = own.find((speaker) =>
    !speakers.some((each) => each.direction === "in" && each.device === speaker.device) &&
    paths.some((path) => path.device === speaker.device && path.answersEcho === true)
  );
  const isClosed = ofKind(evidence, "knock").some((knock) => knock.outcome === "closed");
  if (silent === undefined || isClosed) return [];
  const path = paths.find((each) => each.device === silent.device && each.answersEcho === true)!;
  return [{
    code: "multicast",
    certainty: "possible",
    sentence: `multicast may not pass on ${silent.device}: ${path.node} answers there, and none of its ` +
      `${kinds[silent.kind].packets} arrives; a switch that snoops without a querier does that`,
    evidence: [...path.evidence, ...bridges.flatMap(bridgeFacts)],
    next: `tcpdump -ni ${silent.device} igmp`,
  }];
}
