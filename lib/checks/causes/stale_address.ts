/** An address that no daemon answers for: left over from a crash, or put there by hand. */

import type { Cause, CauseFinder } from "../cause.ts";
import { type Evidence, ofKind, type OwnAddress } from "../evidence.ts";
import { statementAbout } from "../place.ts";
import type { CheckQuestion } from "../question.ts";
import { expectedKind, isClosed, isTroubled, nodesHolding, pathsOf } from "./reading.ts";

export const staleAddress: CauseFinder = {
  code: "stale-address",
  find(question, evidence, judgement): Cause[] {
    if (!isTroubled(judgement)) return [];
    return [
      ...staleHere(question, evidence),
      ...staleThere(question, evidence),
      ...disownedHere(question, evidence),
      ...disownedThere(question, evidence),
    ];
  },
};

/** Why an address may be where its daemon did not put it. */
const origins = "it was put there by hand or by another program, or is left over from a crash";

function staleHere(question: CheckQuestion, evidence: readonly Evidence[]): Cause[] {
  const software = ofKind(evidence, "software")[0];
  const speaks = evidence.some((piece) => "direction" in piece && piece.direction === "out");
  const hasDaemon = evidence.some((piece) => piece.kind === "daemon");
  if (software === undefined || software.processes.length > 0 || speaks || hasDaemon) return [];
  const vips = new Set(question.vips.map((vip) => vip.address));
  const heldElsewhere = new Set(nodesHolding(question, evidence).map(({ vip }) => vip));
  return ofKind(evidence, "own-address").filter((piece) => piece.isHere && vips.has(piece.subject)).map(
    (piece): Cause => ({
      code: "stale-address",
      certainty: "certain",
      sentence:
        `${piece.subject} is on this machine without any high-availability software that is known here: ` +
        "left over from a crash, or put here by hand",
      evidence: [
        `${piece.subject} is on ${piece.device}, valid ${
          piece.validSeconds === null ? "forever" : "for a time"
        }`,
        "neither Heartbeat, Heartline, keepalived, ucarp nor Corosync runs here, and nothing of theirs is sent",
      ],
      // Nobody may be left without a holder: only a standby is told to let go, and only while another one answers.
      next: question.role === "standby" && heldElsewhere.has(piece.subject)
        ? removal(piece, evidence)
        : "systemctl status keepalived heartbeat heartline pacemaker",
    }),
  );
}

function removal({ subject, device }: OwnAddress, evidence: readonly Evidence[]): string {
  const all = ofKind(evidence, "interface").flatMap((piece) => piece.addresses);
  const text = all.find((each) => each.split("/")[0] === subject) ?? subject;
  return `ip addr del ${text} dev ${device}`;
}

/** Our own daemon says that it does not hold the group, and its kernel has the address. */
function disownedHere(question: CheckQuestion, evidence: readonly Evidence[]): Cause[] {
  return question.vips.flatMap((vip): Cause[] => {
    const own = ofKind(evidence, "own-address").find((piece) =>
      piece.isHere && piece.subject === vip.address
    );
    const said = statementAbout(vip, evidence);
    if (own === undefined || said?.isDisownedHere !== true) return [];
    return [{
      code: "stale-address",
      certainty: "certain",
      sentence:
        `${vip.address} is on this machine although its daemon does not hold group "${said.group}": ${origins}`,
      evidence: [`${vip.address} is on ${own.device}`, said.sentence],
      next: removal(own, evidence),
    }];
  });
}

/** Another node answers for the address and states that it does not hold the group. */
function disownedThere(question: CheckQuestion, evidence: readonly Evidence[]): Cause[] {
  return nodesHolding(question, evidence).flatMap(({ node, vip: address }): Cause[] => {
    const said = statementAbout(question.vips.find((vip) => vip.address === address)!, evidence);
    if (said === null || said.holders.includes(node.name)) return [];
    // By flags alone nodes have no names: then only what is held here alone is certainly not held there.
    const isKnown = said.inView.includes(node.name) ||
      (said.holders.length === 1 && said.holders[0] === said.here && said.inView.length === 1);
    if (!isKnown) return [];
    const way = pathsOf(question, evidence).find((path) => path.node === node.name)?.address ?? node.name;
    return [{
      code: "stale-address",
      certainty: "certain",
      sentence:
        `${node.name} has ${address} although it states that it does not hold group "${said.group}": ${origins}`,
      evidence: [`${node.name} answers for ${address}`, said.sentence],
      next: `ssh ${way} ip addr show to ${address}`,
    }];
  });
}

function staleThere(question: CheckQuestion, evidence: readonly Evidence[]): Cause[] {
  const paths = pathsOf(question, evidence);
  return nodesHolding(question, evidence).flatMap(({ node, vip }): Cause[] => {
    const own = paths.filter((path) => path.node === node.name);
    if (!isClosed(own, evidence) || own.some((path) => path.speaks)) return [];
    const closed = ofKind(evidence, "knock").filter((knock) =>
      knock.outcome === "closed" && own.some((path) => path.address === knock.address)
    );
    const way = own.find((path) => path.answersEcho === true) ?? own[0]!;
    return [{
      code: "stale-address",
      certainty: "certain",
      sentence:
        `${node.name} still has ${vip}, and no daemon runs there: the address is left over from a crash`,
      evidence: [
        ...closed.map((knock) => `${knock.subject}: its kernel says that nobody listens`),
        `no ${expectedKind(evidence).packets} came from it`,
        ...way.evidence,
      ],
      next: `ssh ${way.address} ip addr show to ${vip}`,
    }];
  });
}
