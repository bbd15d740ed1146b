/**
 * Are we cut off? Weighs the proofs of arbiters and of contact with the peers, and raises the alarm. It must never
 * call us connected by a contact that is older than what a peer waits for before it takes over.
 */

import { type Arbitration, isGuarded } from "./arbitration.ts";
import type { Context } from "./context.ts";
import { after, type Instant } from "./instant.ts";
import { contactMs, renewalContactMs } from "./limits.ts";
import type { Peer } from "./membership/peer.ts";
import type { Timing } from "./settings.ts";

export class Isolation {
  /** `null`: no arbiter is configured. */
  isIsolated: boolean | null = null;
  readonly #windowMs: number;
  readonly #timing: Timing;
  readonly #isGuarded: boolean;
  /** For how long a contact lets leases be renewed, for each length of lease. */
  readonly #renewalWindows: readonly number[];

  constructor(
    readonly node: string,
    readonly peers: readonly Peer[],
    readonly arbitration: Arbitration,
    timing: Timing,
    leases: readonly number[],
  ) {
    this.#windowMs = contactMs(timing);
    this.#timing = timing;
    this.#isGuarded = isGuarded(arbitration.settings);
    this.#renewalWindows = this.#isGuarded
      ? [...new Set(leases.map((seconds) => renewalContactMs(timing, seconds)))]
      : [];
  }

  /**
   * Without an arbiter's answer, contact with *every* other node is needed: one that is out of contact may be on the
   * arbiter's side of a partition and take what we hold. One that said goodbye may have come back there.
   */
  judge(context: Context, isJoining: boolean): void {
    const hasContact = this.#hasContact(context.now, this.#windowMs) ||
      (isJoining && this.arbitration.proofEndsAt() === null);
    const was = this.isIsolated;
    this.isIsolated = this.arbitration.judge(context.now, hasContact);
    if (this.isIsolated === was) return;
    if (this.isIsolated === true) {
      context.raise(
        "isolated",
        this.node,
        "this node is cut off: no arbiter and not all other nodes have answered in time",
      );
    } else context.clear("isolated", this.node, "this node is in contact again");
    context.isStatementDirty = true;
  }

  /**
   * Whether we are surely enough connected to renew a lease of so many seconds: it must be over when those who have
   * not heard us since take the address. Where a cut-off node keeps what it holds, nothing depends on it.
   */
  mayRenew(now: Instant, leaseSeconds: number): boolean {
    if (!this.#isGuarded || this.arbitration.isReachable(now) === true) return true;
    const windowMs = renewalContactMs(this.#timing, leaseSeconds);
    return this.#hasContact(now, windowMs);
  }

  /** Every other node has proved contact lately, or is off. */
  #hasContact(now: Instant, windowMs: number): boolean {
    return this.peers.every((peer) => peer.isFenced || peer.hasContact(now, windowMs));
  }

  /** When a proof or contact that we have now becomes too old, and when an isolated node must let go. */
  addDeadlines(instants: (Instant | null)[]): void {
    const until = this.isIsolated === true ? this.arbitration.keepUntil() : null;
    instants.push(this.arbitration.proofEndsAt(), until === "forever" ? null : until);
    for (const { echoedAt } of this.peers) {
      if (echoedAt === null) continue;
      instants.push(after(echoedAt, this.#windowMs));
      for (const windowMs of this.#renewalWindows) instants.push(after(echoedAt, windowMs));
    }
  }
}
