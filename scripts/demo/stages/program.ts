/**
 * Which `heartline` the demo runs: the sources under this Deno, or dist/heartline. Everything that it needs is fetched
 * and compiled beforehand, because the nodes have no way out to any registry, and so that no start is measured with it.
 */

import { existsSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { EnvironmentError } from "../../../lib/errors.ts";
import { heartline, type Target } from "../../lab/daemon.ts";
import { tryRun } from "../../lab/run.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
/** The second is loaded by name only, by the laboratory's observing threads. */
const ENTRIES = ["cli/main.ts", "scripts/lab/observer_worker.ts"];
/** The first run may download packages. */
const PREPARE_LIMIT_MS = 300_000;

export async function prepareProgram(target: Target): Promise<void> {
  if (target === "binary") {
    if (existsSync(`${ROOT}dist/heartline`)) return;
    throw new EnvironmentError('Cannot use "dist/heartline": it does not exist; run "deno task compile"');
  }
  const args = ["cache", "--quiet", "--no-check", ...ENTRIES.map((entry) => `${ROOT}${entry}`)];
  const { code, stderr } = await tryRun(process.execPath, args, { limitMs: PREPARE_LIMIT_MS });
  if (code !== 0) throw new EnvironmentError(`Cannot prepare the sources: ${stderr.trim()}`);
}

/** The command line of `heartline ARGS`. */
export function program(target: Target, args: readonly string[]): readonly [file: string, ...string[]] {
  const [file = "", ...rest] = heartline(target);
  return [file, ...rest, ...args];
}
