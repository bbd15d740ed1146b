/** Finds and reads a scenario with the configurations that it names; what is wrong is printed, all at once. */

import { Chalk } from "chalk";
import process from "node:process";
import { readFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { EnvironmentError, UsageError } from "../../../lib/errors.ts";
import { type ForeignConfig, readForSimulation } from "../../../lib/runtime/load_settings.ts";
import { suggestion } from "../../../lib/config/spelling.ts";
import { library } from "../../../lib/sim/library/library.ts";
import { configsNamed, parseScenario } from "../../../lib/sim/scenario/parse.ts";
import type { Scenario } from "../../../lib/sim/scenario/scenario.ts";
import { countsOf, renderProblems } from "../../render/problems.ts";

/**
 * A name of the library, or a file. A file of the same name goes first only where it is written as a path.
 *
 * Throws a `UsageError` with exit code 78 when the files have errors, which are printed first.
 */
export async function loadScenario(file: string): Promise<Scenario> {
  const text = library.get(file) ?? await read(file);
  const configs = new Map<string, ForeignConfig>();
  for (const path of configsNamed(text)) {
    configs.set(path, await readForSimulation(resolve(dirname(file), path)));
  }
  const name = basename(file).replace(/\.ya?ml$/, "");
  const { scenario, problems, sources } = parseScenario(
    text,
    file,
    name,
    (path, node) => configs.get(path)?.judge(node) ?? null,
  );
  if (problems.length > 0) {
    const chalk = new Chalk(process.stderr.isTTY && !process.env.NO_COLOR ? {} : { level: 0 });
    process.stderr.write(renderProblems(problems, sources, chalk));
  }
  if (scenario === null) {
    throw new UsageError([`Cannot play "${file}": ${countsOf(problems)}; they stand above`], 78);
  }
  return scenario;
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" && !/[./]/.test(file)) {
      const hint = suggestion(file, library.keys());
      throw new UsageError([`there is no scenario "${file}", neither as a file nor in the library: ${hint}`]);
    }
    const reason = code === "ENOENT"
      ? "there is no such file"
      : code === "EISDIR"
      ? "it is a directory"
      : code;
    throw new EnvironmentError(`Cannot read the scenario "${file}": ${reason}; name another file`, 69, {
      cause: error,
    });
  }
}
