/**
 * Addresses that we should hold and that are gone: taken off by somebody, or ended by the kernel because we were too
 * slow to renew the lease. Before one is put back the wire is asked: a node that does not hear us may have waited for
 * nothing but this address to fall silent, and hold it now.
 */

import type { Context } from "../context.ts";
import type { EffectId } from "../effects.ts";
import type { WireVerdict } from "../inputs.ts";
import { after, type Instant } from "../instant.ts";
import { wireBlindRetryMs } from "../limits.ts";

export class ReturnWatch {
  readonly #resources = new Set<number>();
  #pending: EffectId | null = null;
  #windowMs = 0;
  retryAt: Instant | null = null;

  constructor(readonly group: string) {}

  /** An address of ours is gone. Returns whether that is news. */
  lost(context: Context, resource: number, windowMs: number): boolean {
    if (this.#resources.has(resource)) return false;
    this.#resources.add(resource);
    this.#windowMs = windowMs;
    if (this.#pending === null) this.#ask(context);
    return true;
  }

  /**
   * Takes the verdict of its question. `null`: not its question, no answer yet, or addresses may not be set now
   * (`maySet`). Otherwise the resources to put back, or the machine that has taken their place.
   */
  hear(
    context: Context,
    id: EffectId,
    verdict: WireVerdict,
    maySet: boolean,
  ): readonly number[] | { readonly taken: string } | null {
    if (id !== this.#pending) return null;
    this.#pending = null;
    switch (verdict.kind) {
      case "silent": {
        if (!maySet) break;
        const resources = [...this.#resources];
        this.drop();
        return resources;
      }
      case "answered":
      case "contended":
        this.drop();
        return { taken: `${verdict.hardware} has ${verdict.address} now, which was lost here` };
      case "blind":
        break;
    }
    this.retryAt = after(context.now, wireBlindRetryMs);
    return null;
  }

  /** Asks again when the question could not be put. */
  tick(context: Context): void {
    if (this.retryAt !== null && context.now >= this.retryAt) this.#ask(context);
  }

  /** The group is given up, or all is in place. */
  drop(): void {
    // To empty a set makes a new table, also of one that is empty; this is called in every step.
    if (this.#resources.size > 0) this.#resources.clear();
    this.#pending = null;
    this.retryAt = null;
  }

  #ask(context: Context): void {
    this.retryAt = null;
    this.#pending = context.newId();
    context.emit({ kind: "ask-wire", id: this.#pending, group: this.group, windowMs: this.#windowMs });
  }
}
