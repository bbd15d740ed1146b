/** Nodes that are configured differently, as seen from what they send, or from both files where both can be read. */

import type { Cause, CauseFinder } from "../cause.ts";
import { type Evidence, ofKind } from "../evidence.ts";
import type { CheckQuestion } from "../question.ts";
import type { BeatSpeaker, VrrpSpeaker } from "../traffic/pieces.ts";
import { heardText, mastersAndConfigured, pairsOf, senderName } from "./reading.ts";

export const settings: CauseFinder = {
  code: "settings",
  find(question, evidence): Cause[] {
    return [
      ...pairsOf(mastersAndConfigured(evidence)).flatMap((pair) =>
        ofPair(pair, question, routerDifferences(...pair))
      ),
      ...pairsOf(latestOfEach(ofKind(evidence, "beats")))
        .flatMap((pair) => ofPair(pair, question, beatDifferences(...pair))),
      ...ofDaemon(evidence),
      ...ofFiles(evidence),
    ];
  },
};

/** What keeps receivers from accepting an advertisement is certain to matter; what only surprises is not. */
interface Difference {
  readonly text: string;
  readonly isFatal: boolean;
}

function ofPair<S extends VrrpSpeaker | BeatSpeaker>(
  [a, b]: readonly [S, S],
  question: CheckQuestion,
  differences: readonly Difference[],
): Cause[] {
  if (differences.length === 0) return [];
  const [one, other] = [senderName(a, question), senderName(b, question)];
  return [{
    code: "settings",
    certainty: differences.some((each) => each.isFatal) ? "certain" : "possible",
    sentence: `${one} and ${other} are configured differently: ${
      differences.map((each) => each.text).join("; ")
    }`,
    evidence: [a, b].map((each) => `${each.subject}, ${heardText(each)}`),
    next: a.kind === "vrrp"
      ? `ssh ${(a.direction === "in" ? a : b).from} cat /etc/keepalived/keepalived.conf`
      : `ssh ${(a.direction === "in" ? a : b).from} cat /etc/ha.d/ha.cf | diff /etc/ha.d/ha.cf -`,
  }];
}

function routerDifferences(a: VrrpSpeaker, b: VrrpSpeaker): Difference[] {
  if (a.routerId !== b.routerId || a.device !== b.device || a.family !== b.family) return [];
  const found: Difference[] = [];
  const compare = (name: string, one: unknown, other: unknown, isFatal = true) => {
    if (`${one}` !== `${other}`) found.push({ text: `${name} ${one} and ${other}`, isFatal });
  };
  compare("VRRP version", a.version, b.version);
  if (a.version !== b.version) return found;
  // Version 3 takes the master's interval; version 2 drops what has another one (RFC 3768, 7.1).
  compare("interval in ms", a.intervalMs, b.intervalMs, a.version === 2);
  compare(
    "addresses",
    [...a.addresses].sort().join(", ") || "none",
    [...b.addresses].sort().join(", ") || "none",
  );
  compare("checksum", a.checksum, b.checksum);
  compare("sent to", a.isUnicast ? "one peer" : "the group", b.isUnicast ? "one peer" : "the group");
  return found;
}

/** Each sender and its fullest account: messages other than a status do not tell the dead time. */
function latestOfEach(beats: readonly BeatSpeaker[]): BeatSpeaker[] {
  const fullest = new Map<string, BeatSpeaker>();
  for (const beat of beats) {
    const known = fullest.get(beat.subject);
    if (known === undefined || beat.count > known.count) fullest.set(beat.subject, beat);
  }
  return [...fullest.values()];
}

/** How far measured intervals may be apart before they are called different. */
const intervalRatioMax = 1.6;

function beatDifferences(a: BeatSpeaker, b: BeatSpeaker): Difference[] {
  const found: Difference[] = [];
  if (a.deadTimeMs !== null && b.deadTimeMs !== null && a.deadTimeMs !== b.deadTimeMs) {
    found.push({ text: `deadtime ${a.deadTimeMs} ms and ${b.deadTimeMs} ms`, isFatal: true });
  }
  if (a.intervalMs !== null && b.intervalMs !== null) {
    const [low, high] = [a.intervalMs, b.intervalMs].sort((x, y) => x - y) as [number, number];
    if (high > low * intervalRatioMax) {
      found.push({ text: `keepalive about ${a.intervalMs} ms and ${b.intervalMs} ms`, isFatal: false });
    }
  }
  if (a.settingsHash !== null && b.settingsHash !== null && a.settingsHash !== b.settingsHash) {
    found.push({ text: "the hashes of the settings that must agree differ", isFatal: true });
  }
  return found;
}

/** A Heartline daemon compares hashes; where both files can be read, `--compare` names what differs. */
function ofDaemon(evidence: readonly Evidence[]): Cause[] {
  if (ofKind(evidence, "setting").length > 0) return [];
  return ofKind(evidence, "daemon").flatMap(({ view, ageMs }) =>
    view.peers.filter((peer) => peer.settingsDiffer).map((peer): Cause => ({
      code: "settings",
      certainty: "certain",
      sentence: `${view.node} and ${peer.node} are configured differently, says the daemon here`,
      evidence: [`the hashes of the settings that must agree differ (its view is ${ageMs} ms old)`],
      next:
        "heartline detect --explain --config FILE --compare COPY   # with a copy of the other node's file",
    }))
  );
}

function ofFiles(evidence: readonly Evidence[]): Cause[] {
  const differing = ofKind(evidence, "setting");
  if (differing.length === 0) return [];
  return [{
    code: "settings",
    certainty: "certain",
    sentence: `the nodes' files differ in ${differing.map((each) => each.subject).join(", ")}`,
    evidence: differing.map(({ subject, here, there }) => `${subject}: "${here}" here, "${there}" there`),
    next: null,
  }];
}
