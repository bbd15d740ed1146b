/** Plays one scenario and shows what came of it: reads the files, runs, writes to the terminal and to files. */

import process from "node:process";
import { renderSeeds } from "../../render/simulation/seeds.ts";
import { runScenario } from "../../../lib/sim/scenario/run.ts";
import { printJson } from "../../control.ts";
import { requireWritable, writeOutput } from "../../output_file.ts";
import { paintFor } from "../../render/paint.ts";
import { resultAsJson, traceLines } from "../../render/simulation/json.ts";
import { renderResult } from "../../render/simulation/result.ts";
import { loadScenario } from "./load.ts";
import { playSeeds } from "./seeds_play.ts";

export interface PlayOptions {
  readonly seed?: number | undefined;
  readonly seeds?: number | undefined;
  readonly jobs?: number | undefined;
  readonly all?: true | undefined;
  readonly trace?: string | undefined;
  readonly report?: string | undefined;
  readonly svg?: string | undefined;
  readonly json?: true | undefined;
}

/** 0 as expected, 1 not, or not all seeds were played. */
export async function play(name: string, options: PlayOptions): Promise<0 | 1> {
  const scenario = await loadScenario(name);
  const { trace, report, svg } = options;
  await requireWritable(trace, report, svg);
  const keepsPackets = [trace, report, svg].some((file) => file !== undefined);
  const firstSeed = options.seed ?? scenario.seed;
  const many = options.seeds === undefined
    ? null
    : await playSeeds(scenario, firstSeed, options.seeds, options.jobs);
  // Of many runs the one is told that shows what can go wrong.
  const result = runScenario(scenario, { seed: many?.failedSeed ?? firstSeed, keepsPackets });
  if (trace !== undefined) await writeOutput(trace, traceLines(result));
  if (svg !== undefined) {
    const { drawSpaceTime } = await import("../../render/svg/space_time.ts");
    await writeOutput(svg, drawSpaceTime(result).svg);
  }
  if (report !== undefined) {
    const { renderReport } = await import("../../render/simulation/report.ts");
    await writeOutput(report, renderReport(result));
  }
  if (options.json) printJson({ ...resultAsJson(result), ...(many && { seeds: many }) });
  else {
    const paint = await paintFor(process.stdout);
    const lines = renderResult(result, { width: 80, paint, isWhole: options.all === true });
    if (many !== null) lines.push("", ...renderSeeds(many, 80, paint));
    process.stdout.write(lines.join("\n") + "\n");
  }
  const isAllGood = many === null || (many.failed === 0 && many.count === many.wanted);
  return isAllGood && result.judgements.every(({ isMet }) => isMet) ? 0 : 1;
}
