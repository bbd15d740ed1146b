/** Reads a configuration as each of its nodes does, for a simulation; what is wrong is printed, all at once. */

import { Chalk } from "chalk";
import process from "node:process";
import { resolve } from "node:path";
import { UsageError } from "../../../lib/errors.ts";
import { isError, type Problem } from "../../../lib/config/problem.ts";
import type { Source } from "../../../lib/config/load.ts";
import type { Settings } from "../../../lib/core/settings.ts";
import { readForSimulation } from "../../../lib/runtime/load_settings.ts";
import type { Cluster } from "../../../lib/sim/cluster.ts";
import { countsOf, renderProblems } from "../../render/problems.ts";

/** Throws a `UsageError` with exit code 78 when the files have errors, which are printed first. */
export async function loadCluster(path: string): Promise<Cluster> {
  const config = await readForSimulation(resolve(path));
  const common = config.judge(null);
  const settingsOf = new Map<string, Settings>();
  const errors: Problem[] = common.problems.filter(isError);
  const sources: Source[] = [...common.sources];
  for (const node of common.settings?.nodes ?? []) {
    const { settings, problems } = config.judge(node);
    if (settings !== null) settingsOf.set(node, settings);
    errors.push(...problems.filter(isError).filter((found) => !errors.some((known) => isSame(known, found))));
  }
  const [settings] = settingsOf.values();
  if (errors.length === 0 && settings !== undefined) return { settings, settingsOf };
  const chalk = new Chalk(process.stderr.isTTY && !process.env.NO_COLOR ? {} : { level: 0 });
  process.stderr.write(renderProblems(errors, sources, chalk));
  throw new UsageError([`Cannot simulate "${path}": ${countsOf(errors)}; they stand above`], 78);
}

/** Refuses a cluster in which nothing can be fought over. */
export function requireRivals({ settings: { nodes, groups } }: Cluster, path: string): void {
  const lacks = nodes.length < 2 ? "only one node" : groups.length === 0 ? "no group" : null;
  if (lacks === null) return;
  throw new UsageError([
    `Cannot look for faults in "${path}": it has ${lacks}; it takes two nodes and a group that they could both hold`,
  ]);
}

function isSame(one: Problem, other: Problem): boolean {
  return one.file === other.file && one.line === other.line && one.message === other.message;
}
