/** What `heartline probe --json` prints. Infinity, which JSON has not, is `null`: no bound, or never. */

import type { LossSummary } from "../../../lib/measure/bursts.ts";
import { histogram } from "../../../lib/measure/delay.ts";
import type { PathResult, ProbeResult } from "../../commands/probe/result.ts";

/** Raised when a field changes its meaning or goes away; new fields do not raise it. */
export const probeSchema = 1;

const binsMax = 40;

export function probeJson(result: ProbeResult) {
  const { paths, ...rest } = result;
  return { schema: probeSchema, confidence: 0.95, ...rest, paths: paths.map(pathJson) };
}

function pathJson({ report, ...path }: PathResult) {
  const { outcome, roundTrip, outward, homeward, ...rest } = report;
  return {
    ...path,
    ...rest,
    roundTrip: lossJson(roundTrip),
    outward: outward === null ? null : lossJson(outward),
    homeward: homeward === null ? null : lossJson(homeward),
    histogram: histogram(outcome.roundTripsMs, binsMax),
  };
}

function lossJson({ bursts, ...loss }: LossSummary) {
  return { ...loss, bursts: bursts.map(([length, count]) => ({ length, count })) };
}
