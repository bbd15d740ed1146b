/** Small packets pass and large ones do not: a hop with a smaller MTU, which nobody learns of. */

import type { Cause, CauseFinder } from "../cause.ts";
import { ofKind } from "../evidence.ts";

/** IP and UDP header. */
const overheadBytes = 28;

export const packetSize: CauseFinder = {
  code: "packet-size",
  find(question, evidence): Cause[] {
    return ofKind(evidence, "packet-sizes").flatMap((piece): Cause[] => {
      const { subject: address, device, mtu, bytesPassed, smallAnswers, largeAnswers, questions } = piece;
      if (smallAnswers === 0 || largeAnswers > 0 || bytesPassed === null) return [];
      const beats = ofKind(evidence, "beats").filter((beat) => beat.device === device);
      const largest = Math.max(0, ...beats.map((beat) => beat.bytesMax + overheadBytes));
      const node = question.nodes.find((each) => each.addresses.includes(address))?.name ?? address;
      const hurts = largest > bytesPassed;
      return [{
        code: "packet-size",
        certainty: hurts ? "certain" : "likely",
        sentence:
          `packets above ${bytesPassed} bytes do not pass to ${node} on ${device}, whose MTU is ${mtu}` +
          (hurts ? `; heartbeats have up to ${largest}` : ""),
        evidence: [
          `${address} answered ${smallAnswers} of ${questions} small and none of ${questions} echo requests of ${mtu} bytes`,
        ],
        next: `tracepath -n ${address}`,
      }];
    });
  },
};
