/**
 * `deno task demo`: two real peers, a client, and what can go wrong, in under a minute. Plays the scenarios in order,
 * tells what happens while it happens, and ends with a table, a verdict and one line of JSON.
 *
 * Exit codes: 0 all went as expected, 1 not, 2 usage, 69 the machine lacks something, 128 and the number of the
 * signal that ended it. Leaves nothing behind in any of these cases.
 */

import process from "node:process";
import { EnvironmentError } from "../lib/errors.ts";
import {
  isAsExpected,
  renderJson,
  renderResult,
  renderTable,
  renderVerdict,
  type Run,
} from "./demo/closing.ts";
import { buildLabStage } from "./demo/stages/lab_stage.ts";
import { buildLoopbackStage } from "./demo/stages/loopback_stage.ts";
import { Narrator } from "./demo/narrator.ts";
import { LEGEND } from "./demo/picture.ts";
import { play, type Result, stallMsMax } from "./demo/play.ts";
import { prepareProgram } from "./demo/stages/program.ts";
import { scenarios } from "./demo/scenarios.ts";
import { Screen } from "./demo/screen.ts";
import { deadTimeMs, keepaliveMs, NODES, type Stage } from "./demo/stages/stage.ts";
import { sweepAtExit } from "./demo/stages/sweep.ts";
import { hang } from "./demo/text.ts";
import { NodeWatch } from "./demo/watch.ts";
import type { Target } from "./lab/daemon.ts";
import { Lab } from "./lab/lab.ts";

const USAGE = `Usage: deno task demo [--loopback] [--binary]

  --loopback  the variant without root: 127.0.0.1 and 127.0.0.2, no address, no cables
  --binary    run dist/heartline instead of the source
`;

/** A stage that could not be taken away in this time never will be. */
const STAGE_LIMIT_MS = 30_000;

/** Exit code that a signal asks for; `null`: none came. */
let interrupted: number | null = null;

async function main(args: readonly string[], screen: Screen): Promise<number> {
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
  screen.print(screen.paint("strong", "HEARTLINE DEMO  two peers, one service, and what can go wrong"), "");
  await prepareProgram(target);
  const stage = await build(target, args.includes("--loopback"), screen);
  let run: Run;
  try {
    run = await perform(stage, screen);
  } finally {
    await leaveIfInterrupted();
    await stage.destroy();
  }
  const { paint } = screen;
  screen.print("", paint("strong", `── the figures ${"─".repeat(65)}`), ...renderTable(run, paint));
  screen.print(...renderVerdict(run, paint), "", renderJson(run));
  await screen.close();
  return isAsExpected(run) ? 0 : 1;
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
  if (reason !== null) screen.print(...hang(`On loopback, without an address and cables: ${reason}.`, 0), "");
  screen.print(...stage.introduction);
  screen.print(`Both nodes: keepalive ${keepaliveMs} ms, deadtime ${deadTimeMs} ms.`, "", ...LEGEND);
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
      const reason = stuck ? `"${stuck.scenario.title}" got stuck` : scenario.unavailable(stage);
      const { name, title } = scenario;
      if (reason !== null) {
        narrator.skip(index + 1, scenario, reason);
        skipped.push({ name, title, reason });
        continue;
      }
      await narrator.announce(index + 1, scenario);
      let result = await play(scenario, stage, watches, narrator);
      if (result.samplingGapMs > stallMsMax && scenario.holder !== "appears" && !result.isStuck) {
        const repeatedAfterStallMs = result.samplingGapMs;
        const length = repeatedAfterStallMs.toFixed(0);
        narrator.note(`This machine itself stood still for ${length} ms meanwhile: played once more.`);
        result = { ...await play(scenario, stage, watches, narrator), repeatedAfterStallMs };
      }
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
async function leaveIfInterrupted(): Promise<void> {
  if (interrupted === null) return;
  await new Promise((resolve) => setTimeout(resolve, STAGE_LIMIT_MS));
  process.exit(interrupted);
}

sweepAtExit();
const screen = await Screen.open();

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const) {
  process.on(signal, () => {
    screen.silence();
    if (interrupted === null) process.stderr.write(`\n${signal}: taking everything away\n`);
    interrupted = code;
    // Nobody else listens: there is no stage.
    if (process.listenerCount(signal) === 1) process.exit(code);
  });
}

try {
  process.exit(await main(process.argv.slice(2), screen));
} catch (error) {
  await leaveIfInterrupted();
  process.stderr.write(`${(error as Error).message}\n`);
  process.exit(error instanceof EnvironmentError ? error.exitCode : 70);
}
