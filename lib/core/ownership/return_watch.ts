/**
 * Addresses that we should hold and that are gone: taken off by somebody, or ended by the kernel because we were too
 * slow to renew the lease. Before one is put back the wire is asked: a node that does not hear us may have waited for
 * nothing but this address to fall silent, and hold it now.
 *
 * In maintenance an address that somebody has taken off stays off: for it nothing is asked, put back or given up until
 * maintenance ends. One whose lease alone has ended is put back all the same: nobody wanted it gone.
 */

import type { Context } from "../context.ts";
import type { EffectId } from "../effects.ts";
import type { WireVerdict } from "../inputs.ts";
import { after, type Instant } from "../instant.ts";
import { wireBlindRetryMs } from "../limits.ts";

/** What is done about an address that is gone. `lapsed`: we were too long without contact to renew its lease. */
export const lossInWords = {
  asked: "putting it back if it is free",
  left: "left as it is: maintenance is on",
  lapsed: "its lease ran out: neither an arbiter nor all other nodes have answered lately enough to renew it",
} as const;

export class ReturnWatch {
  readonly #resources = new Set<number>();
  #pending: EffectId | null = null;
  #windowMs = 0;
  retryAt: Instant | null = null;
  /** When the leases of the group's addresses were renewed last, and when last so late that they may have been over. */
  #renewedAt: Instant | null = null;
  #renewedLateAt: Instant | null = null;
  /** One was taken off, or is in use elsewhere: somebody's doing, which is left to them in maintenance. */
  #isSomebodysDoing = false;

  /** `leaseSeconds`: of the group's addresses; 0: none. */
  constructor(readonly group: string, readonly leaseSeconds: number) {}

  /** An address of ours is gone. What is done about it; `null`: that is known. */
  lost(
    context: Context,
    resource: number,
    windowMs: number,
    isMaintenance: boolean,
  ): "asked" | "left" | null {
    if (this.#resources.has(resource)) return null;
    this.#resources.add(resource);
    this.#windowMs = windowMs;
    if (!this.#mayHaveRunOut(context.now)) this.#isSomebodysDoing = true;
    if (this.isLeft(isMaintenance)) return "left";
    if (this.#pending === null) this.#ask(context);
    return "asked";
  }

  /**
   * Takes the verdict of its question. `null`: not its question, no answer yet, or nothing may be done now. Otherwise
   * the resources to put back, or the machine that has taken their place.
   */
  hear(
    context: Context,
    id: EffectId,
    verdict: WireVerdict,
    { maySet, isMaintenance }: { readonly maySet: boolean; readonly isMaintenance: boolean },
  ): readonly number[] | { readonly taken: string } | null {
    if (id !== this.#pending) return null;
    this.#pending = null;
    if (verdict.kind === "answered" || verdict.kind === "contended") {
      this.#isSomebodysDoing = true;
      const taken = `${verdict.hardware} has ${verdict.address} now, which was lost here`;
      if (!isMaintenance) {
        this.drop();
        return { taken };
      }
      context.report("warning", "address-lost", `${taken}; left as it is: maintenance is on`, {
        group: this.group,
      });
    }
    if (this.isLeft(isMaintenance)) return null;
    if (verdict.kind === "silent" && maySet) {
      const resources = [...this.#resources];
      this.drop();
      return resources;
    }
    this.retryAt = after(context.now, wireBlindRetryMs);
    return null;
  }

  /** The leases of the group's addresses are renewed now. */
  renewed(now: Instant): void {
    if (!this.#isWithinLease(now, this.#renewedAt)) this.#renewedLateAt = now;
    this.#renewedAt = now;
  }

  /** A question is open: what it brings must come before anything else is concluded from the missing address. */
  get isAsking(): boolean {
    return this.#pending !== null;
  }

  /** Asks again when the question could not be put, and for the first time when maintenance has ended. */
  tick(context: Context, isMaintenance: boolean): void {
    if (this.#resources.size === 0 || this.#pending !== null || this.isLeft(isMaintenance)) return;
    if (this.retryAt === null || context.now >= this.retryAt) this.#ask(context);
  }

  /** The group is given up, or all is in place. */
  drop(): void {
    // To empty a set makes a new table, also of one that is empty; this is called in every step.
    if (this.#resources.size > 0) this.#resources.clear();
    this.#pending = null;
    this.retryAt = null;
    this.#isSomebodysDoing = false;
  }

  /** What is gone is left to whoever took it off. */
  isLeft(isMaintenance: boolean): boolean {
    return isMaintenance && this.#isSomebodysDoing;
  }

  /**
   * No address goes by itself before its lease is over: then somebody has taken it off. A late renewal finds one gone
   * that the kernel has ended before.
   */
  #mayHaveRunOut(now: Instant): boolean {
    if (this.leaseSeconds === 0) return false;
    return !this.#isWithinLease(now, this.#renewedAt) || this.#isWithinLease(now, this.#renewedLateAt);
  }

  #isWithinLease(now: Instant, from: Instant | null): boolean {
    return from !== null && now < after(from, this.leaseSeconds * 1000);
  }

  #ask(context: Context): void {
    this.retryAt = null;
    this.#pending = context.newId();
    context.emit({ kind: "ask-wire", id: this.#pending, group: this.group, windowMs: this.#windowMs });
  }
}
