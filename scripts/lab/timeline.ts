/**
 * What samples of "who holds the address" amount to: how long none, one or two held it, and the longest gap.
 *
 * PURE. A sample says what was so at one instant; between two samples nothing is known. `samplingGapMaxMs` is the
 * longest such blindness, so that a test can tell "not seen" from "not looked".
 */

/** From `atMs` on, until the next entry, these nodes held the address. */
export interface HolderChange {
  readonly atMs: number;
  readonly holders: readonly string[];
}

export interface HolderTimeline {
  readonly fromMs: number;
  readonly toMs: number;
  /** The first entry is at `fromMs`. */
  readonly changes: readonly HolderChange[];
  readonly samples: number;
  readonly samplingGapMaxMs: number;
}

/** Total time with exactly `count` holders. */
export function heldByMs(timeline: HolderTimeline, count: number): number {
  return stretches(timeline).filter(({ holders }) => holders.length === count)
    .reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
}

/** Total time with more than one holder: split brain. */
export function overlapMs(timeline: HolderTimeline): number {
  return stretches(timeline).filter(({ holders }) => holders.length > 1)
    .reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
}

/** The longest time without any holder. */
export function longestGapMs(timeline: HolderTimeline): number {
  return Math.max(
    0,
    ...stretches(timeline).filter(({ holders }) => holders.length === 0)
      .map(({ fromMs, toMs }) => toMs - fromMs),
  );
}

/** First instant at or after `fromMs` at which `node` alone holds the address; `null`: never. */
export function soleHolderAtMs(
  timeline: HolderTimeline,
  node: string,
  fromMs = timeline.fromMs,
): number | null {
  const found = stretches(timeline).find(({ toMs, holders }) =>
    toMs > fromMs && holders.length === 1 && holders[0] === node
  );
  return found === undefined ? null : Math.max(found.fromMs, fromMs);
}

/** The part of a timeline within a window. */
export function between(timeline: HolderTimeline, fromMs: number, toMs: number): HolderTimeline {
  const changes = stretches(timeline)
    .filter((stretch) => stretch.toMs > fromMs && stretch.fromMs < toMs)
    .map(({ fromMs: atMs, holders }) => ({ atMs: Math.max(atMs, fromMs), holders }));
  return {
    ...timeline,
    fromMs: Math.max(fromMs, timeline.fromMs),
    toMs: Math.min(toMs, timeline.toMs),
    changes,
  };
}

/** One line per change, with the events between them; instants from `originMs`. */
export function describeTimeline(
  timeline: HolderTimeline,
  events: ReadonlyArray<{ readonly atMs: number; readonly what: string }> = [],
  originMs = timeline.fromMs,
): string {
  const lines = [
    ...timeline.changes.map(({ atMs, holders }) => ({
      atMs,
      text: `held by ${holders.join(" AND ") || "nobody"}`,
    })),
    ...events.map(({ atMs, what }) => ({ atMs, text: `-- ${what}` })),
  ].sort((a, b) => a.atMs - b.atMs);
  const account = lines.map(({ atMs, text }) => `${(atMs - originMs).toFixed(1).padStart(9)} ms  ${text}`);
  const gap = timeline.samplingGapMaxMs.toFixed(1);
  return [...account, `           (${timeline.samples} samples, at most ${gap} ms apart)`].join("\n");
}

function stretches(
  timeline: HolderTimeline,
): Array<{ fromMs: number; toMs: number; holders: readonly string[] }> {
  return timeline.changes.map(({ atMs, holders }, index) => ({
    fromMs: atMs,
    toMs: timeline.changes[index + 1]?.atMs ?? timeline.toMs,
    holders,
  }));
}
