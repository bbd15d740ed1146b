/**
 * `deno task test`: everything that can be checked, in one command, on a machine that has only Node and npm.
 *
 * Steps run in order and none is left out because an earlier one failed, unless it cannot run without it. The run
 * ends with a table and exactly one line `N passed, N failed, N skipped`; it exits with 1 when anything failed.
 * `--quick` (`deno task ok`) leaves out the binary and the end-to-end tests.
 *
 * Children run in the Deno that runs this file: on a fresh machine there is none on the PATH.
 */

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { addCounts, type Counts, countsOfRun, hasPassingSummary, NO_COUNTS } from "./testing/counts.ts";
import { endAllCommands, runCommand } from "./testing/command.ts";
import { ensurePackages } from "./testing/packages.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const MINUTE_MS = 60_000;
const CODE_FOLDERS = ["cli", "lib", "scripts", "tests"];
/** Formatted beside the code. */
const PROSE = ["README.md", "docs", "deno.json"];

interface StepResult {
  readonly title: string;
  readonly verdict: "ok" | "FAILED" | "skipped";
  readonly durationMs: number;
  /** `null`: not a step that runs tests. */
  readonly counts: Counts | null;
}

const results: StepResult[] = [];
const quick = process.argv.includes("--quick");

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function begin(title: string): void {
  say(`\n=== ${title}`);
}

function record(title: string, ok: boolean, durationMs: number, counts: Counts | null = null): boolean {
  results.push({ title, verdict: ok ? "ok" : "FAILED", durationMs, counts });
  say(`--- ${title}: ${ok ? "ok" : "FAILED"} (${(durationMs / 1000).toFixed(1)} s)`);
  return ok;
}

function skip(title: string, reason: string): void {
  begin(title);
  say(`SKIPPED: ${reason}`);
  results.push({ title, verdict: "skipped", durationMs: 0, counts: null });
}

/**
 * Deno 2.9.6 now and then crashes while it ends, in a thread of its own, when all work is done (seen without any code
 * of ours that could cause it). That must not pass for a failure of ours, nor silently for a success.
 */
const CRASH = "SIGSEGV";
const CRASH_NOTE = `Deno itself crashed (${CRASH}) while it ended`;

/** One run of this Deno; its output is shown when it failed. After a crash of Deno it is run once more. */
async function denoStep(title: string, args: readonly string[], limitMs = 5 * MINUTE_MS): Promise<boolean> {
  begin(title);
  let result = await runCommand(process.execPath, args, { cwd: ROOT, limitMs });
  if (result.signal === CRASH) {
    say(`${CRASH_NOTE}: running the step again`);
    result = await runCommand(process.execPath, args, { cwd: ROOT, limitMs });
  }
  if (result.code !== 0) say(result.output);
  return record(title, result.code === 0, result.durationMs);
}

/** One run of `deno test`, shown while it runs. Without any test file the step is skipped, not passed. */
async function testStep(
  title: string,
  files: readonly string[],
  options: { parallel?: boolean; env?: Record<string, string>; limitMs: number },
): Promise<void> {
  if (files.length === 0) return skip(title, "there are no test files");
  begin(title);
  const parallel = options.parallel ? ["--parallel"] : [];
  const result = await runCommand(
    process.execPath,
    ["test", "--allow-all", "--no-check", ...parallel, ...files],
    { cwd: ROOT, stream: true, limitMs: options.limitMs, ...(options.env ? { env: options.env } : {}) },
  );
  if (result.timedOut) say(result.output.split("\n").slice(-2).join("\n"));
  const hasCrashedAtEnd = result.signal === CRASH && hasPassingSummary(result.output);
  if (hasCrashedAtEnd) say(`${CRASH_NOTE}, after it had reported that all tests passed`);
  const code = hasCrashedAtEnd ? 0 : result.code;
  const counts = countsOfRun(result.output, code);
  record(title, code === 0 && counts.failed === 0, result.durationMs, counts);
}

/** Folders of tests that work with sockets, processes and namespaces, and measure time: one after the other. */
const SERIAL = /^tests\/(arbiters|fencing|media|resources|runtime|system)\//;
const LAB = /^tests\/scripts\/(lab|demo)_/;
const END_TO_END = /^tests\/(e2e|interop)\//;

/** Test files, relative to the root, by the step that runs them. */
function testFiles(): Record<"parallel" | "serial" | "lab" | "endToEnd", string[]> {
  const all = readdirSync(join(ROOT, "tests"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith("_test.ts") && !name.startsWith("fixtures/"))
    .map((name) => `tests/${name}`)
    .sort();
  return {
    parallel: all.filter((name) => ![SERIAL, LAB, END_TO_END].some((folder) => folder.test(name))),
    serial: all.filter((name) => SERIAL.test(name)),
    lab: all.filter((name) => LAB.test(name)),
    endToEnd: all.filter((name) => END_TO_END.test(name)),
  };
}

async function main(): Promise<boolean> {
  begin("Debian packages");
  await ensurePackages(say);
  await denoStep("npm packages (deno install)", ["install"], 10 * MINUTE_MS);
  const formatted = [...CODE_FOLDERS, ...PROSE].filter((name) => existsSync(join(ROOT, name)));
  await denoStep("format (deno fmt --check)", ["fmt", "--check", ...formatted]);
  await denoStep("lint (deno lint)", ["lint", ...CODE_FOLDERS]);
  await denoStep("types (deno check)", ["check", ...CODE_FOLDERS]);

  const files = testFiles();
  await testStep("unit, property and conformance tests", files.parallel, {
    parallel: true,
    limitMs: 10 * MINUTE_MS,
  });
  await testStep("tests that talk to the kernel", files.serial, { limitMs: 10 * MINUTE_MS });
  if (!quick) {
    await testStep("the laboratory itself", files.lab, { limitMs: 5 * MINUTE_MS });
    const compiled = await denoStep("compile dist/heartline", ["run", "--allow-all", "scripts/compile.ts"]);
    for (const target of ["source", "binary"]) {
      const title = `end to end, ${target}`;
      if (target === "binary" && !compiled) skip(title, "dist/heartline could not be built");
      else {await testStep(title, files.endToEnd, {
          env: { HEARTLINE_E2E_TARGET: target },
          limitMs: 30 * MINUTE_MS,
        });}
    }
  }
  return summary();
}

/** The closing table and line. A failed step without tests (format, lint…) counts as one failure. */
function summary(): boolean {
  const total = results.reduce((sum, { counts, verdict }) => {
    const own = counts ?? (verdict === "FAILED" ? { ...NO_COUNTS, failed: 1 } : NO_COUNTS);
    return addCounts(sum, own);
  }, NO_COUNTS);
  const width = Math.max(...results.map(({ title }) => title.length));
  say("");
  for (const { title, verdict, durationMs, counts } of results) {
    const tests = counts
      ? `  ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`
      : "";
    say(
      `${title.padEnd(width)}  ${verdict.padEnd(7)} ${(durationMs / 1000).toFixed(1).padStart(7)} s${tests}`,
    );
  }
  say("");
  say(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  return total.failed === 0;
}

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  process.once(signal, () => {
    endAllCommands();
    process.exit(code);
  });
}
process.exit(await main() ? 0 : 1);
