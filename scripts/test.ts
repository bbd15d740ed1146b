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
import { availableParallelism } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import {
  addCounts,
  type Counts,
  countsOfRun,
  failuresOf,
  hasPassingSummary,
  NO_COUNTS,
} from "./testing/counts.ts";
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
  /** What failed and how, in a few lines; empty: nothing, or it is not known. */
  readonly failures: string;
}

/** Characters of a step's failures that are repeated at the end. */
const FAILURES_SHOWN = 3_000;

const results: StepResult[] = [];
const quick = process.argv.includes("--quick");

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function begin(title: string): void {
  say(`\n=== ${title}`);
}

function record(
  title: string,
  ok: boolean,
  durationMs: number,
  counts: Counts | null = null,
  failures = "",
): boolean {
  results.push({ title, verdict: ok ? "ok" : "FAILED", durationMs, counts, failures });
  say(`--- ${title}: ${ok ? "ok" : "FAILED"} (${(durationMs / 1000).toFixed(1)} s)`);
  return ok;
}

function skip(title: string, reason: string): void {
  begin(title);
  say(`SKIPPED: ${reason}`);
  results.push({ title, verdict: "skipped", durationMs: 0, counts: null, failures: "" });
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

interface TestOptions {
  /** Files at a time, as threads of one process. */
  readonly jobs: number;
  /** Processes that share the files. The output of more than one is shown when they have ended. */
  readonly processes?: number;
  readonly env?: Record<string, string>;
  readonly limitMs: number;
}

/** Runs of `deno test`. Without any test file the step is skipped, not passed. */
async function testStep(title: string, files: readonly string[], options: TestOptions): Promise<void> {
  if (files.length === 0) return skip(title, "there are no test files");
  begin(title);
  const { processes = 1 } = options;
  const shares = Array.from(
    { length: Math.min(processes, files.length) },
    (_, share) => files.filter((_, index) => index % processes === share),
  );
  const runs = await Promise.all(shares.map((share) => testRun(share, options, shares.length === 1)));
  const counts = runs.reduce((sum, run) => addCounts(sum, run.counts), NO_COUNTS);
  const isGood = runs.every(({ code }) => code === 0) && counts.failed === 0;
  const durationMs = Math.max(...runs.map((run) => run.durationMs));
  record(title, isGood, durationMs, counts, runs.map(({ failures }) => failures).join("\n"));
}

async function testRun(
  files: readonly string[],
  { jobs, env = {}, limitMs }: TestOptions,
  stream: boolean,
): Promise<{ code: number | null; counts: Counts; durationMs: number; failures: string }> {
  const parallel = jobs > 1 ? ["--parallel"] : [];
  const result = await runCommand(
    process.execPath,
    ["test", "--allow-all", "--no-check", ...parallel, ...files],
    { cwd: ROOT, stream, limitMs, env: { ...env, DENO_JOBS: `${jobs}` } },
  );
  if (!stream) say(result.output);
  else if (result.timedOut) say(result.output.split("\n").slice(-2).join("\n"));
  const hasCrashedAtEnd = result.signal === CRASH && hasPassingSummary(result.output);
  if (hasCrashedAtEnd) say(`${CRASH_NOTE}, after it had reported that all tests passed`);
  const code = hasCrashedAtEnd ? 0 : result.code;
  const { output, durationMs } = result;
  return { code, counts: countsOfRun(output, code), durationMs, failures: failuresOf(output) };
}

/**
 * Tests that work with sockets, processes and namespaces, and measure time: in processes of their own, whose
 * environment, priority and namespaces no other test changes, and in each one after the other.
 */
const SERIAL = [
  /^tests\/(arbiters|fencing|media|resources|runtime|system)\//,
  /^tests\/drill\/(surroundings|ignored)_/,
];
/** Tests between machines of their own network namespaces: they wait most of the time, for timers of daemons. */
const END_TO_END = [
  /^tests\/(e2e|probe)\//,
  /^tests\/scripts\/(lab|demo)_/,
  /^tests\/checks\/(detect|loss)_/,
  /^tests\/drill\/(fifty|packets)_/,
];
/**
 * Alone on the machine. With daemons at realtime priority: while such a daemon is busy, the kernel gives everything
 * else a twentieth of each second, and daemons of another laboratory would rightly notice that they stood still. And
 * the demo, whose deadtime is a second.
 */
const ALONE = [/^tests\/e2e\/(deaths|intruders)_/, /^tests\/scripts\/demo_test/];
/** Beside real Heartbeat daemons, which take ten seconds to start. */
const INTEROP = [/^tests\/interop\//];
/**
 * Files of them at a time. Lower: the run takes longer. Higher: the daemons starve each other on two cores, and what
 * they rightly do then fails the tests.
 */
const LABS = 2;

/** Test files, relative to the root, by the step that runs them. */
function testFiles(): Record<"parallel" | "serial" | "alone" | "endToEnd" | "interop", string[]> {
  const all = readdirSync(join(ROOT, "tests"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith("_test.ts") && !name.startsWith("fixtures/"))
    .map((name) => `tests/${name}`)
    .sort();
  const isIn = (folders: readonly RegExp[]) => (name: string) => folders.some((each) => each.test(name));
  return {
    parallel: all.filter((name) => !isIn([...SERIAL, ...END_TO_END, ...INTEROP])(name)),
    serial: all.filter(isIn(SERIAL)),
    alone: all.filter(isIn(ALONE)),
    endToEnd: all.filter((name) => isIn(END_TO_END)(name) && !isIn(ALONE)(name)),
    interop: all.filter(isIn(INTEROP)),
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
    jobs: availableParallelism(),
    limitMs: 10 * MINUTE_MS,
  });
  await testStep("tests that talk to the kernel", files.serial, {
    jobs: 1,
    processes: 2,
    limitMs: 10 * MINUTE_MS,
  });
  if (!quick) {
    const compiled = await denoStep("compile dist/heartline", ["run", "--allow-all", "scripts/compile.ts"]);
    if (!compiled) skip("end to end, binary", "dist/heartline could not be built");
    const env = { HEARTLINE_E2E_TARGET: compiled ? "both" : "source" };
    await testStep("end to end, alone on the machine", files.alone, {
      jobs: 1,
      env,
      limitMs: 10 * MINUTE_MS,
    });
    await testStep("end to end", files.endToEnd, { jobs: LABS, env, limitMs: 30 * MINUTE_MS });
    await testStep("beside real Heartbeat daemons", files.interop, {
      jobs: LABS,
      env,
      limitMs: 15 * MINUTE_MS,
    });
  }
  return summary();
}

/** What failed, then the closing table and line. A failed step without tests (format, lint…) counts as one failure. */
function summary(): boolean {
  for (const { title, failures } of results) {
    if (failures.trim() === "") continue;
    say(`\n=== failed in: ${title}`);
    say(failures.length > FAILURES_SHOWN ? `${failures.slice(0, FAILURES_SHOWN)}\n… (more above)` : failures);
  }
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
