/**
 * Another node holds the group as well: which of the two lets go, and who has the last word on the wire. The earlier
 * epoch lets go at once; the later one goes on, and announces the address again when it is alone. It must never let
 * anybody announce who does not run the group.
 */

import type { Context } from "../context.ts";
import type { GroupState } from "../../wire/statement.ts";
import { type Candidate, outranks } from "./placement.ts";
import type { Surroundings } from "./surroundings.ts";

export class Rivals {
  #announceWhenAlone = false;

  constructor(readonly group: string) {}

  /** One that was cut off is back: it may have announced the address to its own half, and the last word must be ours. */
  watchReturns(context: Context, { peers }: Surroundings): void {
    if (peers.some((peer) => peer.isInView && peer.inViewSince === context.now)) {
      this.#announceWhenAlone = true;
    }
  }

  /** Takes note of another holder beside us. Why we let go; `null`: the other one has to. */
  meet(context: Context, rival: Candidate, self: string, epoch: number): string | null {
    const both = `${self} (epoch ${epoch}) and ${rival.node} (epoch ${rival.epoch})`;
    context.raise("split-brain", this.group, `two holders of ${this.group}: ${both}`, { group: this.group });
    if (outranks(rival.epoch, rival.node, epoch, self)) {
      return `${rival.node} holds it by the later epoch ${rival.epoch}`;
    }
    this.#announceWhenAlone = true;
    return null;
  }

  /** No other node holds the group; `state` is what it is here. */
  gone(context: Context, state: GroupState): void {
    context.clear("split-brain", this.group, `${this.group} has one holder again`);
    // A start announces by itself when it is through, and who holds nothing has nothing to announce.
    if (state === "stopped") this.#announceWhenAlone = false;
    if (!this.#announceWhenAlone || state !== "running") return;
    this.#announceWhenAlone = false;
    context.emit({ kind: "announce", group: this.group });
  }
}
