/**
 * Makes a plan that breaks a promise as small as it can: fewer disturbances, then fewer faults, then rounder times, by
 * delta debugging (Zeller and Hildebrandt, 2002). A smaller plan counts only if it breaks the very same promise.
 *
 * In the regime `gentle` a cut without its repair is no gentle fault: there disturbances are only taken out whole.
 */

import type { Promised } from "../simulation.ts";
import { type Exploration, runPlan } from "./explore.ts";
import type { DrawnFault, Plan } from "./plan.ts";

/** Runs that shrinking may take. Lower: more faults than needed are left. Higher: the operator waits. */
const triesMax = 600;

/** Times are made multiples of the first of these that keeps the violation. */
const gridsMs = [1_000, 500, 100, 50, 10, 1];

/** The smallest plan that was found, run. `found` broke a promise. */
export function shrink(found: Exploration): Exploration {
  return new Shrinking(found).run();
}

class Shrinking {
  readonly #broken: Promised;
  #best: Exploration;
  #tries = 0;

  constructor(found: Exploration) {
    this.#best = found;
    this.#broken = found.simulation.broken!;
  }

  run(): Exploration {
    const brokeAtMs = this.#best.simulation.nowMs;
    this.#try(this.#best.plan.faults.filter(({ atMs }) => atMs <= brokeAtMs));
    this.#reduce((fault) => fault.disturbance);
    if (this.#best.plan.regime !== "gentle") this.#reduce((fault) => fault);
    this.#startTogether();
    this.#roundTimes();
    return this.#best;
  }

  /** Leaves out ever smaller parts, as long as the rest still breaks the promise. */
  #reduce(unitOf: (fault: DrawnFault) => unknown): void {
    let parts = 2;
    while (true) {
      const { faults } = this.#best.plan;
      const units = [...new Set(faults.map(unitOf))];
      if (units.length === 0) return;
      parts = Math.min(parts, units.length);
      const size = Math.ceil(units.length / parts);
      let isReduced = false;
      for (let from = 0; from < units.length && !isReduced; from += size) {
        const leftOut = new Set(units.slice(from, from + size));
        isReduced = this.#try(faults.filter((fault) => !leftOut.has(unitOf(fault))));
      }
      if (isReduced) parts = Math.max(2, parts - 1);
      else if (parts === units.length) return;
      else parts *= 2;
    }
  }

  #startTogether(): void {
    const { plan } = this.#best;
    if (Object.values(plan.startAtMs).some((atMs) => atMs !== 0)) this.#tryPlan({ ...plan, startAtMs: {} });
  }

  #roundTimes(): void {
    for (let index = 0; index < this.#best.plan.faults.length; index++) {
      gridsMs.find((gridMs) => {
        const { faults } = this.#best.plan;
        const fault = faults[index]!;
        const atMs = Math.round(fault.atMs / gridMs) * gridMs;
        return atMs === fault.atMs || this.#try(faults.with(index, { ...fault, atMs }));
      });
    }
  }

  /** Runs the plan with these faults; whether it breaks the same promise, and so is the best now. */
  #try(faults: readonly DrawnFault[]): boolean {
    if (
      faults.length === this.#best.plan.faults.length &&
      faults.every((f, i) => f === this.#best.plan.faults[i])
    ) {
      return false;
    }
    return this.#tryPlan({ ...this.#best.plan, faults });
  }

  #tryPlan(plan: Plan): boolean {
    if (++this.#tries > triesMax) return false;
    const exploration = runPlan(plan);
    if (exploration.simulation.broken !== this.#broken) return false;
    this.#best = exploration;
    return true;
  }
}
