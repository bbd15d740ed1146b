/** Long spans and small shares for people: two digits, always with a unit. */

const minuteMs = 60_000;
const dayMs = 86_400_000;
const yearMs = 365.25 * dayMs;

/** Beyond this nobody's machine matters any more. */
const yearsMax = 1_000;

export function renderSpan(ms: number): string {
  if (ms === 0) return "at once";
  if (ms < 1_000) return `${two(ms)} ms`;
  if (ms < minuteMs) return `${two(ms / 1_000)} s`;
  if (ms < 60 * minuteMs) return `${two(ms / minuteMs)} min`;
  if (ms < dayMs) return `${two(ms / (60 * minuteMs))} h`;
  if (ms < yearMs) return `${two(ms / dayMs)} days`;
  return ms < yearsMax * yearMs ? `${two(ms / yearMs)} years` : "> 1000 years";
}

/** `0.31`, `2.4`, `17`: of milliseconds and the like. */
export function two(value: number): string {
  if (!Number.isFinite(value)) return "?";
  if (value >= 9.95) return String(Math.round(value));
  return value >= 0.995 ? value.toFixed(1) : value.toFixed(value >= 0.0995 ? 2 : value === 0 ? 0 : 3);
}

/** A share as a percentage. */
export function percent(share: number): string {
  return Number.isFinite(share) ? `${two(share * 100)} %` : "?";
}
