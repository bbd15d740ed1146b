/**
 * The messages about messages, the `NS_` types (protocol reference 6): asks peers for what is missing, answers what
 * they ask for, acknowledges, and knows when local producers must wait. It must never hold up a heartbeat, nor stall
 * because of a node that does not acknowledge by its nature.
 */

import type { Context } from "../context.ts";
import { earliestAfter, type Instant } from "../instant.ts";
import { unackedAlarm, unackedMax } from "../limits.ts";
import type { Peer } from "../membership/peer.ts";
import type { Prng } from "../prng.ts";
import { type ClusterMessage, type Message, text } from "../../wire/message.ts";
import type { Statement } from "../../wire/statement.ts";
import { readHex } from "../../wire/packet.ts";
import { Acks } from "./acks.ts";
import { AnswerCredit, Answers } from "./answers.ts";
import type { Outbox } from "./outbox.ts";
import { Requests } from "./requests.ts";

/** What is exchanged with one peer. */
export class PeerExchange {
  readonly requests: Requests;
  readonly acks: Acks;
  readonly answerCredit = new AnswerCredit();
  /** Messages sent again because the peer asked. */
  resent = 0;
  /** Messages that it asked for too often to be answered each time. */
  unanswered = 0;
  /** Numbers that the peer could not send any more. */
  irretrievable = 0;
  #generation: number | null = null;
  #wasInView = false;

  constructor(readonly peer: Peer, random: Prng, delayMs: number) {
    this.requests = new Requests(peer.tracker, random, delayMs);
    this.acks = new Acks(peer.tracker, random);
  }

  /** Begins anew when the peer has come into view or restarted. */
  follow(last: number): void {
    const { isInView, tracker } = this.peer;
    const isNew = tracker.generation !== this.#generation || (isInView && !this.#wasInView);
    this.#generation = tracker.generation;
    this.#wasInView = isInView;
    if (isNew) this.acks.begin(last);
  }
}

export class Exchange {
  readonly exchanges: readonly PeerExchange[];
  /** One for all: what is sent again for one peer, all others hear too. */
  readonly #answers: Answers;

  constructor(
    readonly self: string,
    readonly generation: number,
    peers: readonly Peer[],
    readonly outbox: Outbox,
    random: Prng,
    delayMs: number,
  ) {
    this.#answers = new Answers(delayMs);
    this.exchanges = peers.map((peer) => new PeerExchange(peer, random, delayMs));
  }

  with(node: string): PeerExchange | undefined {
    return this.exchanges.find(({ peer }) => peer.node === node);
  }

  /** All nodes in view acknowledge; `false` from the first one that does not until it is out of view. */
  get isAcknowledging(): boolean {
    return this.exchanges.every(({ peer }) => !peer.isInView || peer.hasAcks);
  }

  /** Messages of ours that some live node has not acknowledged. */
  get unacknowledged(): number {
    if (!this.isAcknowledging) return 0;
    let most = 0;
    for (const { peer, acks } of this.exchanges) {
      if (peer.isInView) most = Math.max(most, acks.unacknowledged(this.outbox.last));
    }
    return most;
  }

  /** Messages of ours that were sent again. */
  get resent(): number {
    return this.exchanges.reduce((sum, { resent }) => sum + resent, 0);
  }

  /** Local producers of messages must wait; heartbeats and the messages of ownership never do. */
  get isCongested(): boolean {
    return this.unacknowledged > unackedMax;
  }

  /** A message outside the sequence of a known peer. */
  hear(context: Context, peer: Peer, { type, destination, message }: ClusterMessage): void {
    const each = this.with(peer.node);
    if (each === undefined) return;
    const isForUs = destination === null || destination === this.self;
    const first = text(message, "firstseq") ?? "";
    if (type === "NS_rexmit" && isForUs) {
      this.#answer(context, each, readDecimal(first), readDecimal(text(message, "lastseq") ?? first));
    } else if (type === "NS_nak_rexmit") {
      this.#refused(context, each, readHex(first), isForUs);
    } else if (type === "NS_ackmsg" && isForUs && this.#isOfThisRun(peer, message)) {
      each.acks.hear(readHex(text(message, "ackseq") ?? ""), this.outbox.last);
    }
  }

