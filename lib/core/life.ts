/**
 * The phases of this node's life, and when one ends: from the clock, the peers' statements and operators' orders. It
 * must never settle before it has either heard all others afresh, or somebody settled who hears it, or waited enough.
 *
 *   joining ── heard all others afresh, or waited long enough ──▶ settled ── shutdown ──▶ leaving ──▶ exit
 *      ▲                                                            │
 *      └───────────── own stall: give everything up, listen ────────┘
 */

import type { Context } from "./context.ts";
import { after, type Instant } from "./instant.ts";
import { farewellMs, goodbyeMs } from "./limits.ts";
import type { Peer } from "./membership/peer.ts";
import type { Timing } from "./settings.ts";
import type { Statement } from "../wire/statement.ts";

export class Life {
  phase: Statement["phase"] = "joining";
  startedAt: Instant | null = null;
  #settledAt: Instant | null = null;
  /** Without all others heard, we settle then. */
  #joinUntil: Instant | null = null;
  /** Statements that do not show knowledge of this message of ours are from before our start or stall. */
  #freshFrom = 1;
  /** Leaving, with nothing left to stop: when we may go if others hold what we held, and when we go in any case. */
  #goodbyeAt: Instant | null = null;
  #exitAt: Instant | null = null;

  constructor(readonly timing: Timing) {}

  start(now: Instant, peers: readonly Peer[]): void {
    this.startedAt = now;
    this.#joinUntil = after(now, peers.length === 0 ? 0 : this.timing.initDeadMs);
  }

  settledForMs(now: Instant): number {
    return this.phase === "settled" && this.#settledAt !== null ? now - this.#settledAt : 0;
  }

  settleIfDue(context: Context, peers: readonly Peer[]): void {
    if (this.phase !== "joining" || this.#joinUntil === null) return;
    const isWaitOver = context.now >= this.#joinUntil;
    const allKnown = peers.every((peer) => peer.hasLeft || peer.isFresh(this.#freshFrom));
    const voucher = peers.find((peer) =>
      peer.isFresh(this.#freshFrom) && peer.statement?.phase === "settled"
    );
    if (!isWaitOver && !allKnown && voucher === undefined) return;
    this.phase = "settled";
    this.#settledAt = context.now;
    context.isStatementDirty = true;
    const why = allKnown
      ? "all other nodes hear us"
      : voucher !== undefined
      ? `${voucher.node} is settled and hears us`
      : `waited ${context.now - this.startedAt!} ms`;
    context.report("notice", "settled", `this node takes part now: ${why}`);
    for (const peer of peers) {
      if (peer.heardAt === null && !peer.hasLeft) {
        context.raise("node-missing", peer.node, `${peer.node} has not been heard since this node started`);
      }
    }
  }

  /** After a stall: what was stated before our message of this number proves nothing any more. */
  listenAgain(now: Instant, freshFrom: number): void {
    const wasJoining = this.phase === "joining";
    this.phase = "joining";
    this.#settledAt = null;
    this.#freshFrom = freshFrom;
    const listenUntil = after(now, this.timing.deadTimeMs);
    this.#joinUntil = wasJoining && this.#joinUntil! > listenUntil ? this.#joinUntil : listenUntil;
  }

  leave(): void {
    this.phase = "leaving";
  }

  /** Leaving, with all stopped: once the others hold what we held, or had time to, the process may end. */
  isOver(now: Instant, areGroupsTaken: boolean): boolean {
    this.#goodbyeAt ??= after(now, goodbyeMs);
    this.#exitAt ??= after(now, farewellMs(this.timing));
    return now >= this.#exitAt || (areGroupsTaken && now >= this.#goodbyeAt);
  }

  deadlines(): (Instant | null)[] {
    return [this.phase === "joining" ? this.#joinUntil : null, this.#goodbyeAt, this.#exitAt];
  }
}
