/**
 * `deno task compile`: builds `dist/heartline`, one executable with everything in it, from `cli/main.ts`.
 *
 * Bun's real executable is called directly: the one on `node_modules/.bin` is a launcher that needs Node. The result
 * is put in place by a rename, so that a running or half-built binary is never seen at the final path.
 */

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { EnvironmentError } from "../lib/errors.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const BUN = join(ROOT, "node_modules/bun/bin/bun.exe");
const ENTRY = "cli/main.ts";
const DIST = join(ROOT, "dist");
const RESULT = join(DIST, "heartline");
/** Bun's postinstall script puts the real executable over a small placeholder. */
const REAL_EXECUTABLE_BYTES_MIN = 10_000_000;
const START_SAMPLES = 9;

function isInstalled(): boolean {
  return existsSync(BUN) && statSync(BUN).size >= REAL_EXECUTABLE_BYTES_MIN;
}

function fail(message: string): never {
  throw new EnvironmentError(message);
}

function run(file: string, args: readonly string[], what: string): void {
  const { status, error } = spawnSync(file, [...args], { cwd: ROOT, stdio: "inherit" });
  if (error) fail(`Cannot ${what}: "${file}" does not run: ${error.message}`);
  if (status !== 0) {
    fail(`Cannot ${what}: "${file} ${args[0]}" ended with ${status}; its messages stand above`);
  }
}

/** Median wall time of `dist/heartline --version` in milliseconds, the start of a process included. */
function startTimeMs(): number {
  const times = Array.from({ length: START_SAMPLES }, () => {
    const startedMs = performance.now();
    const { status, stderr } = spawnSync(RESULT, ["--version"], { encoding: "utf8" });
    if (status !== 0) fail(`Cannot start ${RESULT}: "--version" ended with ${status}\n${stderr}`);
    return performance.now() - startedMs;
  });
  return times.sort((a, b) => a - b)[START_SAMPLES >> 1] ?? NaN;
}

function compile(): void {
  if (!existsSync(join(ROOT, ENTRY))) fail(`Cannot compile: ${ENTRY} is missing`);
  if (!isInstalled()) run(process.execPath, ["install"], "install the npm packages");
  if (!isInstalled()) {
    fail(
      `Cannot compile: ${BUN} is not Bun's executable; see that the npm package "bun" may run its scripts ` +
        `("allowScripts" in deno.json) and that this platform is one it supports`,
    );
  }

  mkdirSync(DIST, { recursive: true });
  const draft = join(DIST, `.heartline-${process.pid}`);
  try {
    run(
      BUN,
      [
        "build",
        "--compile",
        "--minify",
        "--bytecode",
        "--splitting",
        "--format=esm",
        ENTRY,
        "--outfile",
        draft,
      ],
      "compile",
    );
    renameSync(draft, RESULT);
  } finally {
    rmSync(draft, { force: true });
    // An interrupted build leaves Bun's own draft behind.
    for (const name of readdirSync(ROOT)) {
      if (name.endsWith(".bun-build")) rmSync(join(ROOT, name), { force: true });
    }
  }
  const sizeMb = (statSync(RESULT).size / 1e6).toFixed(0);
  process.stdout.write(
    `dist/heartline: ${sizeMb} MB, starts in ${startTimeMs().toFixed(1)} ms (median of ${START_SAMPLES})\n`,
  );
}

try {
  compile();
} catch (error) {
  if (!(error instanceof EnvironmentError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
