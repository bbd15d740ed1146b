/** Two machines that claim the address in turns: each takes the neighbours away from the other, again and again. */

import type { Cause, CauseFinder } from "../cause.ts";
import { ofKind } from "../evidence.ts";
import { isTroubled } from "./reading.ts";

/** A handover is one change of claimant; a second one means that the first holder does not give in. */
const flipsMin = 2;

export const contested: CauseFinder = {
  code: "contested",
  find(_question, evidence, judgement): Cause[] {
    if (!isTroubled(judgement)) return [];
    return ofKind(evidence, "claims").filter((claims) => claims.flips >= flipsMin).map((claims): Cause => {
      const { subject, device, claimants, flips, ageMs } = claims;
      const names = claimants.map((claimant) => claimant.hardware).join(" and ");
      return {
        code: "contested",
        certainty: "likely",
        sentence: `${names} claim ${subject} in turns on ${device}: neighbours go to one, then to the other`,
        evidence: [
          ...claimants.map(({ hardware, count }) =>
            `${count} gratuitous ${subject.includes(":") ? "ND" : "ARP"} packets of ${hardware}`
          ),
          `the claimant changed ${flips} times, last ${(ageMs / 1000).toFixed(1)} s ago`,
        ],
        next: `heartline arp watch --dev ${device} --vip ${subject}`,
      };
    });
  },
};
