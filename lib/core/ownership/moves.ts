/**
 * Measures how long nobody held a group during a move, on each end by its own clock: the one that lets go counts from
 * its stop to the other's word that it runs, the one that takes from the other's word that it stopped to its own start.
 */

import type { Context } from "../context.ts";
import type { Instant } from "../instant.ts";
import type { Peer } from "../membership/peer.ts";
import type { GroupState } from "../../wire/statement.ts";
import { type Candidate, mayHold } from "./placement.ts";

export class Moves {
  lastGapMs: number | null = null;
  #target: string | null = null;
  #releasedAt: Instant | null = null;
  /** Another node that held the group when we last looked. */
  #heldBy: string | null = null;
  #freedAt: Instant | null = null;
  #lostHeardAt: Instant | null = null;
  /** The last holder was lost, and nobody has held the group since. */
  #wasLost = false;

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
    if (this.#freedAt !== null) {
      this.lastGapMs = context.now - this.#freedAt;
      const gap = `nobody held it for ${this.lastGapMs} ms, as measured here`;
      context.report("notice", "group-started", `${group} runs here; ${gap}`, {
        ...fields,
        gapMs: this.lastGapMs,
      });
    } else if (this.#wasLost && this.#lostHeardAt !== null) {
      const sinceMs = context.now - this.#lostHeardAt;
      const since = `${sinceMs} ms after the last heartbeat of its former holder`;
      context.report("notice", "group-started", `${group} runs here, ${since}`, {
        ...fields,
        sinceLastHeartbeatMs: sinceMs,
      });
    } else {
      context.report("notice", "group-started", `${group} runs here`, fields);
    }
    this.#freedAt = null;
    this.#wasLost = false;
    this.#lostHeardAt = null;
    this.#target = null;
    this.#releasedAt = null;
  }

  /** Notes what the view says of the group's other holders. `isLost`: a node is out of view and said no goodbye. */
  watch(
    context: Context,
    group: string,
    own: GroupState,
    candidates: readonly Candidate[],
    self: string,
    isLost: (node: string) => boolean,
  ): void {
    // What only may run (leftovers that a starting node looks for) was not served, so its end is no gap.
    const holder =
      candidates.find(({ node, state }) => node !== self && mayHold(state) && state !== "unknown")?.node ??
        null;
    // One that was lost did not let go: what it leaves is a takeover, measured from its last heartbeat.
    const hasLetGo = this.#heldBy !== null && holder === null && !isLost(this.#heldBy);
    if (hasLetGo && own === "stopped") this.#freedAt = context.now;
    if (this.#heldBy !== null && holder === null && !hasLetGo) this.#wasLost = true;
    if (holder !== null) this.#wasLost = false;
    if (holder !== null) this.#freedAt = null;
    this.#heldBy = holder;
    if (this.#releasedAt === null) return;
    const taker = candidates.find(({ node, state }) => node !== self && state === "running");
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

/** When any of the lost nodes was heard last; `null`: none ever. */
export function lastHeard(peers: readonly Peer[]): Instant | null {
  let latest: Instant | null = null;
  for (const { isInView, hasLeft, heardAt } of peers) {
    if (isInView || hasLeft || heardAt === null) continue;
    if (latest === null || heardAt > latest) latest = heardAt;
  }
  return latest;
}
