/**
 * What became of a series of numbered packets, as arrays that statistics are made of. Pure: it is told what was sent
 * and what came back, with instants, and decides what counts as lost, late, out of order or twice.
 *
 * A packet is lost when its answer has not come within the patience after sending; one that comes later still is
 * late, and counts as lost: a heartbeat that late is worth as much. What is not decided yet is `null`.
 */

/** `true`: it arrived; `false`: it did not; `null`: nobody can tell (yet). */
export type Arrival = boolean | null;

/** What the far end says of the direction towards it. */
export interface FarReport {
  /** Numbers that it has heard, of those up to this answer's number: whether it heard that one. */
  readonly heard: (number: number) => Arrival;
  /** Its own clock when it heard this one, in milliseconds: comparable only with itself. */
  readonly heardAtMs: number;
  /** Packets of this series that it heard more than once, or after a higher number. */
  readonly copies: number;
  readonly reordered: number;
  /** Those that it heard and did not answer because of its limit. */
  readonly unanswered: number;
}

export interface Answer {
  readonly number: number;
  readonly atMs: number;
  readonly far: FarReport | null;
}

export class Series {
  /** By number, from 0. */
  readonly #sentAtMs: number[] = [];
  readonly #roundTripMs: (number | null)[] = [];
  readonly #outward: Arrival[] = [];
  /** Variation of the transit time of consecutive packets, `|D|` of RFC 3550 section 6.4.1, in arrival order. */
  readonly #variationsMs: number[] = [];
  #previousTransitMs: number | null = null;
  #highest = -1;
  #isReportedByFar = false;
  answeredCount = 0;
  copies = 0;
  reordered = 0;
  late = 0;
  farCopies = 0;
  farReordered = 0;
  farUnanswered = 0;
  /** Packets that this machine refused to send. */
  refused = 0;

  constructor(readonly intervalMs: number, readonly patienceMs: number) {}

  get sentCount(): number {
    return this.#sentAtMs.length;
  }

  /** Whether that one's answer came; one that was never sent has nothing to wait for. */
  isAnswered(number: number): boolean {
    return this.#roundTripMs[number] !== null;
  }

  /** Notes the next packet; answers its number. */
  sent(atMs: number): number {
    this.#roundTripMs.push(null);
    this.#outward.push(null);
    return this.#sentAtMs.push(atMs) - 1;
  }

  answered({ number, atMs, far }: Answer): void {
    const sentAtMs = this.#sentAtMs[number];
    if (sentAtMs === undefined) return;
    if (far !== null) this.#takeReport(number, far);
    if (this.#roundTripMs[number] !== null) {
      this.copies++;
      return;
    }
    const roundTripMs = Math.max(0, atMs - sentAtMs);
    if (roundTripMs > this.patienceMs) {
      this.late++;
      return;
    }
    this.#roundTripMs[number] = roundTripMs;
    this.answeredCount++;
    if (number < this.#highest) this.reordered++;
    else this.#highest = number;
    const transitMs = far === null ? roundTripMs : far.heardAtMs - sentAtMs;
    if (this.#previousTransitMs !== null) {
      this.#variationsMs.push(Math.abs(transitMs - this.#previousTransitMs));
    }
    this.#previousTransitMs = transitMs;
  }

  /** As of `nowMs`; what was sent within the patience before that and has no answer is left out. */
  outcome(nowMs: number): SeriesOutcome {
    const decided = this.#decidedCount(nowMs);
    const isBack = (number: number) => this.#roundTripMs[number] !== null;
    const roundTrip = Array.from({ length: decided }, (_, number) => isBack(number));
    const outward = this.#isReportedByFar
      ? roundTrip.map((back, number) => back ? true : this.#outward[number] ?? null)
      : null;
    return {
      intervalMs: this.intervalMs,
      durationMs: decided === 0 ? 0 : this.#sentAtMs[decided - 1]! - this.#sentAtMs[0]! + this.intervalMs,
      roundTrip,
      outward,
      // The way back was tried by those only that the far end heard.
      homeward: outward === null ? null : roundTrip.map((back, number) => outward[number] ? back : null),
      roundTripsMs: this.#roundTripMs.slice(0, decided).filter((each) => each !== null),
      variationsMs: this.#variationsMs,
      copies: this.copies,
      reordered: this.reordered,
      late: this.late,
      far: this.#isReportedByFar
        ? { copies: this.farCopies, reordered: this.farReordered, unanswered: this.farUnanswered }
        : null,
      refused: this.refused,
    };
  }

  #takeReport(number: number, far: FarReport): void {
    this.#isReportedByFar = true;
    for (let each = number; each >= 0; each--) {
      const isHeard = far.heard(each);
      if (isHeard === null) break;
      // Heard once is heard: an answer that was overtaken knows less than the one before it.
      if (this.#outward[each] !== true) this.#outward[each] = isHeard;
    }
    this.farCopies = Math.max(this.farCopies, far.copies);
    this.farReordered = Math.max(this.farReordered, far.reordered);
    this.farUnanswered = Math.max(this.farUnanswered, far.unanswered);
  }

  /** Numbers below this are decided: answered, or out of patience. */
  #decidedCount(nowMs: number): number {
    let count = this.#sentAtMs.length;
    while (count > 0 && this.#roundTripMs[count - 1] === null) {
      if (nowMs - this.#sentAtMs[count - 1]! > this.patienceMs) break;
      count--;
    }
    return count;
  }
}

export interface SeriesOutcome {
  readonly intervalMs: number;
  /** From the first packet to one interval after the last one that is decided. */
  readonly durationMs: number;
  /** Whether the answer came, by number. */
  readonly roundTrip: readonly boolean[];
  /** Whether the far end heard it; `null`: the far end does not number what it hears. */
  readonly outward: readonly Arrival[] | null;
  /** Whether the answer came, of those that the far end heard. */
  readonly homeward: readonly Arrival[] | null;
  readonly roundTripsMs: readonly number[];
  readonly variationsMs: readonly number[];
  /** Answers that came again. */
  readonly copies: number;
  /** Answers that came after one with a higher number (RFC 4737, section 3). */
  readonly reordered: number;
  /** Answers that came out of patience. */
  readonly late: number;
  readonly far: { readonly copies: number; readonly reordered: number; readonly unanswered: number } | null;
  readonly refused: number;
}
