/** `heartline simulate sweep`: what the operator types; `sweep_play.ts` does it. */

import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import process from "node:process";
import { type Parameter, parseParameter } from "../../../lib/sim/sweep/parameters.ts";
import { examples, jsonOption, nonEmpty } from "../../options.ts";
import { parseCount, parseSeed } from "./numbers.ts";

export function sweepCommand() {
  return new Command("sweep")
    .summary("what a setting costs and buys: detection time against false deaths")
    .description(
      "Varies times and the quality of the links, and measures how soon a dead node is noticed and how often a living " +
        "one is taken for dead: by a fixed deadtime, as the daemon does it, and by two adaptive detectors (Chen's " +
        "estimator, phi accrual) for comparison. A false death is a false failover only where nothing vetoes it: a " +
        "group with an address is not taken while its holder answers on the service network.",
    )
    .argument("<config>", "a heartline.yaml or an ha.d directory")
    .requiredOption(
      "--param <name=from..to>",
      "deadtime, keepalive, loss, burst, latency, jitter or phi; may be given again",
      collect,
    )
    .option("--heartbeats <number>", "of each combination; more see rarer false deaths", parseCount, 500_000)
    .option("--seed <number>", "of all chance", parseSeed, 1)
    .option("--jobs <number>", "processes at a time; default: one for each core", parseCount)
    .option("--svg <file>", "draw the trade-off", nonEmpty)
    .addOption(jsonOption())
    .addHelpText(
      "after",
      examples([
        [
          "heartline simulate sweep web.yaml --param deadtime=1s..9s --param loss=0..0.3",
          "a grid of both",
        ],
        ["heartline simulate sweep web.yaml --param loss=1%,5% --param burst=1..20:3", "loss in bursts"],
      ]) + "\nExit codes: 0 measured, 1 interrupted, 2 usage, 78 configuration.",
    )
    .action(async (config, options) => {
      const { sweepPlay } = await import("./sweep_play.ts");
      process.exitCode = await sweepPlay(config, options);
    });
}

function collect(text: string, before: Parameter[] | undefined): Parameter[] {
  const parsed = parseParameter(text);
  if (!parsed.ok) throw new InvalidArgumentError(`${parsed.message}: ${parsed.hint}.`);
  if (before?.some(({ name }) => name === parsed.value.name)) {
    throw new InvalidArgumentError(`"${parsed.value.name}" is given twice: name all its values at once.`);
  }
  return [...before ?? [], parsed.value];
}
