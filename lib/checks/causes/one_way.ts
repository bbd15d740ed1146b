/** A link on which we hear another node and it does not hear us. */

import type { Cause, CauseFinder } from "../cause.ts";
import { type Evidence, ofKind } from "../evidence.ts";
import type { CheckQuestion } from "../question.ts";
import type { VrrpSpeaker } from "../traffic/pieces.ts";
import { heardText, kinds, masters, nodeAt, type Path, pathsOf } from "./reading.ts";

export const oneWay: CauseFinder = {
  code: "one-way",
  find(question, evidence, judgement): Cause[] {
    const paths = pathsOf(question, evidence);
    const deaf = paths.filter((path) => path.speaks && path.answersEcho === false && !path.answersNeighbour);
    const unheard = [
      ...byDaemon(evidence),
      ...byStatement(evidence),
      ...(judgement.severity === "ok" ? [] : byPriority(question, evidence, paths)),
    ];
    const found = deaf.map((path): Cause => ({
      code: "one-way",
      certainty: "certain",
      sentence:
        `link ${path.device} is one-way: ${path.node} is heard on it, and hears nothing from this machine`,
      evidence: path.evidence,
      next: `ssh ${otherAddress(path, paths)} ip -s link show`,
    }));
    // The first kind of proof names the link; the others are about the same thing.
    return found.length > 0 ? found : unheard;
  },
};

/** An address of the node by which a person still gets there. */
function otherAddress(path: Path, paths: readonly Path[]): string {
  return paths.find((each) => each.node === path.node && each.answersEcho === true)?.address ?? path.address;
}

/** A Heartline daemon of this machine compares both directions of each link all the time. */
function byDaemon(evidence: readonly Evidence[]): Cause[] {
  return ofKind(evidence, "daemon").flatMap(({ view, ageMs }) =>
    view.peers.flatMap((peer) =>
      peer.links.filter((link) => link.state === "one-way").map((link): Cause => ({
        code: "one-way",
        certainty: "certain",
        sentence: `link ${link.medium} to ${peer.node} is one-way, says the daemon here`,
        evidence: [`its view, ${ageMs} ms old: ${peer.node} is ${peer.state}, ${link.medium} is one-way`],
        next: "heartline status",
      }))
    )
  );
}

/** A Heartline node says in each heartbeat whom it hears. */
function byStatement(evidence: readonly Evidence[]): Cause[] {
  const beats = ofKind(evidence, "beats");
  const own = beats.find((beat) => beat.direction === "out")?.subject;
  if (own === undefined) return [];
  const deaf = new Map(
    beats.filter((beat) => beat.direction === "in" && beat.isAuthentic !== false)
      .filter((beat) => beat.hears !== null && !beat.hears.includes(own))
      .map((beat) => [beat.subject, beat]),
  );
  return [...deaf.values()].map((beat): Cause => ({
    code: "one-way",
    certainty: "certain",
    sentence: `${beat.subject} is heard, and says that it does not hear ${own}`,
    evidence: [`it states that it hears ${beat.hears!.join(", ") || "nobody"}`, heardText(beat)],
    next: `ssh ${beat.from} heartline detect --explain --config /etc/heartline/heartline.yaml`,
  }));
}

/** A master yields to one that is better and that it hears. One that goes on does not hear it, or does not take it. */
function byPriority(
  question: CheckQuestion,
  evidence: readonly Evidence[],
  paths: readonly Path[],
): Cause[] {
  const isAlike = (own: VrrpSpeaker, other: VrrpSpeaker) =>
    own.routerId === other.routerId && own.device === other.device && own.version === other.version &&
    own.secretMark === other.secretMark && own.intervalMs === other.intervalMs &&
    own.checksum === other.checksum;
  const own = masters(evidence).filter((speaker) => speaker.direction === "out");
  return masters(evidence).filter((speaker) => speaker.direction === "in" && speaker.count > 1)
    .flatMap((other): Cause[] => {
      const better = own.find((each) => isAlike(each, other) && each.priority > other.priority);
      if (better === undefined) return [];
      const name = nodeAt(other.from, question);
      const passes = paths.find((path) => path.device === other.device && path.answersEcho === true);
      const detail = passes === undefined
        ? "the link is one-way"
        : "though other packets pass both ways: its firewall, or multicast on the way, is to blame";
      return [{
        code: "one-way",
        certainty: "likely",
        sentence:
          `${name} goes on as master of virtual router ${other.routerId} with priority ${other.priority} ` +
          `against ${better.priority} here: it does not hear our ${kinds.vrrp.packets}; ${detail}`,
        evidence: [better, other].map((each) => `priority ${each.priority}, ${heardText(each)}`)
          .concat(passes?.evidence.slice(0, 2) ?? []),
        next: `ssh ${reachable(other, question, paths)} nft list ruleset`,
      }];
    });
}

function reachable(speaker: VrrpSpeaker, question: CheckQuestion, paths: readonly Path[]): string {
  const node = question.nodes.find((each) => each.addresses.includes(speaker.from));
  return paths.find((path) => path.node === node?.name && path.answersEcho === true)?.address ?? speaker.from;
}
