/** Nodes that hear each other and do not believe each other: another password, key or key index. */

import type { Cause, CauseFinder } from "../cause.ts";
import { type Evidence, ofKind } from "../evidence.ts";
import type { CheckQuestion } from "../question.ts";
import type { BeatSpeaker } from "../traffic/pieces.ts";
import { heardText, mastersAndConfigured, nodeAt, pairsOf, senderName } from "./reading.ts";

export const authentication: CauseFinder = {
  code: "authentication",
  find(question, evidence, judgement): Cause[] {
    const isSplit = judgement.severity === "critical";
    return [
      ...ofRouters(question, evidence),
      ...(isSplit ? ofCarp(question, evidence) : []),
      ...ofBeats(question, evidence),
    ];
  },
};

function ofRouters(question: CheckQuestion, evidence: readonly Evidence[]): Cause[] {
  return pairsOf(mastersAndConfigured(evidence)).flatMap(([a, b]): Cause[] => {
    if (a.routerId !== b.routerId || a.device !== b.device || a.version !== b.version) return [];
    if (a.authentication === b.authentication && a.secretMark === b.secretMark) return [];
    const [one, other] = [senderName(a, question), senderName(b, question)];
    const what = a.authentication === b.authentication
      ? `different ${a.authentication === "hmac" ? "keys" : "passwords"}`
      : `different authentication (${a.authentication}, ${b.authentication})`;
    return [{
      code: "authentication",
      certainty: "certain",
      sentence:
        `${one} and ${other} use ${what} for virtual router ${a.routerId}: each drops what the other says`,
      evidence: [a, b].map((each) => `authentication "${each.authentication}", ${heardText(each)}`),
      next: "grep -n -A3 authentication /etc/keepalived/keepalived.conf",
    }];
  });
}

/** Two masters of one virtual host that hear each other: the worse one would yield if it believed the better one. */
function ofCarp(question: CheckQuestion, evidence: readonly Evidence[]): Cause[] {
  return pairsOf(ofKind(evidence, "carp"))
    .filter(([a, b]) => a.hostId === b.hostId && a.device === b.device)
    .map(([a, b]): Cause => ({
      code: "authentication",
      certainty: "likely",
      sentence:
        `${senderName(a, question)} and ${senderName(b, question)} both speak as master of CARP virtual ` +
        `host ${a.hostId} on one network: they use different passwords or addresses`,
      evidence: [a, b].map((each) => `virtual host ${each.hostId}, skew ${each.skew}, ${heardText(each)}`),
      next: "ps -C ucarp -o args",
    }));
}

const reasons: Readonly<Record<string, string>> = {
  "wrong-key": "it does not verify with the same index here: another secret, or another method",
  "unknown-key": "there is no key of that index here",
  "no-authentication": "they are not signed",
  "method-refused": "the method is refused here",
};

function ofBeats(question: CheckQuestion, evidence: readonly Evidence[]): Cause[] {
  const beats = ofKind(evidence, "beats");
  const refused = beats.filter((beat) =>
    beat.direction === "in" && beat.isAuthentic === false && reasons[beat.refusal ?? ""] !== undefined
  );
  const byNode = new Map(refused.map((beat) => [beat.subject, beat]));
  return [
    ...[...byNode.values()].map((beat): Cause => ({
      code: "authentication",
      certainty: "certain",
      sentence: `heartbeats of ${beat.subject} are signed with ${keyText(beat)}: ${reasons[beat.refusal!]}`,
      evidence: refused.filter(({ subject }) => subject === beat.subject).map((each) => heardText(each)),
      next: `ssh ${beat.from} sha256sum /etc/ha.d/authkeys; sha256sum /etc/ha.d/authkeys`,
    })),
    ...(byNode.size > 0 ? [] : differentKeys(question, beats)),
  ];
}

/** Without a key at hand, another index or method is all that can be seen. */
function differentKeys(question: CheckQuestion, beats: readonly BeatSpeaker[]): Cause[] {
  const differing = pairsOf(beats).find(([a, b]) =>
    a.isAuthentic === null && (a.keyIndex !== b.keyIndex || a.method !== b.method)
  );
  if (differing === undefined) return [];
  const [a, b] = differing;
  const names = [a, b].map((each) => each.direction === "out" ? "this machine" : nodeAt(each.from, question));
  return [{
    code: "authentication",
    certainty: "likely",
    sentence: `${names[0]} signs with ${keyText(a)}, ${names[1]} with ${keyText(b)}`,
    evidence: [a, b].map((each) => heardText(each)),
    next: `ssh ${(a.direction === "in" ? a : b).from} head -1 /etc/ha.d/authkeys; head -1 /etc/ha.d/authkeys`,
  }];
}

function keyText({ keyIndex, method }: BeatSpeaker): string {
  return keyIndex === null ? "no key" : `key ${keyIndex}${method === null ? "" : ` (${method})`}`;
}
