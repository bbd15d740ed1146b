/**
 * What the Heartbeat daemon of the other node holds, from what it says: the ledger of the pair. It must never call a
 * set free that the daemon is still letting go: it strikes a set off its statement before it stops the groups.
 *
 *                    starting, resource without it
 *   unknown ───────────────────────────────────────▶ free ◀────── ask done, shutdone, a stable statement ──────┐
 *      │   resource with it       resource with it    │                                                       │
 *      └────────────────▶ held ◀── taking ◀─ our done ─┘        resource without it, not stable yet           │
 *                           └──────────────────────────────────────────────────────────────────▶ letting ─────┘
 */

import { covers, type GroupSet, type Holding, type Side, sides } from "./holding.ts";
import type { Word } from "./messages.ts";

/** Of one set, in the daemon's words. */
export type Hold = "unknown" | "free" | "taking" | "held" | "letting";

export class Partner {
  /** In the daemon's own words: `local` are its groups. */
  readonly #holds: Record<Side, Hold> = { local: "unknown", foreign: "unknown" };
  isStable = false;

  /** It has said what it holds in its present run. */
  get isKnown(): boolean {
    return sides.every((side) => this.#holds[side] !== "unknown");
  }

  hold(side: Side): Hold {
    return this.#holds[side];
  }

  /** A new run of its daemon, or we were away: nothing is known. */
  forget(): void {
    for (const side of sides) this.#holds[side] = "unknown";
    this.isStable = false;
  }

  /** It may have taken this set: we count it as held until it says otherwise. */
  assume(set: Holding): void {
    for (const side of sides) if (covers(set, side)) this.#holds[side] = "held";
  }

  /** It takes this set from now on, as was agreed. */
  takes(set: GroupSet): void {
    for (const side of sides) if (covers(set, side)) this.#holds[side] = "taking";
  }

  /** It has let this set go. */
  freed(set: GroupSet): void {
    for (const side of sides) if (covers(set, side)) this.#holds[side] = "free";
  }

  /** It has just started and takes nothing before it has heard from us, or its ten seconds are over. */
  starts(): void {
    for (const side of sides) if (this.#holds[side] === "unknown") this.#holds[side] = "free";
    this.isStable = false;
  }

  /**
   * Takes a statement. `undecided`: sets of a move that has not ended. The daemon may be starting or stopping them
   * though it states, when something makes it speak, that it is stable and does not hold them. Returns whether the daemon
   * has just become stable, which wants an answer.
   */
  states(word: Extract<Word, { kind: "resource" }>, undecided: Holding = "none"): boolean {
    const isLeaving = word.info === "standby" || word.info === "shutdown";
    const wasStable = this.isStable;
    this.isStable = word.isStable ?? wasStable;
    for (const side of sides) {
      const isSettled = word.isStable === true && !covers(undecided, side);
      if (covers(word.holds, side)) this.#holds[side] = "held";
      // Without `rtype=full` a statement only adds; "none" then says that all is gone (protocol reference 9.2).
      else if (word.isFull || word.holds === "none") this.#strike(side, isLeaving, isSettled);
    }
    return this.isStable && !wasStable;
  }

  #strike(side: Side, isLeaving: boolean, isSettled: boolean): void {
    const was = this.#holds[side];
    const mayRun = was === "held" || was === "letting" || was === "taking" ||
      (was === "unknown" && isLeaving);
    this.#holds[side] = mayRun && (isLeaving || !isSettled) ? "letting" : "free";
  }
}
