/** `heartline simulate run`: what the operator types; `play.ts` does it. */

import { Command } from "@commander-js/extra-typings";
import process from "node:process";
import { examples, jsonOption, nonEmpty } from "../../options.ts";
import { parseCount, parseSeed } from "./numbers.ts";

export function runCommand() {
  return new Command("run")
    .summary("play one scenario: a timeline, and whether all was as expected")
    .description(
      "Plays a scenario: nodes with their real configuration, links, and what happens to them at which time. Prints " +
        "what every node decided and why, who held what for how long, and whether all was as the scenario expects.",
    )
    .argument("<scenario>", "a scenario file, or a name that `simulate list` shows")
    .option("--seed <number>", "of all chance; default: the scenario's own", parseSeed)
    .option("--seeds <number>", "play so many seeds, and tell the first that is not as expected", parseCount)
    .option("--jobs <number>", "of --seeds: processes at a time; default: one for each core", parseCount)
    .option("--all", "print everything that was reported, however much it is")
    .option("--trace <file>", "write every packet, report and change of holders as lines of JSON", nonEmpty)
    .option("--report <file>", "write a page of HTML: picture, tables, every decision", nonEmpty)
    .option("--svg <file>", "draw the run: lanes, messages, holders, faults", nonEmpty)
    .addOption(jsonOption())
    .addHelpText(
      "after",
      examples([
        ["heartline simulate run one-way-link", "the story on the terminal"],
        ["heartline simulate run cut.yaml --seed 7", "your own, with other chances"],
        ["heartline simulate run cut.yaml --seeds 1000", "does it hold whatever the chances?"],
        ["heartline simulate run stalled-host --report out.html", "with a picture, to look at"],
      ]) + "\nExit codes: 0 as expected, 1 not, or interrupted, 2 usage, 78 mistakes in files.",
    )
    .action(async (scenario, options) => {
      const { play } = await import("./play.ts");
      process.exitCode = await play(scenario, options);
    });
}
