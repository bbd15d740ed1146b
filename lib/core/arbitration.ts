/**
 * Are we the one that is cut off? Gathers what arbiters proved and judges, with the time of the last contact with a
 * peer, whether this node is isolated and what the settings make it do then. An isolated node never takes anything.
 */

import { after, type Instant } from "./instant.ts";
import type { ArbiterSettings, UnreachablePolicy } from "./settings.ts";
import type { ArbiterView } from "./view.ts";

/**
 * Whether a node that is cut off gives up what it holds, so that those on the arbiters' side may rely on it. The
 * strictest policy of all arbiters counts.
 */
export function isGuarded(arbiters: readonly ArbiterSettings[]): boolean {
  return arbiters.some(({ onUnreachable }) => onUnreachable.kind === "release");
}

export class Arbitration {
  readonly #answeredAt = new Map<string, Instant>();
  #isolatedSince: Instant | null = null;

  constructor(readonly settings: readonly ArbiterSettings[], readonly windowMs: number) {}

  /** `askedAt`: when the question was put that has been answered; proofs are as old as that. */
  hear(name: string, askedAt: Instant): void {
    if (!this.settings.some((arbiter) => arbiter.name === name)) return;
    const known = this.#answeredAt.get(name);
    if (known === undefined || askedAt > known) this.#answeredAt.set(name, askedAt);
  }

  /** Whether one has answered in the last `windowMs`. `null`: none is configured. */
  isReachable(now: Instant, windowMs = this.windowMs): boolean | null {
    if (this.settings.length === 0) return null;
    return this.settings.some((arbiter) => this.#answers(arbiter.name, now, windowMs));
  }

  /** When the last proof becomes too old; `null`: no proof to lose. */
  proofEndsAt(): Instant | null {
    let latest: Instant | null = null;
    for (const at of this.#answeredAt.values()) {
      const end = after(at, this.windowMs);
      if (latest === null || end > latest) latest = end;
    }
    return latest;
  }

  /** Notes, at every step, whether a peer is in contact. Returns whether we are isolated; `null`: cannot be known. */
  judge(now: Instant, hasContact: boolean): boolean | null {
    const isReachable = this.isReachable(now);
    if (isReachable === null) return null;
    if (hasContact || isReachable) this.#isolatedSince = null;
    else this.#isolatedSince ??= now;
    return this.#isolatedSince !== null;
  }

  /** Whether an isolated node still keeps what it holds. The strictest policy of all arbiters counts. */
  mayKeep(now: Instant): boolean {
    const until = this.keepUntil();
    return until === "forever" || (until !== null && now < until);
  }

  /** Until when an isolated node may keep its groups; `null`: not at all. */
  keepUntil(): Instant | "forever" | null {
    if (this.#isolatedSince === null) return "forever";
    let until: Instant | "forever" | null = "forever";
    for (const { onUnreachable } of this.settings) {
      if (onUnreachable.kind === "release") return null;
      if (onUnreachable.kind === "hold-for") {
        const end: Instant = after(this.#isolatedSince, onUnreachable.ms);
        until = until === "forever" || end < until ? end : until;
      }
    }
    return until;
  }

  view(now: Instant): ArbiterView[] {
    return this.settings.map((arbiter) => {
      const at = this.#answeredAt.get(arbiter.name) ?? null;
      return {
        name: arbiter.name,
        policy: policyInWords(arbiter.onUnreachable),
        answeredAgoMs: at === null ? null : now - at,
        reachable: this.#answers(arbiter.name, now, this.windowMs),
      };
    });
  }

  #answers(name: string, now: Instant, windowMs: number): boolean {
    const at = this.#answeredAt.get(name);
    return at !== undefined && now < after(at, windowMs);
  }
}

function policyInWords(policy: UnreachablePolicy): string {
  return policy.kind === "hold-for" ? `hold for ${policy.ms / 1000} s` : policy.kind;
}
