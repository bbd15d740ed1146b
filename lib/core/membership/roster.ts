/**
 * Who is there: takes the peers' messages, notices their silence, and reports what changes. It decides nothing about
 * groups. It must never take a replay, a copy or an older statement for news.
 */

import type { Context } from "../context.ts";
import type { MessageInput } from "../inputs.ts";
import { after, earliestAfter, type Instant } from "../instant.ts";
import { neighbourRetryMs, sentHistoryMax } from "../limits.ts";
import { linkName, type Settings } from "../settings.ts";
import type { Link } from "./link.ts";
import { Peer } from "./peer.ts";
import type { HearsStatement, Statement } from "../../wire/statement.ts";
import { text } from "../../wire/message.ts";

export interface Heard {
  readonly peer: Peer;
  /** The peer has not shown that it hears us as we are now: answer soon. */
  readonly wantsReply: boolean;
  /** The peer claims a group that it did not claim before, and waits until we have heard it: answer at once. */
  readonly hasNewClaim: boolean;
}

export class Roster {
  readonly peers: readonly Peer[];
  readonly media: readonly string[];
  readonly #sentAt = new Map<number, Instant>();
  #statementSequence = new Map<string, number>();

  constructor(readonly self: string, readonly generation: number, readonly settings: Settings) {
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
    this.#sentAt.set(sequence, now);
    if (this.#sentAt.size > sentHistoryMax) {
      const [oldest] = this.#sentAt.keys();
      this.#sentAt.delete(oldest!);
    }
  }

  /** Whom we hear, for our own statement. */
  hears(now: Instant): Record<string, HearsStatement> {
    const hears: Record<string, HearsStatement> = Object.create(null);
    for (const peer of this.peers) {
      if (!peer.isInView || peer.tracker.generation === null) continue;
      const on: number[] = [];
      for (const [index, link] of peer.links.entries()) {
        if (link.isAlive(now, this.#linkDeadMs(peer))) on.push(index);
      }
      hears[peer.node] = { generation: peer.tracker.generation, sequence: peer.tracker.last, on };
    }
    return hears;
  }

  /** Takes one authenticated message of a known peer. `null`: nothing new. */
  hear(context: Context, input: MessageInput): Heard | null {
    const { message } = input;
    const peer = this.peer(message.source);
    if (peer === undefined || message.sequence === null) return null;
    const isStatus = message.type === "status";
    const known = peer.tracker.generation;
    if (!isStatus && (known === null || message.generation > known)) return null;
    const verdict = peer.tracker.judge(message.generation, message.sequence);
    if (verdict === "old-generation") return null;
    peer.link(input.medium)?.hear(context.now, message.generation, message.sequence);
    if (verdict === "copy") return null;
    if (verdict === "restart") this.#restarted(context, peer);
    if (!isStatus) return null;

    const hasNews = message.sequence > (this.#statementSequence.get(peer.node) ?? 0);
    if (!hasNews) return null;
    this.#statementSequence.set(peer.node, message.sequence);
    peer.adoptDeadTime(Number.parseInt(text(message.message, "dt") ?? "", 16));
    return this.#heardStatus(context, peer, input.statement);
  }

  /** Whether the message is a replay from an earlier run of its sender's daemon. */
  isOldGeneration(source: string, generation: number): boolean {
    const known = this.peer(source)?.tracker.generation ?? null;
    return known !== null && generation < known;
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

  deadline(now: Instant, leadMs: number): Instant | null {
    const instants: (Instant | null)[] = [];
    for (const peer of this.peers) {
      const death = peer.deathAt();
      instants.push(death);
      if (death !== null) instants.push(after(death, -leadMs));
      if (!peer.isInView) continue;
      for (const link of peer.links) instants.push(link.deathAt(peer.inViewSince, this.#linkDeadMs(peer)));
    }
    return earliestAfter(now, instants);
  }

  /** A link gets one keepalive more than the node, so that a dead node is reported as that and not as dead links. */
  #linkDeadMs(peer: Peer): number {
    return peer.deadTimeMs + this.settings.timing.keepaliveMs;
  }

  #heardStatus(context: Context, peer: Peer, statement: Statement | null): Heard {
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
    peer.statement = statement;
    if (statement !== null) this.#takeEcho(peer, statement);
    const echo = statement?.hears[this.self];
    const isDeaf = echo === undefined || echo.generation !== this.generation;
    // From an earlier life of ours it may be a replay: its sender may have come back since, and hold everything.
    if (statement !== null && isGoodbye(statement) && !isDeaf) {
      this.#left(context, peer);
      return { peer, wantsReply: false, hasNewClaim: false };
    }
    peer.hasLeft = false;
    if (!peer.isInView) this.#appeared(context, peer, silentMs);
    return {
      peer,
      wantsReply: statement !== null && (isDeaf || statement.phase === "joining"),
      hasNewClaim: statement !== null && claimsMore(previous, statement),
    };
  }

  #takeEcho(peer: Peer, statement: Statement): void {
    const echo = statement.hears[this.self];
    if (echo === undefined || echo.generation !== this.generation) return;
    const sentAt = this.#sentAt.get(echo.sequence);
    if (echo.sequence > peer.echoedSequence) peer.echoedSequence = echo.sequence;
    if (sentAt !== undefined && (peer.echoedAt === null || sentAt > peer.echoedAt)) peer.echoedAt = sentAt;
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
    this.#statementSequence.delete(peer.node);
  }

  #appeared(context: Context, peer: Peer, silentMs: number | null): void {
    peer.isInView = true;
    peer.inViewSince = context.now;
    peer.isFenced = false;
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
      for (const code of ["link-lost", "one-way"]) {
        context.clear(code, `${peer.node} ${link.medium}`, `${peer.node} is out of view on all links`);
      }
    }
  }

  #left(context: Context, peer: Peer): void {
    if (peer.hasLeft) return;
    peer.hasLeft = true;
    peer.isInView = false;
    peer.echoedAt = null;
    peer.echoedSequence = 0;
    context.isStatementDirty = true;
    for (const code of ["node-dead", "node-missing"]) {
      context.clear(code, peer.node, `${peer.node} has been heard: it is leaving`);
    }
    context.report("notice", "node-left", `${peer.node} said goodbye: it holds nothing`, { node: peer.node });
    for (const link of peer.links) {
      for (const code of ["link-lost", "one-way"]) {
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
    if (state === link.reported) return;
    link.reported = state;
    const subject = `${peer.node} ${link.medium}`;
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
  return Object.entries(statement.groups).some(([name, { wants }]) =>
    wants && previous?.groups[name]?.wants !== true
  );
}
