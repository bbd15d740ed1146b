/** From instants of a run to places in a picture, with round marks on the axis. */

export interface Interval {
  readonly fromMs: number;
  readonly toMs: number;
}

export class TimeScale {
  constructor(readonly interval: Interval, readonly left: number, readonly width: number) {}

  /** Unbounded: what lies outside lies outside. */
  x(ms: number): number {
    const { fromMs, toMs } = this.interval;
    return this.left + (ms - fromMs) / (toMs - fromMs) * this.width;
  }

  get right(): number {
    return this.left + this.width;
  }

  /** The part of a stretch that lies inside; `null`: none does. */
  clip(fromMs: number, toMs: number): { readonly x: number; readonly width: number } | null {
    const { interval } = this;
    if (toMs < interval.fromMs || fromMs > interval.toMs) return null;
    const x = this.x(Math.max(fromMs, interval.fromMs));
    return { x, width: this.x(Math.min(toMs, interval.toMs)) - x };
  }

  contains(ms: number): boolean {
    return ms >= this.interval.fromMs && ms <= this.interval.toMs;
  }

  /** About one mark per hundred pixels, at round times. */
  ticks(): readonly { readonly x: number; readonly text: string }[] {
    const { fromMs, toMs } = this.interval;
    const stepMs = roundStep((toMs - fromMs) / (this.width / 100));
    const ticks = [];
    for (let at = Math.ceil(fromMs / stepMs); at * stepMs <= toMs; at++) {
      ticks.push({ x: this.x(at * stepMs), text: tickText(at * stepMs, stepMs) });
    }
    return ticks;
  }
}

/** In the unit that the steps are whole in. */
function tickText(ms: number, stepMs: number): string {
  if (stepMs % 3_600_000 === 0) return `${ms / 3_600_000} h`;
  if (stepMs % 60_000 === 0) return `${ms / 60_000} min`;
  const decimals = stepMs >= 1000 ? 0 : stepMs >= 100 ? 1 : stepMs >= 10 ? 2 : 3;
  return `${(ms / 1000).toFixed(decimals)} s`;
}

/** The next of 1, 2, 5, 10, 20, 50… and of whole minutes, in ms. */
function roundStep(wantedMs: number): number {
  for (const minutes of [1, 2, 5, 10, 20, 60, 120, 180, 360]) {
    if (wantedMs > 30_000 && wantedMs <= minutes * 60_000) return minutes * 60_000;
  }
  for (let power = 1; power < 1e9; power *= 10) {
    for (const factor of [1, 2, 5]) if (wantedMs <= factor * power) return factor * power;
  }
  return 1e9;
}
