/**
 * One history of the cluster, in one order, the same on all nodes that hear each other. What a node reports of notice or
 * above goes to all nodes with its Lamport clock. An event is delivered once every live node is known to have told all
 * that it had to tell up to that clock: heartbeats carry the clock too, and count when no earlier message is missing.
 * Order: by clock, then by node.
 *
 * Who is out of view is not waited for. So what both sides of a partition told meanwhile is in another order on the one
 * than on the other, and what comes from the other side after the heal is marked as late. It must never hold up anything
 * else: nothing is decided from events.
 */

import type { Context } from "../context.ts";
import type { ReportEffect } from "../effects.ts";
import { counted, eventsWaitingMax } from "../limits.ts";
import type { Peer } from "../membership/peer.ts";
import { text } from "../../wire/message.ts";
import {
  eventField,
  type EventLevel,
  type EventStatement,
  eventType,
  readEvent,
  writeEvent,
} from "../../wire/event_codec.ts";
import type { Delivery } from "./delivery.ts";
import type { Exchange } from "./exchange.ts";
import type { Outbox } from "./outbox.ts";

export interface ClusterEvent extends EventStatement {
  readonly node: string;
  readonly generation: number;
  /** Number of the message that told it; `null`: it was told to nobody, since nobody was there. */
  readonly sequence: number | null;
  /** Unix time in seconds by the clock of its node; `null`: it is ours. */
  readonly timestamp: number | null;
  /** Later ones were delivered before it: it comes from the other side of a partition. */
  readonly isLate: boolean;
}

/** Reports that concern one machine only, or that may come in numbers. */
const localCodes: ReadonlySet<string> = new Set([
  "unprotected",
  "refused",
  "late-wake",
  "heartbeat-late",
  "message-lost",
]);

/** Up to which clock a peer has told everything, and what its heartbeats promised that still lack earlier messages. */
interface Progress {
  generation: number | null;
  clock: number;
  readonly promises: { readonly sequence: number; readonly clock: number }[];
}

/** Promises that wait for earlier messages. Lower: a long gap delays the history. Higher: memory for each peer. */
const promisesMax = 64;

export class ClusterEvents {
  /** Lamport clock: of the latest event that this node made or heard of. */
  clock = 0;
  /** Own events that were not told, since messages were not acknowledged for too long. */
  dropped = 0;
  /** Not told yet. */
  readonly #unsent: ReportEffect[] = [];
  /** Told or heard, not yet known to be in order; by clock, then by node. */
  readonly #waiting: ClusterEvent[] = [];
  #delivered: ClusterEvent | null = null;
  readonly #progress = new Map<Peer, Progress>();

  constructor(
    readonly self: string,
    readonly generation: number,
    readonly peers: readonly Peer[],
    readonly outbox: Outbox,
    readonly exchange: Exchange,
    delivery: Delivery,
  ) {
    delivery.on(eventType, (_, peer, { generation, sequence, timestamp, message }) => {
      const event = readEvent(text(message, eventField) ?? "");
      if (event === null) return;
      this.clock = Math.max(this.clock, event.clock);
      this.#insert({ ...event, node: peer.node, generation, sequence, timestamp, isLate: false });
    });
  }

  /** A heartbeat of the peer was accepted. */
  heardClock(peer: Peer, sequence: number, clock: number): void {
    this.clock = Math.max(this.clock, clock);
    const { promises, clock: known } = this.#of(peer);
    // An earlier heartbeat promised as much, and lacks less.
    if (clock <= (promises.at(-1)?.clock ?? known)) return;
    promises.push({ sequence, clock });
    if (promises.length > promisesMax) promises.shift();
  }

  /** Tells what was reported in this step, and delivers what is in order now. */
  tick(context: Context): void {
    for (const effect of context.effects) {
      if (effect.kind === "report" && isForCluster(effect)) this.#unsent.push(effect);
    }
    if (this.#unsent.length > 0) this.#tell(context);
    if (this.#waiting.length > 0) this.#deliver(context);
  }

  get waiting(): number {
    return this.#waiting.length + this.#unsent.length;
  }

  /** Nodes in view that take part in the history: a Heartbeat daemon, or one of an earlier version, does not. */
  #listeners(): Peer[] {
    return this.peers.filter((peer) => peer.isInView && peer.statement?.clock !== undefined);
  }

  /** Who is out of view asks for it when it is back. */
  #hasAudience(): boolean {
    return this.peers.some((peer) => this.#progress.has(peer) && !peer.isForeign);
  }

  #tell(context: Context): void {
    const hasAudience = this.#hasAudience();
    while (this.#unsent.length > eventsWaitingMax) {
      this.#unsent.shift();
      this.dropped++;
    }
    while (this.#unsent.length > 0 && !(hasAudience && this.exchange.isCongested)) {
      const { level, code, sentence, fields } = this.#unsent.shift()!;
      this.clock = counted(this.clock);
      const event = { clock: this.clock, level: level as EventLevel, code, sentence, fields };
      const sequence = hasAudience
        ? this.outbox.send(context, { type: eventType, fields: [[eventField, writeEvent(event)]] })
        : null;
      const { self: node, generation } = this;
      this.#insert({ ...event, node, generation, sequence, timestamp: null, isLate: false });
    }
  }

  #deliver(context: Context): void {
    let stable = Infinity;
    for (const peer of this.#listeners()) stable = Math.min(stable, this.#clockOf(peer));
    let count = 0;
    for (const event of this.#waiting) {
      if (event.clock > stable && this.#waiting.length - count <= eventsWaitingMax) break;
      count++;
    }
    for (const event of this.#waiting.splice(0, count)) {
      const isLate = this.#delivered !== null && isBefore(event, this.#delivered);
      if (!isLate) this.#delivered = event;
      context.emit({ kind: "event", event: { ...event, isLate } });
    }
  }

  /** Up to which clock we have all that the peer told. */
  #clockOf(peer: Peer): number {
    const progress = this.#of(peer);
    const { promises } = progress;
    const { contiguous } = peer.tracker;
    while (promises.length > 0 && promises[0]!.sequence <= contiguous) {
      progress.clock = Math.max(progress.clock, promises.shift()!.clock);
    }
    return progress.clock;
  }

  #of(peer: Peer): Progress {
    const { generation } = peer.tracker;
    let progress = this.#progress.get(peer);
    if (progress === undefined || progress.generation !== generation) {
      progress = { generation, clock: 0, promises: [] };
      this.#progress.set(peer, progress);
    }
    return progress;
  }

  #insert(event: ClusterEvent): void {
    let at = this.#waiting.length;
    while (at > 0 && isBefore(event, this.#waiting[at - 1]!)) at--;
    this.#waiting.splice(at, 0, event);
  }
}

function isForCluster({ level, code }: ReportEffect): boolean {
  return level !== "info" && !localCodes.has(code);
}

/** Total order of events: two of one node never have the same clock, but for another run of it. */
function isBefore(a: ClusterEvent, b: ClusterEvent): boolean {
  if (a.clock !== b.clock) return a.clock < b.clock;
  return a.node === b.node ? a.generation < b.generation : a.node < b.node;
}
