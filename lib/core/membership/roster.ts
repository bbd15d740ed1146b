/**
 * Who is there: takes the peers' messages, notices their silence, and reports what changes. It decides nothing about
 * groups. It must never take a replay, a copy or an older statement for news.
 */

import type { Context } from "../context.ts";
import type { MessageInput } from "../inputs.ts";
import { after, type Instant } from "../instant.ts";
import { neighbourRetryMs, sentHistoryMax } from "../limits.ts";
import { Refusals } from "../messaging/refusals.ts";
import { receive } from "../messaging/reception.ts";
import { isAccepted } from "../messaging/sequencing.ts";
import { linkName, type Settings } from "../settings.ts";
import type { Link } from "./link.ts";
import { Peer } from "./peer.ts";
import type { HearsStatement, LastHeard, Statement } from "../../wire/statement.ts";
import { text } from "../../wire/message.ts";
import { readHex } from "../../wire/packet.ts";

export type Heard =
  | HeardHeartbeat
  /** Of another type, accepted, to be delivered. */
  | { readonly kind: "message"; readonly peer: Peer };

export interface HeardHeartbeat {
  readonly kind: "heartbeat";
  readonly peer: Peer;
  /** The peer has not shown that it hears us as we are now: answer soon. */
  readonly wantsReply: boolean;
  /** The peer claims a group that it did not claim before, and waits until we have heard it: answer at once. */
  readonly hasNewClaim: boolean;
}

export class Roster {
  readonly peers: readonly Peer[];
  readonly media: readonly string[];
  /** When our last heartbeats were sent, by number modulo the length. */
  readonly #sent: ({ readonly sequence: number; readonly at: Instant } | undefined)[] = [];

  constructor(
    readonly self: string,
    readonly generation: number,
    readonly settings: Settings,
    readonly refusals = new Refusals(),
  ) {
    this.media = [...new Set(settings.media.map(linkName))];
    this.peers = settings.nodes.filter((node) => node !== self).map((node) =>
      new Peer(node, this.media, settings.timing)
    );
  }

  peer(node: string): Peer | undefined {
    return this.peers.find((peer) => peer.node === node);
  }

  /** Remembers when a heartbeat was sent, so that its echo can be dated. */
  sent(sequence: number, now: Instant): void {
    this.#sent[sequence % sentHistoryMax] = { sequence, at: now };
  }

