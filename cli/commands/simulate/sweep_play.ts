/** Measures all cells of a sweep on all cores, and shows them as a table, as JSON and as a picture. */

import process from "node:process";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { UsageError } from "../../../lib/errors.ts";
import { cellsMax, cellsOf, type Parameter } from "../../../lib/sim/sweep/parameters.ts";
import type { CellFigures } from "../../../lib/sim/sweep/sweep.ts";
import { monotonicMs } from "../../../lib/system/clock.ts";
import { printJson } from "../../control.ts";
import { requireWritable, writeOutput } from "../../output_file.ts";
import { paintFor } from "../../render/paint.ts";
import { Progress } from "../../render/progress.ts";
import { renderSweep, type Sweep, sweepAsJson } from "../../render/simulation/sweep.ts";
import { loadCluster } from "./cluster.ts";
import type { SweepJob } from "./jobs.ts";
import { runJobs } from "./pool.ts";

export interface SweepPlayOptions {
  readonly param: readonly Parameter[];
  readonly heartbeats: number;
  readonly seed: number;
  readonly jobs?: number | undefined;
  readonly svg?: string | undefined;
  readonly json?: true | undefined;
}

/** 0 all was measured, 1 not all was. */
export async function sweepPlay(path: string, options: SweepPlayOptions): Promise<0 | 1> {
  const config = resolve(path);
  await loadCluster(config);
  const { param: parameters, heartbeats, seed } = options;
  const cells = cellsOf(parameters);
  if (cells.length > cellsMax) {
    const hint = `at most ${cellsMax}; give a parameter fewer values, as in deadtime=1s..10s:4`;
    throw new UsageError([`Cannot sweep: the parameters make ${cells.length} combinations; ${hint}`]);
  }
  await requireWritable(options.svg);
  const jobs = cells.map((cell): SweepJob => ({ kind: "sweep", config, cell, seed, heartbeats }));
  const figures = new Map<SweepJob, CellFigures>();
  const progress = new Progress(process.stderr, cells.length, "combinations");
  const startedMs = monotonicMs();
  let interruption: string | null;
  try {
    interruption = await runJobs(jobs, (outcome, job) => {
      figures.set(job, outcome);
      progress.show(figures.size, monotonicMs() - startedMs);
      return true;
    }, Math.min(options.jobs ?? availableParallelism(), cells.length));
  } finally {
    progress.end();
  }
  const sweep: Sweep = {
    config: path,
    parameters,
    heartbeats,
    seed,
    combinations: jobs.length,
    interruption,
    cells: jobs.map((job) => figures.get(job)).filter((each) => each !== undefined),
  };
  const exitCode = sweep.cells.length === sweep.combinations ? 0 : 1;
  if (options.svg !== undefined) {
    const { drawCurves } = await import("../../render/svg/curve.ts");
    const { curvesOf } = await import("../../render/simulation/sweep_curves.ts");
    await writeOutput(options.svg, drawCurves(curvesOf(sweep)).svg);
  }
  if (options.json) {
    printJson(sweepAsJson(sweep));
    return exitCode;
  }
  const paint = await paintFor(process.stdout);
  process.stdout.write(renderSweep(sweep, paint).join("\n") + "\n");
  return exitCode;
}
