/**
 * When is another node taken for dead? A detector is told of each fresh heartbeat and answers until when silence is
 * still no death. The daemon uses the fixed one: whoever holds a group counts on the others waiting for a whole dead
 * time (`limits.ts`, `contactMs` and `stallMs`), so one that is quicker now and then would be unsafe there. The others
 * are for `heartline simulate sweep`, which shows what they would cost and buy.
 */

import type { Instant } from "../instant.ts";

export interface Detector {
  /** A heartbeat with a number above all before arrived. */
  heard(at: Instant, sequence: number): void;
  /** Silence until then, and no longer, is no death; `null`: nothing was heard yet. */
  deadline(): Instant | null;
}

/** What every detector is bounded by, in ms after the last heartbeat. */
export interface DetectorBounds {
  /** Lower: a single late heartbeat is a death. */
  readonly floorMs: number;
  /** Never later than this. */
  readonly ceilingMs: number;
}

/** An estimate within the bounds. */
export function bounded(estimate: number, last: Instant, { floorMs, ceilingMs }: DetectorBounds): Instant {
  return Math.floor(Math.min(last + ceilingMs, Math.max(last + floorMs, estimate))) as Instant;
}
