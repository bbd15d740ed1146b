/** A link whose interface on this machine is gone, down or without carrier. */

import type { Cause, CauseFinder } from "../cause.ts";
import { ofKind } from "../evidence.ts";

export const carrier: CauseFinder = {
  code: "carrier",
  find(_question, evidence): Cause[] {
    return ofKind(evidence, "interface").filter((piece) => !piece.hasCarrier).map((piece): Cause => {
      const { subject: device, exists, isUp } = piece;
      const state = !exists ? "does not exist" : !isUp ? "is down" : "has no carrier";
      return {
        code: "carrier",
        certainty: "certain",
        sentence: `interface "${device}" of this machine ${state}`,
        evidence: [`the kernel says that "${device}" ${state}`],
        next: !exists ? "ip -br link" : isUp ? `ethtool ${device}` : `ip link set ${device} up`,
      };
    });
  },
};
