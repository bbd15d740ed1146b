/** `heartline config`: says everything that is wrong with a configuration before a daemon has to. */

import { Command } from "@commander-js/extra-typings";
import { Chalk } from "chalk";
import process from "node:process";
import type { Problem } from "../../lib/config/load.ts";
import { configTargets } from "../../lib/runtime/config_targets.ts";
import { standardFile } from "../../lib/runtime/load_settings.ts";
import { examples } from "../options.ts";
import { countsOf, renderProblems } from "../render/problems.ts";

/** Of the JSON output. */
const schema = 1;

/** Where output goes: a test's own, or the process's. */
export interface ConfigIo {
  write(text: string): void;
  readonly isTerminal: boolean;
}

export interface ConfigCheckArgs {
  /** Files and directories; empty: the standard file. */
  readonly paths: readonly string[];
  readonly json?: boolean | undefined;
  readonly warningsOk?: boolean | undefined;
  readonly node?: string | undefined;
}

/** 0 clean (notes are clean), 1 warnings only, 78 errors. */
export async function runConfigCheck(args: ConfigCheckArgs, io: ConfigIo): Promise<0 | 1 | 78> {
  const targets = await configTargets(args.paths.length === 0 ? [standardFile] : args.paths);
  const results = await Promise.all(
    targets.map(async (target) => ({ target, loaded: await target.load(args.node ?? null) })),
  );
  const problems = results.flatMap(({ loaded }) => loaded.problems);
  const code = exitCodeOf(problems, args.warningsOk === true);
  if (args.json === true) {
    const verdict = code === 78 ? "errors" : code === 1 ? "warnings" : "ok";
    const files = [...new Set(results.flatMap(({ loaded }) => loaded.files))];
    io.write(`${JSON.stringify({ schema, verdict, files, problems })}\n`);
    return code;
  }
  const chalk = new Chalk(io.isTerminal ? {} : { level: 0 });
  for (const { target, loaded } of results) {
    io.write(renderProblems(loaded.problems, loaded.sources, chalk));
    const count = countsOf(loaded.problems);
    const isGood = exitCodeOf(loaded.problems, false) === 0;
    io.write(`${target.name}: ${isGood ? chalk.green(`good (${count})`) : count}\n`);
  }
  return code;
}

function exitCodeOf(problems: readonly Problem[], warningsOk: boolean): 0 | 1 | 78 {
  if (problems.some((problem) => problem.severity === "error")) return 78;
  return !warningsOk && problems.some((problem) => problem.severity === "warning") ? 1 : 0;
}

export function configCommand(): Command {
  const shown = examples([
    ["heartline config check", "the standard file"],
    ["heartline config check web.yaml --node node2", "as node2 will read it"],
    ["heartline config check /etc/ha.d", "a Heartbeat directory"],
  ]);
  const command = new Command("config").description("check configuration files").addHelpText("after", shown);
  command.command("check")
    .description("print every problem of configuration files, with its place and what would be accepted")
    .argument(
      "[file...]",
      `heartline.yaml, ha.cf, authkeys, haresources or a directory (default: ${standardFile})`,
    )
    .option("--node <name>", "check as this node sees it (default: this machine, if it is one of the nodes)")
    .option("--warnings-ok", "exit with 0 when there are warnings but no errors")
    .option("--json", "print one JSON object")
    .addHelpText("after", `${shown}\nExit codes: 0 clean, 1 warnings only, 78 errors.`)
    .action(async (paths, { node, warningsOk, json }) => {
      const io = {
        write: (text: string) => void process.stdout.write(text),
        isTerminal: process.stdout.isTTY === true,
      };
      process.exitCode = await runConfigCheck({ paths, node, warningsOk, json }, io);
    });
  return command as Command;
}