  /** Whom we hear, for our own statement. */
  hears(now: Instant): Record<string, HearsStatement> {
    const hears: Record<string, HearsStatement> = Object.create(null);
    for (const peer of this.peers) {
      if (!peer.isInView || peer.tracker.generation === null) continue;
      const on: number[] = [];
      const last: LastHeard[] = [];
      for (const [index, link] of peer.links.entries()) {
        if (!link.isAlive(now, this.#linkDeadMs(peer))) continue;
        on.push(index);
        last.push([link.timing.beatSequence, link.timing.beatAgoMs(now)]);
      }
      // Only a heartbeat keeps us from taking over, so only the number of one may prove that it did.
      const { generation, contiguous: acked } = peer.tracker;
      hears[peer.node] = { generation, sequence: peer.beatSequence, on, last, acked };
    }
    return hears;
  }

  /** Takes one authenticated, sequenced message of a known peer. `null`: nothing new. */
  hear(context: Context, input: MessageInput): Heard | null {
    const { message } = input;
    const peer = this.peer(message.source);
    if (peer === undefined || message.sequence === null) return null;
    const reception = receive(context.now, peer, input);
    if (reception === "restart") this.#restarted(context, peer);
    else if (reception === "unknown-run" || !isAccepted(reception)) return null;
    if (message.type !== "status") return { kind: "message", peer };

    // A heartbeat sent again, on our request, is no fresh sign of life.
    if (reception === "resent") return null;
    if (message.sequence <= peer.beatSequence) return null;
    peer.beatSequence = message.sequence;
    peer.firstStatus ??= text(message.message, "st") ?? "";
    peer.hasAcks = text(message.message, "protocol") !== undefined;
    this.#adoptDeadTime(context, peer, input);
    return this.#heardStatus(context, peer, input.statement);
  }

  /** Without a `dt` the dead time known before goes on; with nonsense in it too, since its sender is alive. */
  #adoptDeadTime(context: Context, peer: Peer, { medium, message }: MessageInput): void {
    const dt = text(message.message, "dt");
    if (dt === undefined || peer.adoptDeadTime(readHex(dt))) return;
    const detail = `its dt is ${JSON.stringify(dt.slice(0, 20))}, its dead time stays ${peer.deadTimeMs} ms`;
    this.refusals.note(context, { reason: "bad-dead-time", medium, from: peer.node, detail, count: 1 });
  }

  /** Puts out of view whoever has been silent for its dead time, and watches the links. */
  tick(context: Context): void {
    for (const peer of this.peers) {
      const death = peer.deathAt();
      if (death !== null && context.now >= death) this.#lost(context, peer);
      for (const [index, link] of peer.links.entries()) this.#watchLink(context, peer, link, index);
    }
  }

  /** After a stall nobody may be judged by a silence that was ours: all get one dead time of grace. */
  forgiveSilence(now: Instant): void {
    for (const peer of this.peers) {
      if (peer.isInView) peer.heardAt = now;
      for (const link of peer.links) if (link.heardAt !== null) link.heardAt = now;
    }
  }

  /** When peers and links are lost, and `leadMs` before peers are. */
  addDeadlines(instants: (Instant | null)[], leadMs: number): void {
    for (const peer of this.peers) {
      const death = peer.deathAt();
      if (death === null) continue;
      instants.push(death, after(death, -leadMs));
      for (const link of peer.links) instants.push(link.deathAt(peer.inViewSince, this.#linkDeadMs(peer)));
    }
  }

  /** Whether a link to a node in view carries in both directions, as was found last. */
  isLinkUp(node: string, medium: string): boolean {
    const peer = this.peer(node);
    return peer !== undefined && peer.isInView && peer.link(medium)?.reported === "up";
  }

  /** A link gets one keepalive more than the node, so that a dead node is reported as that and not as dead links. */
  #linkDeadMs(peer: Peer): number {
    return peer.deadTimeMs + this.settings.timing.keepaliveMs;
  }

  #heardStatus(context: Context, peer: Peer, statement: Statement | null): HeardHeartbeat {
    const { now } = context;
    const previous = peer.statement;
    if (peer.heardAt !== null && peer.isInView && now - peer.heardAt > this.settings.timing.warnTimeMs) {
      const lateMs = now - peer.heardAt;
      context.report("warning", "heartbeat-late", `heartbeat of ${peer.node} came after ${lateMs} ms`, {
        node: peer.node,
        intervalMs: lateMs,
      });
    }
    const silentMs = peer.heardAt === null ? null : now - peer.heardAt;
    peer.heardAt = now;
    peer.isFenced = false;
    peer.statement = statement;
    if (statement !== null) this.#takeEcho(now, peer, statement);
    const echo = statement?.hears[this.self];
    const isDeaf = echo === undefined || echo.generation !== this.generation;
    // From an earlier life of ours it may be a replay: its sender may have come back since, and hold everything.
    if (statement !== null && isGoodbye(statement) && !isDeaf) {
      this.left(context, peer);
      return { kind: "heartbeat", peer, wantsReply: false, hasNewClaim: false };
    }
    // A Heartbeat daemon goes on beating for two seconds after its goodbye (protocol reference 8.3).
    if (statement === null && peer.hasLeft && peer.leftGeneration === peer.tracker.generation) {
      return { kind: "heartbeat", peer, wantsReply: false, hasNewClaim: false };
    }
    peer.hasLeft = false;
    if (!peer.isInView) this.#appeared(context, peer, silentMs);
    return {
      kind: "heartbeat",
      peer,
      wantsReply: statement !== null && (isDeaf || statement.phase === "joining"),
      hasNewClaim: statement !== null && claimsMore(previous, statement),
    };
  }

  #takeEcho(now: Instant, peer: Peer, statement: Statement): void {
    const echo = statement.hears[this.self];
    if (echo === undefined || echo.generation !== this.generation) return;
    const sent = this.#sent[echo.sequence % sentHistoryMax];
    const sentAt = sent?.sequence === echo.sequence ? sent.at : undefined;
    if (echo.sequence > peer.echoedSequence) peer.echoedSequence = echo.sequence;
    if (sentAt !== undefined && (peer.echoedAt === null || sentAt > peer.echoedAt)) peer.echoedAt = sentAt;
    for (const [index, link] of peer.links.entries()) {
      const last = echo.last?.[echo.on.indexOf(peer.theirIndex(link.medium, index))];
      if (last === undefined) continue;
      const [sequence, agoMs] = last;
      const sent = this.#sent[sequence % sentHistoryMax];
      if (sent?.sequence === sequence) link.timing.hearEcho(now, sequence, sent.at, agoMs);
    }
  }

