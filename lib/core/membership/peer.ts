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
import { SequenceTracker } from "../messaging/sequencing.ts";

/** A group of which the peer said nothing: it cannot hold what it does not know. */
const nothingStated: GroupStatement = {
  state: "stopped",
  epoch: 0,
  able: false,
  wants: false,
  leaseSeconds: 0,
  pin: null,
};

/** What is known of a peer that speaks another dialect, in the terms of ours. */
export interface ForeignStatement {
  readonly phase: Statement["phase"];
  settledForMs(now: Instant): number;
  group(name: string): GroupStatement;
  /** Why a group that the peer does not hold may not be started here yet; `null`: it may. */
  objection(group: string): string | null;
  /** What it is in the middle of, alone or with this node; `null`: nothing. */
  readonly unfinished: string | null;
  /** Why these groups cannot be moved between the two by an operator's order; `null`: they can. */
  refusal(groups: readonly string[]): string | null;
}

export class Peer {
  readonly tracker = new SequenceTracker();
  readonly links: readonly Link[];
  /** Last heartbeat accepted; `null`: never since our start. */
  heardAt: Instant | null = null;
  /** Its number; 0: none of this run. Numbers of other messages may be higher. */
  beatSequence = 0;
  /** Status that its first heartbeat of this run told (`st`, protocol reference 7.1); `null`: none yet. */
  firstStatus: string | null = null;
  isInView = false;
  /** When it last came into view. */
  inViewSince = 0 as Instant;
  hasLeft = false;
  /** As it asks for itself in `dt`; ours until it has. */
  deadTimeMs: number;
  statement: Statement | null = null;
  /** Instead of a statement, where its dialect is spoken here too; kept while it is out of view. */
  foreign: ForeignStatement | null = null;
  /** Run of its daemon that ended with a goodbye: what it still sends afterwards says nothing. */
  leftGeneration: number | null = null;
  /** Sending time of our latest message that it proved to have heard. */
  echoedAt: Instant | null = null;
  /** Sequence of that message. */
  echoedSequence = 0;
  /** Its last heartbeat said that it acknowledges messages (field `protocol`, protocol reference 6.5). */
  hasAcks = false;
  /** Verified off by a fencing device since it was last heard, and a moment ago (`fencedGoodMs`). */
  isFenced = false;
  warnedLate = false;

  constructor(readonly node: string, media: readonly string[], readonly timing: Timing) {
    this.links = media.map((medium) => new Link(medium));
    this.deadTimeMs = timing.deadTimeMs;
  }

  /** It speaks, but no dialect that is spoken here: a Heartbeat daemon in a larger cluster. Its groups are unknown. */
  get isForeign(): boolean {
    return this.isInView && this.statement === null && this.foreign === null;
  }

  /** A Heartbeat daemon that may have taken everything over: it asks no wire, and has been silent for `ms`. */
  isUnheardForeign(now: Instant, ms: number): boolean {
    if (this.foreign === null || this.hasLeft || this.heardAt === null) return false;
    return !this.isInView || now >= after(this.heardAt, ms);
  }

  /** `null`: its dialect is not spoken here, or it has said nothing yet. */
  get phase(): Statement["phase"] | null {
    return this.statement?.phase ?? this.foreign?.phase ?? null;
  }

  link(medium: string): Link | undefined {
    return this.links.find((link) => link.medium === medium);
  }

  group(name: string): GroupStatement {
    if (this.statement === null) return this.foreign?.group(name) ?? nothingStated;
    return this.statement.groups[name] ?? nothingStated;
  }

  /** `false`: no dead time that a node may ask for; what was known stays. */
  adoptDeadTime(ms: number): boolean {
    const isSane = ms > 0 && ms <= deadTimeMsMax;
    if (isSane) this.deadTimeMs = ms;
    return isSane;
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
    // Another dialect has no echoes: at our start it counts as heard, after a stall it must be asked anew.
    if (this.statement === null && this.foreign !== null) return this.isInView && sequence === 1;
    return this.isInView && this.statement !== null && this.echoedSequence >= sequence;
  }

  /** It proved, for a message sent no longer than `ms` ago, that it hears us: contact in both directions. */
  hasContact(now: Instant, ms: number): boolean {
    return this.isInView && this.echoedAt !== null && now < after(this.echoedAt, ms);
  }

  /** Whether it tells that it hears us on the path of our medium. */
  hearsUsOn(us: string, medium: string, index: number): boolean {
    if (this.statement === null) return true;
    const on = this.statement.hears[us]?.on ?? [];
    return on.includes(this.theirIndex(medium, index));
  }

  /**
   * Number of our medium in its statements. Paths are matched by interface name; where it has none of that name, by
   * their number, which both ends configure in the same order.
   */
  theirIndex(medium: string, index: number): number {
    const named = this.statement?.media.findIndex((candidate) => candidate.name === medium) ?? -1;
    return named === -1 ? index : named;
  }
}
