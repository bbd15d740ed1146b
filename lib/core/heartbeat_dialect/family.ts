/**
 * What differs between the two families of the pair's protocol (protocol reference 9.1): statements and negotiation
 * (`auto_failback on` and `off`), and the old requests (`legacy`). Both nodes must speak the same one.
 */

import type { Context } from "../context.ts";
import type { Instant } from "../instant.ts";
import type { Surroundings } from "../ownership/surroundings.ts";
import type { Word } from "./messages.ts";
import type { Hold } from "./partner.ts";

export interface Family {
  /** The daemon has told enough to be reckoned with. */
  readonly isKnown: boolean;
  /** What the daemon has of a group of the pair. */
  hold(group: string): Hold;
  isAble(group: string): boolean;
  /** The daemon waits for us to let go of a group. */
  wants(group: string): boolean;
  objection(group: string): string | null;
  /** What the two have begun and not ended; `null`: nothing. */
  readonly unfinished: string | null;
  refusal(groups: readonly string[]): string | null;
  deadlines(): (Instant | null)[];
  /** The daemon is new, or (`wereAway`) it may have taken meanwhile what ran here: nothing is known. */
  forget(context: Context, wereAway: boolean): void;
  /** The talk begins. */
  begin(context: Context): void;
  /** The talk ends; `isLost`: the daemon is out of view. */
  end(context: Context, isLost: boolean): void;
  /** The daemon may hold everything. */
  assumeAll(context: Context): void;
  /** The daemon may hold what runs here, and is to be asked. */
  assumeOurs(context: Context): void;
  /** The daemon has let everything go. */
  freedAll(): void;
  hear(context: Context, surroundings: Surroundings, word: Word): void;
  /** Says what is to be said, after the keepers have decided. */
  act(context: Context, surroundings: Surroundings): void;
  /** We let everything go. */
  leave(context: Context): void;
}

/** A word of the other family: each waits for what the other one never says. */
export function mismatch(context: Context, node: string): void {
  context.raise(
    "failback-differs",
    node,
    `the Heartbeat daemon of ${node} has another auto_failback: "legacy" cannot work with "on" or "off"; make it the ` +
      "same on both nodes",
  );
}