  /**
   * Acknowledgements have no numbers: one of an earlier run of ours, played again, would make us leave requests for what
   * is really missing. A Heartbeat daemon does not say which run it means.
   */
  #isOfThisRun(peer: Peer, message: Message): boolean {
    const run = text(message, "ackhg");
    return run === undefined ? peer.statement === null : readHex(run) === this.generation;
  }

  /** The peer's statement says how far it has all that we sent. A Heartbeat daemon says so by `NS_ackmsg` alone. */
  hearStatement(peer: Peer, statement: Statement): void {
    const echo = statement.hears[this.self];
    if (echo?.acked === undefined || echo.generation !== this.generation) return;
    this.with(peer.node)?.acks.hear(echo.acked, this.outbox.last);
  }

  /** Messages of ours up to this number are kept no more: who asks again is told. */
  forget(sequence: number): void {
    this.#answers.forget(sequence);
  }

  /** Asks and acknowledges what is due. */
  tick(context: Context): void {
    for (const each of this.exchanges) {
      const { peer, requests, acks } = each;
      each.follow(this.outbox.last);
      if (!peer.isInView) continue;
      for (const sequence of requests.due(context.now)) this.#ask(context, peer, sequence);
      if (!this.isAcknowledging) continue;
      const ack = acks.due();
      if (ack !== null) {
        this.outbox.sendUnnumbered(context, {
          type: "NS_ackmsg",
          destination: peer.node,
          fields: [["ackseq", ack.toString(16)], ["ackhg", peer.tracker.generation!.toString(16)]],
        });
      }
      this.#watchFilling(context, each);
    }
  }

  deadline(now: Instant): Instant | null {
    return earliestAfter(
      now,
      this.exchanges.map(({ peer, requests }) => peer.isInView ? requests.deadline() : null),
    );
  }

  #ask(context: Context, peer: Peer, sequence: number): void {
    const number = String(sequence);
    this.outbox.sendUnnumbered(context, {
      type: "NS_rexmit",
      destination: peer.node,
      fields: [["firstseq", number], ["lastseq", number]],
    });
  }

  #answer(context: Context, each: PeerExchange, first: number, end: number): void {
    if (!(first >= 1) || !(end >= first)) return;
    const { acks, answerCredit } = each;
    const answer = this.#answers.to(context.now, first, end, acks.heard, this.outbox.last, answerCredit);
    each.resent += answer.resend.length;
    each.unanswered += answer.unanswered;
    for (const sequence of answer.resend) context.emit({ kind: "resend", sequence });
    for (const sequence of answer.refuse) {
      this.outbox.sendUnnumbered(context, {
        type: "NS_nak_rexmit",
        destination: each.peer.node,
        fields: [["firstseq", sequence.toString(16)], ["info", "seqno too low"]],
      });
    }
  }

  #refused(context: Context, each: PeerExchange, sequence: number, isForUs: boolean): void {
    const { peer } = each;
    if (!peer.tracker.giveUp(sequence) || !isForUs) return;
    each.irretrievable++;
    context.report(
      "warning",
      "message-lost",
      `message ${sequence} of ${peer.node} is lost: it was not received, and ${peer.node} keeps it no more`,
      { node: peer.node, sequence },
    );
  }

  #watchFilling(context: Context, { peer, acks }: PeerExchange): void {
    const count = acks.unacknowledged(this.outbox.last);
    if (count >= unackedAlarm) {
      const what =
        `${peer.node} has acknowledged none of our last ${count} messages, although it is in view: ` +
        "our messages to it may be lost, see heartline status --links";
      context.raise("not-acknowledged", peer.node, what, { node: peer.node, count });
    } else if (count <= unackedMax) {
      context.clear("not-acknowledged", peer.node, `${peer.node} acknowledges our messages again`);
    }
  }
}

/** `firstseq` and `lastseq` of a request are decimal, all other numbers hexadecimal (protocol reference 3). */
function readDecimal(digits: string): number {
  return /^[1-9]\d{0,14}$/.test(digits) ? Number(digits) : NaN;
}
