/** Somebody who is none of the nodes answers for the address. */

import type { Cause, CauseFinder } from "../cause.ts";
import { type NeighbourAnswers, type NeighbourHolder, ofKind } from "../evidence.ts";
import { hardwareOfNode } from "./reading.ts";

/** Virtual addresses of VRRP and CARP belong to whoever is master (RFC 9568, 7.3). */
const virtualHardware = /^00:00:5e:00:0[12]:/;

export const stranger: CauseFinder = {
  code: "stranger",
  find(question, evidence, judgement): Cause[] {
    if (judgement.severity === "ok") return [];
    // A third machine must know both nodes before it can call anybody a stranger.
    if (question.role === "observer" && question.nodes.length < 2) return [];
    const vips = new Set(question.vips.map((vip) => vip.address));
    return ofKind(evidence, "neighbour").filter((piece) => vips.has(piece.subject)).flatMap((piece) => {
      // A node has other hardware on other networks: it must have shown that of this one.
      const nodes = question.nodes.map((node) => hardwareOfNode(node, evidence, piece.device));
      if (nodes.length === 0 || nodes.some((hardware) => hardware.size === 0)) return [];
      const known = new Set(nodes.flatMap((hardware) => [...hardware]));
      return piece.holders
        .filter(({ hardware }) => !known.has(hardware) && !virtualHardware.test(hardware))
        .map((holder) => causeFor(piece, holder, known));
    });
  },
};

function causeFor(
  { subject, device, questions }: NeighbourAnswers,
  { hardware, answers }: NeighbourHolder,
  known: ReadonlySet<string>,
): Cause {
  return {
    code: "stranger",
    certainty: "certain",
    sentence: `${hardware} has ${subject} too, and belongs to none of the nodes: a duplicate address`,
    evidence: [
      `${hardware} answered ${answers} of ${questions} questions for ${subject} on ${device}`,
      `the nodes have ${[...known].join(", ")} there`,
    ],
    next: `ip neigh show dev ${device} | grep -i ${hardware}   # then that address in the switch's table`,
  };
}
