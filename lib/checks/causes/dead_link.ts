/**
 * A link over which nothing comes from a node that lives: this machine's interface has a carrier, and the far end
 * answers by another way. The cable beyond the switch, the switch, a VLAN, or the far end's interface.
 */

import type { Cause, CauseFinder } from "../cause.ts";
import { type Evidence, ofKind } from "../evidence.ts";
import type { CheckQuestion } from "../question.ts";
import { pathsOf } from "./reading.ts";

export const deadLink: CauseFinder = {
  code: "dead-link",
  find(question, evidence): Cause[] {
    const paths = pathsOf(question, evidence);
    const isDead = (path: typeof paths[number]) =>
      !path.answersNeighbour && path.answersEcho !== true && !path.speaks;
    return paths.filter(isDead).flatMap((path): Cause[] => {
      const interfaceOf = ofKind(evidence, "interface").find((piece) => piece.subject === path.device);
      const other = paths.find((each) => each.node === path.node && !isDead(each));
      const proof = other === undefined ? heldElsewhere(question, evidence) : {
        how: `${path.node} answers on ${other.device}`,
        evidence: other.evidence.slice(0, 2),
        address: other.address,
      };
      if (proof === null || interfaceOf?.hasCarrier === false) return [];
      return [{
        code: "dead-link",
        certainty: "likely",
        sentence:
          `link ${path.device} is dead although it has a carrier: nothing comes from ${path.node} (${path.address}) ` +
          `on it, while ${proof.how}`,
        evidence: [...path.evidence, ...proof.evidence],
        next: proof.address === null ? `ethtool -S ${path.device}` : `ssh ${proof.address} ip -br link`,
      }];
    });
  },
};

/** Of a pair whose other addresses are not known, another machine's answer for the checked address is a sign of life. */
function heldElsewhere(question: CheckQuestion, evidence: readonly Evidence[]) {
  if (question.nodes.length !== 1 || question.role === "observer") return null;
  const vips = new Set(question.vips.map((vip) => vip.address));
  const piece = ofKind(evidence, "neighbour").find((each) =>
    vips.has(each.subject) && each.holders.length > 0
  );
  if (piece === undefined) return null;
  const hardware = piece.holders[0]!.hardware;
  return {
    how: `another machine (${hardware}) has ${piece.subject} on ${piece.device}`,
    evidence: [`${hardware} answered for ${piece.subject} on ${piece.device}`],
    address: null,
  };
}
