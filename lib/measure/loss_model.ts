/**
 * The model of a lossy link: a hidden chain of two states, good and bad, each of which loses packets with a
 * probability of its own (E. N. Gilbert, BSTJ 39, 1960; E. O. Elliott, BSTJ 42, 1963). Independent loss and Gilbert's
 * bursts (good loses nothing, bad everything) are special cases. Pure.
 *
 * The chain is meant in continuous time: what was measured with one interval between packets tells of any other.
 */

export interface LossModel {
  readonly kind: "independent" | "gilbert" | "gilbert-elliott";
  /** Per step: from good to bad, and from bad to good. */
  readonly toBad: number;
  readonly toGood: number;
  /** Probability that a packet is lost in each state. */
  readonly lossGood: number;
  readonly lossBad: number;
  /** Length of the step. */
  readonly intervalMs: number;
}

/** Every packet by itself. */
export function independentLoss(loss: number, intervalMs: number): LossModel {
  return { kind: "independent", toBad: 0, toGood: 1, lossGood: loss, lossBad: loss, intervalMs };
}

/** Bursts of geometric length: `loss` in the mean, `burstLength` packets in a row, at least 1. */
export function burstLoss(loss: number, burstLength: number, intervalMs: number): LossModel {
  const toGood = Math.min(1, 1 / burstLength);
  const toBad = Math.min(1, toGood * loss / (1 - loss));
  return { kind: "gilbert", toBad, toGood, lossGood: 0, lossBad: 1, intervalMs };
}

/** Long-run share of time in the bad state. */
export function badShare({ toBad, toGood }: LossModel): number {
  return toBad + toGood === 0 ? 0 : toBad / (toBad + toGood);
}

/** Long-run share of packets lost. */
export function meanLoss(model: LossModel): number {
  const bad = badShare(model);
  return bad * model.lossBad + (1 - bad) * model.lossGood;
}

/**
 * The same link seen with another interval between packets. The correlation between the states of two instants falls
 * exponentially with their distance; a negative one, which no continuous chain has, is taken for none.
 */
export function atInterval(model: LossModel, intervalMs: number): LossModel {
  if (model.kind === "independent") return { ...model, intervalMs };
  const bad = badShare(model);
  const perStep = Math.max(0, 1 - model.toBad - model.toGood);
  // 1 - perStep^ratio without loss of digits where the chain hardly moves in a step.
  const moved = perStep === 0 ? 1 : -Math.expm1(Math.log(perStep) * intervalMs / model.intervalMs);
  return { ...model, toBad: bad * moved, toGood: (1 - bad) * moved, intervalMs };
}
