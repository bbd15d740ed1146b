/**
 * Plays one scenario and judges it: measures the outage, the overlap and who holds the service in the end, and
 * compares them with what the scenario promises. A scenario that gets stuck is a finding like any other.
 */

import { monotonicMs } from "../../lib/system/clock.ts";
import { between, overlapMs } from "../lab/timeline.ts";
import { Cast, Missed } from "./cast.ts";
import type { Narrator } from "./narrator.ts";
import { type Scenario, steadyMsMax } from "./scenarios.ts";
import { deadTimeMs, NODES, type ServiceWatch, type Stage } from "./stages/stage.ts";
import type { NodeWatch } from "./watch.ts";

export interface Result {
  readonly scenario: Scenario;
  /** As the client saw it; of `start`: until the first answer. */
  readonly outageMs: number;
  /** By so much the outage may be wrong: the longest that the client did not look. */
  readonly uncertaintyMs: number;
  /** `null`: no outage that a dead time could be compared with. */
  readonly ratio: number | null;
  /** Time for which both nodes held the service, and how finely that was looked at. */
  readonly overlapMs: number;
  readonly samplingGapMs: number;
  readonly holder: string | null;
  /** `expected …, saw …`; empty: all as expected. */
  readonly findings: readonly string[];
  /** It was played again, because the machine had stood still for so long; `null`: the first time counts. */
  readonly repeatedAfterStallMs: number | null;
  /** It did not come to its end, so that the next one has nothing to start from. */
  readonly isStuck: boolean;
}

/**
 * The machine stood still for so long that its own stall, not the scenario, may have decided what happened. Too low:
 * a busy machine repeats everything; too high: half a dead time is enough to make a node suspect the other.
 */
export const stallMsMax = 0.25 * deadTimeMs;

export async function play(
  scenario: Scenario,
  stage: Stage,
  watches: ReadonlyMap<string, NodeWatch>,
  narrator: Narrator,
): Promise<Result> {
  const service = stage.watchService();
  try {
    const before = service.holders()[0] ?? null;
    if (before !== null) await untilAnswered(service);
    narrator.watch(service);
    const cast = new Cast(stage, service, watches, narrator, before ?? NODES[0]);
    const findings: string[] = [];
    let figures = measure(service, cast.startedAtMs);
    let isStuck = false;
    try {
      await scenario.strike(cast);
      await cast.rest(AFTERMATH_MS);
      figures = measure(service, cast.startedAtMs);
      findings.push(...judge(scenario, cast, figures), ...scenario.check?.(cast) ?? []);
      if (scenario.recover) {
        const recoveredFromMs = monotonicMs();
        await scenario.recover(cast);
        findings.push(...judgeRecovery(service, recoveredFromMs, figures.holder));
      }
    } catch (error) {
      if (!(error instanceof Missed)) throw error;
      isStuck = true;
      figures = measure(service, cast.startedAtMs);
      findings.push(`expected ${error.message}`);
    }
    const timeline = service.timeline();
    const overlap = overlapMs(timeline);
    if (overlap > 0) findings.push(`expected never two holders, saw two for ${overlap.toFixed(0)} ms`);
    const ratio = scenario.holder === "appears" ? null : figures.outageMs / deadTimeMs;
    return {
      scenario,
      ...figures,
      ratio,
      overlapMs: overlap,
      samplingGapMs: timeline.samplingGapMaxMs,
      findings,
      repeatedAfterStallMs: null,
      isStuck,
    };
  } finally {
    narrator.watch(null);
    service.stop();
  }
}

/** Long enough for a holder that lets go again at once to be seen. */
const AFTERMATH_MS = 300;

/** So that the outage is measured from an answer on; without any it counts from the begin of the scenario. */
async function untilAnswered(service: ServiceWatch): Promise<void> {
  const endMs = monotonicMs() + 5 * AFTERMATH_MS;
  while (service.lastAnswerAtMs === null && monotonicMs() < endMs) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

interface Figures {
  readonly outageMs: number;
  readonly uncertaintyMs: number;
  readonly holder: string | null;
}

function measure(service: ServiceWatch, fromMs: number): Figures {
  const holders = service.holders();
  return {
    outageMs: service.outageMs(fromMs, monotonicMs()),
    uncertaintyMs: service.uncertaintyMs,
    holder: holders.length === 1 ? holders[0] ?? null : null,
  };
}

function judge(scenario: Scenario, cast: Cast, figures: Figures): string[] {
  const findings: string[] = [];
  const wanted = { moves: cast.other, stays: cast.holder, appears: figures.holder }[scenario.holder];
  if (figures.holder === null || figures.holder !== wanted) {
    findings.push(
      `expected ${wanted ?? "one node"} to hold the service, saw ${figures.holder ?? "no single holder"}`,
    );
  }
  if (figures.outageMs - figures.uncertaintyMs > scenario.outageMsMax) {
    findings.push(
      `expected an outage of at most ${scenario.outageMsMax} ms, saw ${figures.outageMs.toFixed(0)} ms`,
    );
  }
  return findings;
}

function judgeRecovery(service: ServiceWatch, fromMs: number, holder: string | null): string[] {
  const findings: string[] = [];
  const toMs = monotonicMs();
  const held = new Set(
    between(service.timeline(), fromMs, toMs).changes.map(nameHolders),
  );
  if (held.size !== 1 || !held.has(holder ?? "nobody")) {
    findings.push(`expected no move while things heal, saw the service held by ${[...held].join(", then ")}`);
  }
  const outageMs = service.outageMs(fromMs, toMs);
  if (outageMs - service.uncertaintyMs > steadyMsMax) {
    findings.push(`expected no outage while things heal, saw ${outageMs.toFixed(0)} ms`);
  }
  return findings;
}

function nameHolders({ holders }: { readonly holders: readonly string[] }): string {
  return holders.join(" and ") || "nobody";
}
