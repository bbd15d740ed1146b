/**
 * What a deadtime costs: how long it takes, in the mean, until a living peer is silent for so long that it is taken
 * for dead, because all heartbeats in a row were lost on all links. Exact for the loss models, by the Markov chain of
 * hidden states and misses in a row. Pure.
 *
 * The frame is that of Chen, Toueg and Aguilera (IEEE Transactions on Computers 51(5), 2002): detection time T_D
 * against mistake recurrence time T_MR. Silence of other origin (a stalled daemon, a switch that restarts) is not in
 * it: that has to be measured for as long as it is rare.
 */

import { atInterval, badShare, type LossModel } from "./loss_model.ts";

export interface Detector {
  readonly keepaliveMs: number;
  readonly deadTimeMs: number;
}

/** More links multiply the states; nobody has more. */
export const linksMax = 6;

/**
 * Heartbeats in a row that must be lost until the peer counts as dead. A later heartbeat is heard in time when it is
 * sent less than a deadtime after the last one heard; `variationMs` is how much longer it may be under way than that.
 */
export function missesUntilDead({ keepaliveMs, deadTimeMs }: Detector, variationMs: number): number {
  const spare = Math.max(0, deadTimeMs - Math.max(0, variationMs));
  return Math.max(0, Math.ceil(spare / keepaliveMs - 1e-9) - 1);
}

/**
 * Mean time between two false alarms of one direction, in milliseconds; Infinity when there is none. The links lose
 * independently of each other; links that do not are one link to this, made of their joint losses.
 */
export function mistakeRecurrenceMs(
  links: readonly LossModel[],
  detector: Detector,
  variationMs: number,
): number {
  const misses = missesUntilDead(detector, variationMs);
  const models = links.slice(0, linksMax).map((model) => atInterval(model, detector.keepaliveMs));
  return stepsUntilRun(models, misses) * detector.keepaliveMs;
}

/**
 * Expected steps until `run` losses in a row on all links, from a heartbeat that was heard. With A the probability of
 * a step that is lost and B of one that is not, a cycle from one heard heartbeat to the next is GB, G = 1 + A + … +
 * A^(run-1), and A^run ends it: solved by elimination without a subtraction (Grassmann, Taksar and Heyman, 1985), so
 * that a probability of 1e-30 keeps its digits beside 1.
 */
function stepsUntilRun(models: readonly LossModel[], run: number): number {
  const { steps, loss, start } = product(models);
  const states = loss.length;
  const lostStep = steps.map((row) => row.map((p, to) => p * loss[to]!));
  const foundStep = steps.map((row) => row.map((p, to) => p * (1 - loss[to]!)));
  // `reach[i][j]` sums A^k; `power` is A^k.
  let power = identity(states);
  const reach = lostStep.map((row) => row.map(() => 0));
  for (let k = 0; k < run; k++) {
    for (let i = 0; i < states; i++) for (let j = 0; j < states; j++) reach[i]![j]! += power[i]![j]!;
    power = multiply(power, lostStep);
  }
  const cycle = multiply(reach, foundStep);
  const time = reach.map(sum);
  const ends = power.map(sum);
  // Where a heartbeat is heard from, the good states are likelier than in the mean.
  const heard = start.map((p, state) => p * (1 - loss[state]!));
  const all = sum(heard);
  if (run === 0 || all === 0) return 0;
  return absorptionTime(cycle, ends, time, heard.map((p) => p / all));
}

/** Mean time to the end of a chain with the steps `cycle`, ending with `ends`, taking `time`, from `start`. */
function absorptionTime(cycle: number[][], ends: number[], time: number[], start: number[]): number {
  // The start is one more state that nothing leads to, number 0.
  const size = ends.length + 1;
  const p = [[0, ...start], ...cycle.map((row) => [0, ...row])];
  const end = [0, ...ends];
  const spent = [0, ...time];
  for (let last = size - 1; last > 0; last--) {
    let out = end[last]!;
    for (let j = 0; j < last; j++) out += p[last]![j]!;
    for (let i = 0; i < last; i++) {
      const into = p[i]![last]!;
      if (into === 0) continue;
      if (out === 0) return Infinity;
      const share = into / out;
      for (let j = 0; j < last; j++) p[i]![j]! += share * p[last]![j]!;
      end[i]! += share * end[last]!;
      spent[i]! += share * spent[last]!;
    }
  }
  return end[0] === 0 ? Infinity : spent[0]! / end[0]!;
}

/** All links together: a state is the state of each; lost is what all of them lose. */
function product(models: readonly LossModel[]) {
  let steps = [[1]];
  let loss = [1];
  let start = [1];
  for (const model of models) {
    const { toBad, toGood, lossGood, lossBad } = model;
    const bad = badShare(model);
    steps = kronecker(steps, [[1 - toBad, toBad], [toGood, 1 - toGood]]);
    loss = loss.flatMap((p) => [p * lossGood, p * lossBad]);
    start = start.flatMap((p) => [p * (1 - bad), p * bad]);
  }
  return { steps, loss, start };
}

function kronecker(a: number[][], b: number[][]): number[][] {
  return a.flatMap((row) => b.map((other) => row.flatMap((x) => other.map((y) => x * y))));
}

function multiply(a: number[][], b: number[][]): number[][] {
  return a.map((row) => b[0]!.map((_, j) => row.reduce((total, x, k) => total + x * b[k]![j]!, 0)));
}

function identity(size: number): number[][] {
  return Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => i === j ? 1 : 0));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, each) => total + each, 0);
}