  #restarted(context: Context, peer: Peer): void {
    context.report("notice", "node-restarted", `the daemon of ${peer.node} was restarted`, {
      node: peer.node,
    });
    peer.statement = null;
    peer.hasLeft = false;
    peer.isFenced = false;
    peer.echoedAt = null;
    peer.echoedSequence = 0;
    peer.beatSequence = 0;
    peer.firstStatus = null;
  }

  #appeared(context: Context, peer: Peer, silentMs: number | null): void {
    peer.isInView = true;
    peer.inViewSince = context.now;
    context.isStatementDirty = true;
    const away = silentMs === null ? "" : ` after ${silentMs} ms of silence`;
    context.report("notice", "node-heard", `${peer.node} is in view${away}`, { node: peer.node });
    context.clear("node-dead", peer.node, `${peer.node} is back${away}`);
    context.clear("node-missing", peer.node, `${peer.node} has been heard`);
  }

  #lost(context: Context, peer: Peer): void {
    const silentMs = context.now - peer.heardAt!;
    peer.isInView = false;
    peer.echoedAt = null;
    peer.echoedSequence = 0;
    context.isStatementDirty = true;
    context.raise(
      "node-dead",
      peer.node,
      `${peer.node} is out of view: no heartbeat for ${silentMs} ms on ${this.media.join(", ")}`,
      { node: peer.node, silentMs },
    );
    context.clear("foreign-daemon", peer.node, `${peer.node} is out of view`);
    for (const link of peer.links) {
      for (const code of ["link-lost", "one-way"] as const) {
        context.clear(code, `${peer.node} ${link.medium}`, `${peer.node} is out of view on all links`);
      }
    }
  }

  /** It said goodbye: it holds nothing. */
  left(context: Context, peer: Peer): void {
    if (peer.hasLeft) return;
    peer.hasLeft = true;
    peer.leftGeneration = peer.tracker.generation;
    peer.isInView = false;
    peer.echoedAt = null;
    peer.echoedSequence = 0;
    context.isStatementDirty = true;
    for (const code of ["node-dead", "node-missing"] as const) {
      context.clear(code, peer.node, `${peer.node} has been heard: it is leaving`);
    }
    context.report("notice", "node-left", `${peer.node} said goodbye: it holds nothing`, { node: peer.node });
    for (const link of peer.links) {
      for (const code of ["link-lost", "one-way"] as const) {
        context.clear(code, `${peer.node} ${link.medium}`, `${peer.node} said goodbye`);
      }
    }
  }

  #watchLink(context: Context, peer: Peer, link: Link, index: number): void {
    if (!peer.isInView) {
      link.reported = "never";
      link.oneWaySince = null;
      return;
    }
    const isHeard = peer.hearsUsOn(this.self, link.medium, index);
    const state = link.state(
      context.now,
      peer.inViewSince,
      this.#linkDeadMs(peer),
      this.settings.timing.warnTimeMs,
      isHeard,
    );
    if (state === "one-way" && !this.#isLastingOneWay(context.now, link)) return;
    if (state !== "one-way") link.oneWaySince = null;
    const subject = `${peer.node} ${link.medium}`;
    if (state === link.reported) {
      const code = state === "dead" ? "link-lost" : state === "one-way" ? "one-way" : null;
      if (code !== null) context.repeat(code, subject, this.settings.alarmRepeatMs);
      return;
    }
    link.reported = state;
    const alive = peer.links.filter((other) => other.isAlive(context.now, this.#linkDeadMs(peer)));
    const left = `${alive.length} of ${peer.links.length} links left to ${peer.node}` +
      (alive.length > 0 ? `: ${alive.map((other) => other.medium).join(", ")}` : "");
    const fields = { node: peer.node, link: link.medium, left: alive.length, of: peer.links.length };
    if (state === "dead") context.raise("link-lost", subject, `link ${link.medium} is dead; ${left}`, fields);
    if (state === "one-way") {
      const what = `we hear ${peer.node} on ${link.medium}, it does not hear us there`;
      context.raise("one-way", subject, what, fields);
    }
    if (state === "up") {
      context.clear("link-lost", subject, `link ${link.medium} to ${peer.node} works again; ${left}`);
      context.clear("one-way", subject, `${peer.node} hears us on ${link.medium} again`);
    }
  }

  #isLastingOneWay(now: Instant, link: Link): boolean {
    link.oneWaySince ??= now;
    return now >= after(link.oneWaySince, this.settings.timing.deadTimeMs + neighbourRetryMs);
  }
}

function isGoodbye(statement: Statement): boolean {
  return statement.phase === "leaving" &&
    Object.values(statement.groups).every(({ state }) => state === "stopped");
}

function claimsMore(previous: Statement | null, statement: Statement): boolean {
  for (const name in statement.groups) {
    if (statement.groups[name]!.wants && previous?.groups[name]?.wants !== true) return true;
  }
  return false;
}
