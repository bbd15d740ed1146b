/**
 * From arrivals to losses: how many, in runs of which length, and the loss model that fits best. Pure.
 *
 * Three models are fitted and compared by the Bayesian information criterion (G. Schwarz, 1978), which asks more than
 * a better fit of a model with more parameters: independent loss (1), Gilbert's bursts (2), Gilbert-Elliott (4, by
 * expectation maximisation; L. Baum and others, 1970).
 */

import { effectiveTrials, type Estimate, wilson } from "./interval.ts";
import { burstLoss, independentLoss, type LossModel, meanLoss } from "./loss_model.ts";
import { fitHidden } from "./hidden_markov.ts";
import type { Arrival } from "./series.ts";

export interface LossSummary {
  readonly packets: number;
  readonly lost: number;
  /** Share lost; the interval reckons with bursts. */
  readonly loss: Estimate;
  /** Packets lost in a row, in the mean; `null`: none was lost. */
  readonly burstLength: Estimate | null;
  readonly longestBurst: number;
  /** Lengths of bursts with their numbers, ascending. */
  readonly bursts: ReadonlyArray<readonly [length: number, count: number]>;
  readonly model: LossModel;
  /** The worst model within the intervals: more loss, longer bursts. */
  readonly worstModel: LossModel;
}

/** Fewer losses than these tell nothing of how they cluster beyond what the intervals say. */
const lostMinForHidden = 30;

interface Counts {
  packets: number;
  lost: number;
  /** Pairs of neighbours: [was lost][is lost]. */
  readonly pairs: [[number, number], [number, number]];
  readonly runs: Map<number, number>;
}

export function summarizeLoss(arrivals: readonly Arrival[], intervalMs: number): LossSummary {
  const counts = count(arrivals);
  const { packets, lost, pairs, runs } = counts;
  const afterLost = pairs[1][0] + pairs[1][1];
  const afterFound = pairs[0][0] + pairs[0][1];
  const toBad = afterFound === 0 ? 0 : pairs[0][1] / afterFound;
  const toGood = afterLost === 0 ? 1 : pairs[1][0] / afterLost;
  const loss = wilson(lost, packets, effectiveTrials(packets, 1 - toBad - toGood));
  const endings = wilson(pairs[1][0], afterLost);
  const burstLength = lost === 0 ? null : afterLost === 0 ? { value: 1, low: 1, high: Infinity } : {
    value: pairs[1][0] === 0 ? Infinity : 1 / endings.value,
    low: 1 / endings.high,
    high: endings.low === 0 ? Infinity : 1 / endings.low,
  };
  const model = bestModel(arrivals, counts, toBad, toGood, intervalMs);
  return {
    packets,
    lost,
    loss,
    burstLength,
    longestBurst: Math.max(0, ...runs.keys()),
    bursts: [...runs].sort(([a], [b]) => a - b),
    model,
    worstModel: worstOf(model, loss, burstLength, lost, intervalMs),
  };
}

function count(arrivals: readonly Arrival[]): Counts {
  const counts: Counts = { packets: 0, lost: 0, pairs: [[0, 0], [0, 0]], runs: new Map() };
  let previous: Arrival = null;
  let run = 0;
  const endRun = () => {
    if (run > 0) counts.runs.set(run, (counts.runs.get(run) ?? 0) + 1);
    run = 0;
  };
  for (const arrival of arrivals) {
    if (arrival !== null) {
      counts.packets++;
      if (!arrival) counts.lost++;
      if (previous !== null) counts.pairs[previous ? 0 : 1][arrival ? 0 : 1]++;
    }
    if (arrival === false) run++;
    else endRun();
    previous = arrival;
  }
  endRun();
  return counts;
}

function bestModel(
  arrivals: readonly Arrival[],
  { packets, lost, pairs }: Counts,
  toBad: number,
  toGood: number,
  intervalMs: number,
): LossModel {
  const share = packets === 0 ? 0 : lost / packets;
  const independent = independentLoss(share, intervalMs);
  if (lost < 2 || lost === packets) return independent;
  const term = (times: number, p: number) => times === 0 ? 0 : times * Math.log(p);
  const penalty = (parameters: number) => parameters * Math.log(packets);
  const candidates: { model: LossModel; criterion: number }[] = [{
    model: independent,
    criterion: penalty(1) - 2 * (term(lost, share) + term(packets - lost, 1 - share)),
  }, {
    model: { ...burstLoss(share, 1, intervalMs), toBad, toGood },
    criterion: penalty(2) - 2 * (term(pairs[0][1], toBad) + term(pairs[0][0], 1 - toBad) +
          term(pairs[1][0], toGood) + term(pairs[1][1], 1 - toGood)),
  }];
  if (lost >= lostMinForHidden) {
    const fitted = fitHidden(arrivals, { toBad, toGood }, intervalMs);
    candidates.push({ model: fitted.model, criterion: penalty(4) - 2 * fitted.logLikelihood });
  }
  return candidates.reduce((best, each) => each.criterion < best.criterion ? each : best).model;
}

/** Upper end of the loss and, where bursts were seen or cannot be excluded, of their length. */
function worstOf(
  model: LossModel,
  loss: Estimate,
  burstLength: Estimate | null,
  lost: number,
  intervalMs: number,
): LossModel {
  const share = Math.min(0.999, loss.high);
  // One loss by chance says nothing of bursts; no loss at all says that they are rare.
  if (lost < 2 || burstLength === null) return independentLoss(share, intervalMs);
  if (model.kind === "gilbert-elliott") {
    const scale = share / Math.max(meanLoss(model), 1e-12);
    const stay = burstLength.high === Infinity ? 1 : burstLength.high / burstLength.value;
    return {
      ...model,
      toBad: Math.min(1, model.toBad * scale),
      toGood: model.toGood / Math.max(1, stay),
      lossGood: Math.min(1, model.lossGood * scale),
    };
  }
  if (model.kind === "independent") return independentLoss(share, intervalMs);
  return burstLoss(share, Math.min(burstLength.high, 1e6), intervalMs);
}
