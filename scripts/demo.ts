/**
 * `deno task demo`: two real peers, a client, and what can go wrong, in under a minute. Plays the scenarios in order,
 * tells what happens while it happens, and ends with a table, a verdict and one line of JSON.
 *
 * Exit codes: 0 all went as expected, 1 not, 2 usage, 69 the machine lacks something, 128 and the number of the
 * signal that ended it. Leaves nothing behind in any of these cases.
 */

import { existsSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { EnvironmentError } from "../lib/errors.ts";
import {
  isAsExpected,
  renderJson,
  renderResult,
  renderTable,
  renderVerdict,
  type Run,
} from "./demo/closing.ts";
import { buildLabStage } from "./demo/lab_stage.ts";
import { buildLoopbackStage } from "./demo/loopback_stage.ts";
import { Narrator } from "./demo/narrator.ts";
import { play, type Result } from "./demo/play.ts";
import { scenarios } from "./demo/scenarios.ts";
import { Screen } from "./demo/screen.ts";
import { deadTimeMs, keepaliveMs, NODES, type Stage } from "./demo/stage.ts";
import { NodeWatch } from "./demo/watch.ts";
import type { Target } from "./lab/daemon.ts";
import { Lab } from "./lab/lab.ts";
import { tryRun } from "./lab/run.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const USAGE = `Usage: deno task demo [--loopback] [--binary]

  --loopback  the variant without root: 127.0.0.1 and 127.0.0.2, no address, no cables
  --binary    run dist/heartline instead of the source
`;

/** Preparing may download packages on the first run. */
const PREPARE_LIMIT_MS = 300_000;

let interrupted = false;

async function main(args: readonly string[]): Promise<number> {
  const unknown = args.filter((arg) => !["--loopback", "--binary", "--help", "-h"].includes(arg));
  if (unknown.length > 0) {
    process.stderr.write(`Cannot run the demo with "${unknown.join(" ")}": no such option\n\n${USAGE}`);
    return 2;
  }
  if (args.includes("--help") || args.includes("-h")) {
    process.stdout.write(USAGE);
    return 0;
  }
  const target: Target = args.includes("--binary") ? "binary" : "source";
  const screen = await Screen.open();
  screen.print(screen.paint.strong("HEARTLINE DEMO  two peers, one service, and what can go wrong"), "");
  await prepare(target);
  const stage = await build(target, args.includes("--loopback"), screen);
  try {
    const run = await perform(stage, screen);
    screen.print("", screen.paint.strong("── closing table"), ...renderTable(run, screen.paint));
    screen.print(...renderVerdict(run, screen.paint), "");
    await destroy(stage);
    screen.print(renderJson(run));
    return isAsExpected(run) ? 0 : 1;
  } finally {
    await destroy(stage);
    await screen.close();
  }
}

/** Compiles what the daemons need beforehand, so that their start is not measured with it. */
async function prepare(target: Target): Promise<void> {
  if (target === "binary") {
    if (existsSync(`${ROOT}dist/heartline`)) return;
    throw new EnvironmentError('Cannot use "dist/heartline": it does not exist; run "deno task compile"');
  }
  const args = ["cache", "--quiet", "--no-check", `${ROOT}cli/main.ts`];
  const ended = await tryRun(process.execPath, args, { limitMs: PREPARE_LIMIT_MS });
  if (ended.code !== 0) throw new EnvironmentError(`Cannot prepare the sources: ${ended.stderr.trim()}`);
}

/** In namespaces if that is possible, on loopback otherwise; says which and why. */
async function build(target: Target, wantsLoopback: boolean, screen: Screen): Promise<Stage> {
  let reason = wantsLoopback ? "as you asked for" : await Lab.unavailable();
  let stage: Stage | null = null;
  if (reason === null) {
    try {
      stage = await buildLabStage(target);
    } catch (error) {
      await leaveIfInterrupted();
      reason = (error as Error).message;
    }
  }
  stage ??= await buildLoopbackStage(target);
  await leaveIfInterrupted();
  if (reason !== null) screen.print(`On loopback: ${reason}.`, "");
  screen.print(...stage.introduction);
  screen.print(`Both nodes: keepalive ${keepaliveMs} ms, deadtime ${deadTimeMs} ms.`);
  return stage;
}

async function perform(stage: Stage, screen: Screen): Promise<Run> {
  const watches = new Map(NODES.map((node) => [node as string, new NodeWatch(stage.socketPath(node))]));
  const narrator = new Narrator(screen, stage, watches);
  const results: Result[] = [];
  const skipped: Array<Run["skipped"][number]> = [];
  try {
    for (const [index, scenario] of scenarios.entries()) {
      const stuck = results.find(({ isStuck }) => isStuck);
      const reason = stuck
        ? `"${stuck.scenario.title}" did not come to its end`
        : scenario.unavailable(stage);
      const { name, title, does, expects } = scenario;
      if (reason !== null) {
        skipped.push({ name, title, reason });
        continue;
      }
      narrator.begin(index + 1, title, does, expects);
      const result = await play(scenario, stage, watches, narrator);
      results.push(result);
      screen.print(...renderResult(result, screen.paint));
    }
    return { mode: stage.mode, results, skipped };
  } finally {
    narrator.stop();
    await Promise.all([...watches.values()].map((watch) => watch.stop()));
  }
}

/** After a signal the stage's own handler takes everything away and ends the process: nobody else may. */
async function destroy(stage: Stage): Promise<void> {
  await leaveIfInterrupted();
  await stage.destroy();
}

async function leaveIfInterrupted(): Promise<void> {
  if (!interrupted) return;
  await new Promise((resolve) => setTimeout(resolve, 30_000));
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    if (!interrupted) process.stderr.write(`\n${signal}: taking everything away\n`);
    interrupted = true;
  });
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  async (error) => {
    await leaveIfInterrupted();
    process.stderr.write(`${(error as Error).message}\n`);
    process.exit(error instanceof EnvironmentError ? error.exitCode : 70);
  },
);
