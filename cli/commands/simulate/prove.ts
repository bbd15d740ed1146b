/** `heartline simulate prove`: what the operator types; `prove_play.ts` does it. */

import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import process from "node:process";
import { suggestion } from "../../../lib/config/spelling.ts";
import { type MoveKind, moveKinds } from "../../../lib/sim/prove/alphabet.ts";
import { duration, examples, jsonOption, nonEmpty } from "../../options.ts";
import { parseCount, parseSeed } from "./numbers.ts";

const depthMax = 5;

export function proveCommand() {
  return new Command("prove")
    .summary("every order of a few faults, for two or three nodes")
    .description(
      "Tries every order of a few faults, at every instant that matters to a decision, on the cluster of a " +
        "configuration: not a sample. Prints how many schedules there were and the shortest that leads to two " +
        "holders, and the shortest that leaves a group without one for too long although some node could hold it.",
    )
    .argument("<config>", "a heartline.yaml or an ha.d directory, of two or three nodes")
    .option("--depth <number>", "faults in one schedule; default: 3 for two nodes, 2 for three", parseDepth)
    .option("--faults <kinds>", `which faults, of ${moveKinds.join(", ")}; default: all`, parseKinds)
    .option("--bound <time>", "a longer time without a holder is told; default: twice a takeover", duration)
    .option("--seed <number>", "of latencies and clocks", parseSeed, 1)
    .option("--jobs <number>", "processes at a time; default: one for each core", parseCount)
    .option("--scenario <file>", "write the shortest schedule to two holders to this file", nonEmpty)
    .addOption(jsonOption())
    .addHelpText(
      "after",
      examples([
        ["heartline simulate prove /etc/ha.d", "can this pair ever have two holders?"],
        ["heartline simulate prove web.yaml --faults cut,crash,pause", "if the service network is sound?"],
      ]) +
        "\nExit codes: 0 never two holders, 1 two holders, or interrupted,\n2 usage, 78 configuration.",
    )
    .action(async (config, options) => {
      const { provePlay } = await import("./prove_play.ts");
      process.exitCode = await provePlay(config, options);
    });
}

function parseDepth(text: string): number {
  const depth = /^\d$/.test(text) ? Number(text) : 0;
  if (depth >= 1 && depth <= depthMax) return depth;
  throw new InvalidArgumentError(`"${text}" is no whole number from 1 to ${depthMax}.`);
}

function parseKinds(text: string): MoveKind[] {
  return text.split(",").map((word) => {
    const kind = moveKinds.find((known) => known === word.trim());
    if (kind !== undefined) return kind;
    throw new InvalidArgumentError(`"${word}" is no kind of fault: ${suggestion(word, moveKinds)}.`);
  });
}
