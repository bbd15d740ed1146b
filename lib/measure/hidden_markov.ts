/**
 * Fits the Gilbert-Elliott model to arrivals by expectation maximisation (the forward-backward algorithm of Baum,
 * Petrie, Soules and Weiss, 1970; scaled as in L. Rabiner, Proc. IEEE 77, 1989). Pure and bounded. Packets of unknown
 * fate move the chain and tell nothing.
 */

import type { LossModel } from "./loss_model.ts";
import type { Arrival } from "./series.ts";

/** Fewer stop short of the maximum; more change the last digits only. */
const roundsMax = 60;
/** Relative improvement below which nothing more is gained. */
const improvementMin = 1e-7;
/** No probability becomes 0 or 1, from where none comes back. */
const floor = 1e-9;

interface Chain {
  toBad: number;
  toGood: number;
  /** Loss in the good state and in the bad one. */
  loss: [number, number];
}

/** `start` are the transitions of Gilbert's simple model. */
export function fitHidden(
  arrivals: readonly Arrival[],
  start: { readonly toBad: number; readonly toGood: number },
  intervalMs: number,
): { readonly model: LossModel; readonly logLikelihood: number } {
  const chain: Chain = {
    toBad: clamp(start.toBad / 2),
    toGood: clamp(Math.min(start.toGood, 0.5)),
    loss: [clamp(start.toBad / 4), 0.8],
  };
  let logLikelihood = -Infinity;
  for (let round = 0; round < roundsMax; round++) {
    const improved = improve(chain, arrivals);
    const gain = improved - logLikelihood;
    logLikelihood = improved;
    if (gain < improvementMin * Math.abs(improved)) break;
  }
  const { toBad, toGood, loss } = chain;
  const model = {
    kind: "gilbert-elliott" as const,
    toBad,
    toGood,
    lossGood: loss[0],
    lossBad: loss[1],
    intervalMs,
  };
  // Which state is called the bad one is chance.
  const isSwapped = loss[0] > loss[1];
  return {
    model: isSwapped
      ? { ...model, toBad: toGood, toGood: toBad, lossGood: loss[1], lossBad: loss[0] }
      : model,
    logLikelihood,
  };
}

/** One round; answers the logarithm of the likelihood before it. */
function improve(chain: Chain, arrivals: readonly Arrival[]): number {
  const n = arrivals.length;
  const { toBad, toGood, loss } = chain;
  const step = [[1 - toBad, toBad], [toGood, 1 - toGood]] as const;
  const seen = (state: 0 | 1, arrival: Arrival) =>
    arrival === null ? 1 : arrival ? 1 - loss[state] : loss[state];
  // Probability of the good state given all up to here, and the scale of each step.
  const forward = new Float64Array(n);
  const scale = new Float64Array(n);
  let good = toGood / (toBad + toGood);
  let logLikelihood = 0;
  for (let i = 0; i < n; i++) {
    const before = i === 0 ? good : good * step[0][0] + (1 - good) * step[1][0];
    const a = before * seen(0, arrivals[i]!);
    const b = (1 - before) * seen(1, arrivals[i]!);
    scale[i] = a + b;
    logLikelihood += Math.log(a + b);
    good = forward[i] = a / (a + b);
  }
  const moves = [[0, 0], [0, 0]] as [[number, number], [number, number]];
  const weight = [0, 0] as [number, number];
  const lost = [0, 0] as [number, number];
  let [backGood, backBad] = [1, 1];
  for (let i = n - 1; i >= 0; i--) {
    const isGood = forward[i]! * backGood;
    const arrival = arrivals[i]!;
    if (arrival !== null) {
      weight[0] += isGood;
      weight[1] += 1 - isGood;
      if (!arrival) {
        lost[0] += isGood;
        lost[1] += 1 - isGood;
      }
    }
    if (i === 0) break;
    const g = seen(0, arrival) * backGood / scale[i]!;
    const b = seen(1, arrival) * backBad / scale[i]!;
    const before = forward[i - 1]!;
    moves[0][0] += before * step[0][0] * g;
    moves[0][1] += before * step[0][1] * b;
    moves[1][0] += (1 - before) * step[1][0] * g;
    moves[1][1] += (1 - before) * step[1][1] * b;
    [backGood, backBad] = [step[0][0] * g + step[0][1] * b, step[1][0] * g + step[1][1] * b];
  }
  chain.toBad = clamp(moves[0][1] / (moves[0][0] + moves[0][1]));
  chain.toGood = clamp(moves[1][0] / (moves[1][0] + moves[1][1]));
  chain.loss = [clamp(lost[0] / weight[0]), clamp(lost[1] / weight[1])];
  return logLikelihood;
}

function clamp(p: number): number {
  return Number.isFinite(p) ? Math.max(floor, Math.min(1 - floor, p)) : floor;
}
