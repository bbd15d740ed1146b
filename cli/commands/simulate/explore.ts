/** `heartline simulate explore`: what the operator types; `explore_play.ts` does it. */

import { Command } from "@commander-js/extra-typings";
import process from "node:process";
import { examples, jsonOption, nonEmpty } from "../../options.ts";
import { parseCount, parseSeed } from "./numbers.ts";

export function exploreCommand() {
  return new Command("explore")
    .summary("random faults, and every promise checked at every event")
    .description(
      "Draws faults from a seed (cuts, one-way cuts, loss, crashes, stalls, power-offs, operators' orders, failing " +
        "scripts, replays), lets them happen to the cluster of a configuration, or to clusters of its own, and checks " +
        "every promise at every event; then repairs everything and demands that all be well again. What breaks a " +
        "promise is shrunk to the fewest faults and printed as a scenario.",
    )
    .argument("[config]", "a heartline.yaml or an ha.d directory; without it, each seed draws a cluster too")
    .option("--runs <number>", "schedules to try", parseCount, 1_000)
    .option("--seed <number>", "the first of the seeds; default: a random one", parseSeed)
    .option("--jobs <number>", "processes at a time; default: one for each core", parseCount)
    .option("--scenario <file>", "write the shrunk scenario to this file", nonEmpty)
    .addOption(jsonOption())
    .addHelpText(
      "after",
      examples([
        ["heartline simulate explore", "1000 random clusters"],
        ["heartline simulate explore /etc/ha.d --runs 10000", "the cluster of this configuration"],
        ["heartline simulate explore --seed 4711 --runs 1", "one seed again"],
      ]) + "\nExit codes: 0 all promises kept, 1 one broken, or interrupted, 2 usage,\n78 configuration.",
    )
    .action(async (config, options) => {
      const { explorePlay } = await import("./explore_play.ts");
      process.exitCode = await explorePlay(config ?? null, options);
    });
}
