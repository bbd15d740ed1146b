/**
 * A rule of this machine's firewall that drops what the pair lives by. What is heard on the wire settles it: a packet
 * that arrives and is then dropped is seen arriving; one that is dropped on its way out is not seen at all.
 */

import type { Cause, CauseFinder, Certainty } from "../cause.ts";
import type { FirewallDrop } from "../circumstances.ts";
import { type Evidence, ofKind } from "../evidence.ts";
import { heardText, type Speaker } from "./reading.ts";

export const firewall: CauseFinder = {
  code: "firewall",
  find(_question, evidence, judgement): Cause[] {
    // While all is well, a rule that may or may not apply evidently does not.
    const matters = (drop: FirewallDrop) => drop.certainty === "certain" || judgement.severity !== "ok";
    const relevant = ofKind(evidence, "firewall-drop")
      .filter((drop) => matters(drop) && isUsed(drop, evidence));
    const byRule = new Map<string, FirewallDrop[]>();
    for (const drop of relevant) {
      const key = `${drop.place} ${drop.rule}`;
      byRule.set(key, [...(byRule.get(key) ?? []), drop]);
    }
    return [...byRule.values()].map((drops): Cause => {
      const [first] = drops as [FirewallDrop];
      const seen = drops.flatMap((drop) => speakersOf(drop, evidence)).map(heardText);
      const what = first.rule === null ? "the policy of" : `a rule of`;
      return {
        code: "firewall",
        certainty: certaintyOf(drops, seen.length > 0),
        sentence: `${what} this machine's firewall drops ${drops.map((drop) => drop.subject).join(" and ")}` +
          (first.rule === null ? ` (${first.place})` : `: ${first.rule} (${first.place})`),
        evidence: [
          ...new Set(seen),
          ...(first.packets === null ? [] : [`the rule has counted ${first.packets} packets`]),
          ...(seen.length > 0 || first.flow.direction === "out"
            ? []
            : ["nothing of it was heard during the check"]),
        ],
        next: first.remedy,
      };
    });
  },
};

/**
 * VRRP that nobody speaks may be dropped: it matters only where it is spoken, or its software runs. CARP is not asked
 * about: ucarp reads and writes packets beside the firewall, as we do here.
 */
function isUsed(drop: FirewallDrop, evidence: readonly Evidence[]): boolean {
  if (drop.traffic !== "vrrp") return true;
  const isSpoken = evidence.some((piece) => piece.kind === "vrrp");
  const isInstalled = ofKind(evidence, "software").some(({ processes }) =>
    processes.some(({ name }) => name === "keepalived")
  );
  if (!isSpoken && !isInstalled) return false;
  // Where it is spoken on one interface, a rule about another one is beside the point.
  const devices = new Set(
    evidence.flatMap((piece) => piece.kind === "vrrp" ? [piece.device] : []),
  );
  return devices.size === 0 || devices.has(drop.flow.device);
}

/** What was heard of the very traffic that is dropped on its way in. */
function speakersOf({ flow, traffic }: FirewallDrop, evidence: readonly Evidence[]): Speaker[] {
  if (flow.direction === "out" || traffic === "arp") return [];
  const wanted: ReadonlyArray<Evidence["kind"]> = traffic === "vrrp" ? ["vrrp"] : ["beats"];
  return evidence.filter((piece): piece is Speaker =>
    wanted.includes(piece.kind) && "direction" in piece && piece.direction === "in" &&
    piece.device === flow.device && (flow.source === null || piece.from === flow.source)
  );
}

function certaintyOf(drops: readonly FirewallDrop[], isSeen: boolean): Certainty {
  const isSure = drops.some((drop) => drop.certainty === "certain");
  const isOut = drops.some((drop) => drop.flow.direction === "out");
  return isSure && (isSeen || isOut) ? "certain" : isSure || isSeen ? "likely" : "possible";
}
