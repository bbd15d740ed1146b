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

/** The earlier of two optional instants; `null` stands for never. */
export function earliest(a: Instant | null, b: Instant | null): Instant | null {
  if (a === null) return b;
  if (b === null) return a;
  return a < b ? a : b;
}
