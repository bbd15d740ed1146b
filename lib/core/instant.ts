/**
 * Time as the core sees it: whole milliseconds of one machine's monotonic clock.
 *
 * The core never reads a clock; every instant is handed in by a driver (the daemon or the simulator).
 * Instants of two machines must never be compared.
 */

declare const instantBrand: unique symbol;

/** Milliseconds since an arbitrary start, never going back. */
export type Instant = number & { readonly [instantBrand]: never };

/** Brands a whole number of milliseconds; a fraction is rounded down, so that nothing is thought later than it is. */
export function instant(ms: number): Instant {
  return Math.floor(ms) as Instant;
}

/** The instant `ms` after `at` (before it, when negative). */
export function after(at: Instant, ms: number): Instant {
  return (at + ms) as Instant;
}

/**
 * The earliest of some instants that lies after `now`; `null`: none. What was due by `now` has been done in this
 * step, or waits for something else than time.
 */
export function earliestAfter(now: Instant, instants: readonly (Instant | null)[]): Instant | null {
  let result: Instant | null = null;
  for (const at of instants) {
    if (at !== null && at > now && (result === null || at < result)) result = at;
  }
  return result;
}
