/**
 * What is known of one other node: when it was heard, on which links, what it last stated, and what it proved to
 * have heard of us. Knowledge only; nothing is decided here.
 *
 *            heard                       says goodbye
 *   down ───────────▶ in view ───────────────────────▶ left
 *    ▲                 │   ▲                             │
 *    └── silent for ───┘   └────── heard again ──────────┘
 *        its dead time            (a later generation)
 */

import { after, type Instant } from "../instant.ts";
import { deadTimeMsMax } from "../limits.ts";
import type { Timing } from "../settings.ts";
import type { GroupStatement, Statement } from "../../wire/statement.ts";
import { Link } from "./link.ts";
import { SequenceTracker } from "./sequencing.ts";

/** A group of which the peer said nothing: it cannot hold what it does not know. */
const nothingStated: GroupStatement = {
  state: "stopped",
  epoch: 0,
  able: false,
  wants: false,
  leaseSeconds: 0,
  pin: null,
};

export class Peer {
  readonly tracker = new SequenceTracker();
  readonly links: readonly Link[];
  /** Last heartbeat accepted; `null`: never since our start. */
  heardAt: Instant | null = null;
  isInView = false;
  /** When it last came into view. */
  inViewSince = 0 as Instant;
  hasLeft = false;
  /** As it asks for itself in `dt`; ours until it has. */
  deadTimeMs: number;
  statement: Statement | null = null;
  /** Sending time of our latest message that it proved to have heard. */
  echoedAt: Instant | null = null;
  /** Sequence of that message. */
  echoedSequence = 0;
  /** Verified off by a fencing method since it was last heard. */
  isFenced = false;
  warnedLate = false;

  constructor(readonly node: string, media: readonly string[], readonly timing: Timing) {
    this.links = media.map((medium) => new Link(medium));
    this.deadTimeMs = timing.deadTimeMs;
  }

  /** It speaks, but not our dialect: a Heartbeat daemon. Its groups are unknown to us. */
  get isForeign(): boolean {
    return this.isInView && this.statement === null;
  }

  link(medium: string): Link | undefined {
    return this.links.find((link) => link.medium === medium);
  }

  group(name: string): GroupStatement {
    if (this.statement === null) return nothingStated;
    return this.statement.groups[name] ?? nothingStated;
  }

  adoptDeadTime(ms: number): void {
    if (ms > 0 && ms <= deadTimeMsMax) this.deadTimeMs = ms;
  }

  /** When it goes out of view unless heard; `null`: it is not in view. */
  deathAt(): Instant | null {
    return this.isInView && this.heardAt !== null ? after(this.heardAt, this.deadTimeMs) : null;
  }

  /** It is in view, and so late that its death must be prepared for. */
  isSuspect(now: Instant, leadMs: number): boolean {
    const death = this.deathAt();
    return death !== null && now >= after(death, -leadMs);
  }

  /**
   * It is in view and has heard our message number `sequence` or a later one of this generation: its statement is
   * fresh, no replay from before our start or stall.
   */
  isFresh(sequence: number): boolean {
    return this.isInView && this.statement !== null && this.echoedSequence >= sequence;
  }

  /** It proved, for a message sent no longer than `ms` ago, that it hears us: contact in both directions. */
  hasContact(now: Instant, ms: number): boolean {
    return this.isInView && this.echoedAt !== null && now < after(this.echoedAt, ms);
  }

  /**
   * Whether it tells that it hears us on the path of our medium. Paths are matched by interface name; where it has
   * none of that name, by their number, which both ends configure in the same order.
   */
  hearsUsOn(us: string, medium: string, index: number): boolean {
    const statement = this.statement;
    if (statement === null) return true;
    const on = statement.hears[us]?.on ?? [];
    const named = statement.media.findIndex((candidate) => candidate.name === medium);
    return on.includes(named === -1 ? index : named);
  }
}
