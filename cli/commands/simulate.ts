/**
 * `heartline simulate`: what this configuration does when things go wrong, on the very core of the daemon and in
 * virtual time. Here are only the sub-commands; what each does is loaded when it is asked for.
 */

import { Command } from "@commander-js/extra-typings";
import { examples } from "../options.ts";
import { listCommand } from "./simulate/list.ts";
import { exploreCommand } from "./simulate/explore.ts";
import { proveCommand } from "./simulate/prove.ts";
import { replayCommand } from "./simulate/replay.ts";
import { runCommand } from "./simulate/run.ts";
import { sweepCommand } from "./simulate/sweep.ts";
import { workerCommand } from "./simulate/worker.ts";

export function simulateCommand(): Command {
  const command = new Command("simulate")
    .description(
      "Runs clusters on the very core of the daemon, in virtual time: no network, no root, and a night of " +
        "faults within a second. The same seed gives the same run.",
    )
    .addHelpText(
      "after",
      examples([
        ["heartline simulate list", "the scenarios that come with it"],
        ["heartline simulate run one-way-link", "one of them, told and judged"],
        ["heartline simulate run my-scenario.yaml", "one of your own"],
        ["heartline simulate explore /etc/ha.d", "random faults, every promise checked"],
        ["heartline simulate prove /etc/ha.d", "every order of a few faults"],
        ["heartline simulate replay JOURNAL", "a real night again, exactly"],
        [
          "heartline simulate sweep ha.d --param deadtime=1s..10s --param loss=0..0.3",
          "what a deadtime costs",
        ],
      ]),
    );
  command.addCommand(listCommand());
  command.addCommand(runCommand());
  command.addCommand(exploreCommand());
  command.addCommand(proveCommand());
  command.addCommand(replayCommand());
  command.addCommand(sweepCommand());
  command.addCommand(workerCommand(), { hidden: true });
  return command as Command;
}
