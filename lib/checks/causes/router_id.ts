/** Two masters that announce the same address under different virtual router ids never hear each other as rivals. */

import type { Cause, CauseFinder } from "../cause.ts";
import { ofKind } from "../evidence.ts";
import { heardText, mastersAndConfigured, pairsOf, senderName } from "./reading.ts";

export const routerId: CauseFinder = {
  code: "router-id",
  find(question, evidence, judgement): Cause[] {
    const routers = pairsOf(mastersAndConfigured(evidence)).flatMap(([a, b]): Cause[] => {
      const vip = question.vips.find(({ address }) =>
        a.addresses.includes(address) && b.addresses.includes(address)
      );
      if (vip === undefined || a.routerId === b.routerId) return [];
      const [one, other] = [senderName(a, question), senderName(b, question)];
      return [{
        code: "router-id",
        certainty: "certain",
        sentence:
          `${one} announces ${vip.address} as virtual router ${a.routerId}, ${other} as ${b.routerId}: ` +
          `to each other they are strangers`,
        evidence: [a, b].map((each) => `virtual router ${each.routerId}, ${heardText(each)}`),
        next: "grep -n virtual_router_id /etc/keepalived/keepalived.conf",
      }];
    });
    // CARP does not tell which address it is about: only while two hold it is a second id the reason.
    const hosts = judgement.severity !== "critical"
      ? []
      : pairsOf(ofKind(evidence, "carp")).filter(([a, b]) => a.device === b.device && a.hostId !== b.hostId);
    return [
      ...routers,
      ...hosts.map(([a, b]): Cause => ({
        code: "router-id",
        certainty: "likely",
        sentence: `${senderName(a, question)} speaks CARP as virtual host ${a.hostId}, ` +
          `${senderName(b, question)} as ${b.hostId}: to each other they are strangers`,
        evidence: [a, b].map((each) => `virtual host ${each.hostId}, ${heardText(each)}`),
        next: "ps -C ucarp -o args",
      })),
    ];
  },
};
