/** An interface of a link without an address, or with one of another subnet than the far end's. */

import type { Cause, CauseFinder } from "../cause.ts";
import { ofKind } from "../evidence.ts";
import { addressBytes, isSameSubnet } from "../../system/packets/ip_address.ts";

export const address: CauseFinder = {
  code: "address",
  find(question, evidence): Cause[] {
    const interfaces = ofKind(evidence, "interface");
    return question.links.flatMap((link): Cause[] => {
      if (link.kind === "serial") return [];
      const own = interfaces.find((piece) => piece.subject === link.device);
      if (own === undefined || !own.exists) return [];
      const family = link.peer?.includes(":") === true ? 6 : 4;
      const addresses = own.addresses.filter((text) => text.includes(":") === (family === 6));
      const answers = ofKind(evidence, "echo").some((piece) =>
        piece.subject === link.peer && piece.received > 0
      );
      if (
        answers || addresses.some((text) => link.peer === null || holds(text, link.peer))
      ) return [];
      const has = addresses.length === 0 ? `no IPv${family} address` : addresses.join(", ");
      const far = link.peer === null ? "" : `; ${link.peer} is in none of its subnets`;
      return [{
        code: "address",
        certainty: "certain",
        sentence: `link ${link.device} cannot work: the interface has ${has}${far}`,
        evidence: [`${link.device} has ${own.addresses.join(", ") || "no address"}`],
        next: `ip addr show dev ${link.device}`,
      }];
    });
  },
};

function holds(text: string, peer: string): boolean {
  const [own, prefix] = text.split("/");
  const [ownBytes, peerBytes] = [addressBytes(own ?? ""), addressBytes(peer)];
  return ownBytes !== null && peerBytes !== null && isSameSubnet(ownBytes, peerBytes, Number(prefix));
}
