/**
 * The alarms about one group that are no operation's outcome: somebody vetoes it on the wire, or nobody holds it.
 */

import type { Context } from "../context.ts";
import { after, type Instant } from "../instant.ts";
import type { Peer } from "../membership/peer.ts";
import type { Exclusion } from "./exclusion.ts";
import type { Claim } from "./claim.ts";
import type { Surroundings } from "./surroundings.ts";

export class Vigil {
  #unheldSince: Instant | null = null;

  constructor(readonly group: string) {}

  /** A claim is pursued and the wire was asked. Returns what it said against it, `null`: nothing (yet). */
  watchWire(context: Context, surroundings: Surroundings, claim: Claim, exclusion: Exclusion): string | null {
    const { last } = claim.wire;
    if (last === null) return null;
    switch (last.kind) {
      case "silent":
        if (!exclusion.isTakeover) {
          context.clear("address-in-use", this.group, `nobody else answers for ${this.group} any more`);
        }
        return null;
      case "contended":
        return `${last.hardware} asks for ${last.address} too`;
      case "blind":
        return `cannot ask the service network: ${last.reason}`;
      case "answered": {
        const who = `${last.hardware} answers for ${last.address}`;
        if (exclusion.isTakeover) this.#veto(context, surroundings, claim, who, last.hardware);
        else {
          const sentence = `${this.group} is not started: ${who}`;
          context.raise("address-in-use", this.group, sentence, { hardware: last.hardware });
        }
        return exclusion.isTakeover ? `not taken: ${who}` : `not started: ${who}`;
      }
    }
  }

  /** Nothing is pursued any more. */
  endWatch(context: Context, why: string): void {
    if (context.alarms.isEmpty) return;
    for (const code of ["wire-veto", "address-in-use", "confirm"] as const) {
      context.clear(code, this.group, `${this.group}: ${why}`);
    }
  }

  /** Only the coordinator speaks, so that one alarm goes out and not one per node. */
  watchHolder(context: Context, surroundings: Surroundings, isHeld: boolean, reason: string): void {
    if (isHeld || surroundings.phase !== "settled" || !surroundings.isCoordinator) {
      this.#unheldSince = null;
      if (isHeld) context.clear("group-unheld", this.group, `${this.group} has a holder again`);
      return;
    }
    this.#unheldSince ??= context.now;
    const patienceMs = Math.max(5_000, 2 * surroundings.settings.timing.deadTimeMs);
    if (context.now < after(this.#unheldSince, patienceMs)) return;
    context.raise("group-unheld", this.group, `no node in view holds ${this.group}: ${reason}`);
  }

  #veto(context: Context, surroundings: Surroundings, claim: Claim, who: string, hardware: string): void {
    if (context.now < claim.leaseEnd(surroundings)) return;
    const sentence =
      `${this.group} is not taken although ${lostNames(surroundings.peers)} is out of view: ${who}. ` +
      "The holder lives and only the heartbeat links to it are cut, or a stranger uses the address";
    context.raise("wire-veto", this.group, sentence, { group: this.group, hardware });
  }
}

function lostNames(peers: readonly Peer[]): string {
  return peers.filter((peer) => !peer.isInView && !peer.hasLeft).map((peer) => peer.node).join(", ");
}
