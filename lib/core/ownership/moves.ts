/**
 * Measures how long nobody held a group during a move, on each end by its own clock: the one that lets go counts from
 * its stop to the other's word that it runs, the one that takes from the other's word that it stopped to its own start.
 */

import type { Context } from "../context.ts";
import type { Instant } from "../instant.ts";
import type { GroupState } from "../../wire/statement.ts";
import { type Candidate, mayHold } from "./placement.ts";

export class Moves {
  lastGapMs: number | null = null;
  #target: string | null = null;
  #releasedAt: Instant | null = null;
  #wasHeldElsewhere = false;
  #freedAt: Instant | null = null;
  #lostHeardAt: Instant | null = null;

  /** We let go and nobody has said yet that it runs the group. */
  get isWaitingForTaker(): boolean {
    return this.#releasedAt !== null;
  }

  /** We are about to let go, in favour of another node. */
  begin(target: string): void {
    this.#target = target;
    this.#releasedAt = null;
  }

  /** Our stop is complete. */
  released(now: Instant): void {
    this.#releasedAt = now;
  }

  /** We start it; `lostHeardAt` is the last heartbeat of the node it is taken from, `null` in a planned move. */
  starting(lostHeardAt: Instant | null): void {
    this.#lostHeardAt = lostHeardAt;
  }

  /** Our start is complete. */
  started(context: Context, group: string, epoch: number): void {
    const fields = { group, epoch };
    if (this.#lostHeardAt !== null) {
      const sinceMs = context.now - this.#lostHeardAt;
      context.report(
        "notice",
        "group-started",
        `${group} runs here, ${sinceMs} ms after the last heartbeat of its ` +
          "former holder",
        { ...fields, sinceLastHeartbeatMs: sinceMs },
      );
    } else if (this.#freedAt === null) {
      context.report("notice", "group-started", `${group} runs here`, fields);
    } else {
      this.lastGapMs = context.now - this.#freedAt;
      const gap = `nobody held it for ${this.lastGapMs} ms, as measured here`;
      context.report("notice", "group-started", `${group} runs here; ${gap}`, {
        ...fields,
        gapMs: this.lastGapMs,
      });
    }
    this.#freedAt = null;
    this.#lostHeardAt = null;
    this.#target = null;
    this.#releasedAt = null;
  }

  /** Notes what the view says of the group's other holders. */
  watch(
    context: Context,
    group: string,
    own: GroupState,
    candidates: readonly Candidate[],
    self: string,
  ): void {
    const others = candidates.filter((candidate) => candidate.node !== self);
    // What only may run (leftovers that a starting node looks for) was not served, so its end is no gap.
    const isHeldElsewhere = others.some(({ state }) => mayHold(state) && state !== "unknown");
    if (this.#wasHeldElsewhere && !isHeldElsewhere && own === "stopped") this.#freedAt = context.now;
    if (isHeldElsewhere) this.#freedAt = null;
    this.#wasHeldElsewhere = isHeldElsewhere;
    if (this.#releasedAt === null) return;
    const taker = others.find((candidate) => candidate.state === "running");
    if (taker === undefined) return;
    this.lastGapMs = context.now - this.#releasedAt;
    const to = this.#target !== null && this.#target !== taker.node ? `, not ${this.#target},` : "";
    context.report(
      "notice",
      "group-handed-over",
      `${taker.node}${to} runs ${group}; nobody held it for ` +
        `${this.lastGapMs} ms, as measured here`,
      { group, to: taker.node, gapMs: this.lastGapMs },
    );
    this.#releasedAt = null;
    this.#target = null;
  }
}
