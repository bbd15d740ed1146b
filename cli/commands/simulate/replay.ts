/** `heartline simulate replay`: what the operator types; `replay_play.ts` does it. */

import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import process from "node:process";
import { examples, jsonOption } from "../../options.ts";

export function replayCommand() {
  return new Command("replay")
    .summary("a recorded run of the daemon again, exactly, and with other settings")
    .description(
      "Takes the journal that a daemon wrote, feeds a fresh core with every recorded input at its recorded instant, " +
        "and shows what it decided and why. That it decides exactly what the daemon decided is checked at every step. " +
        "With --set it shows what other settings would have decided, beside it.",
    )
    .argument(
      "[journal]",
      "the daemon's journal; the older part beside it (.1) is read too",
      "/var/lib/heartline/journal",
    )
    .option("--run <number>", "which start of the daemon, as --runs counts; default: the last", parseRun)
    .option("--runs", "list the runs that the journal holds, and do nothing else")
    .option(
      "--set <name=value>",
      "another setting: deadtime=4s, keepalive, takeover-delay...; may be given again",
      gather,
      [],
    )
    .option("--all", "print also what is only of interest to developers, however much it is")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      examples([
        ["heartline simulate replay", "what the daemon here did since its start, and why"],
        ["heartline simulate replay journal --set deadtime=4s", "would four seconds have saved us?"],
        ["heartline simulate replay journal --runs", "which runs are in it"],
      ]) +
        `
What can be set: keepalive, deadtime, warntime, initdead, takeover-delay,
takeover-confirm, wait-for-lease, failback, arbiters=none.

A what-if is sound up to the first decision that differs; from there on the
other nodes would have answered otherwise, which nobody recorded. What follows
is shown with every assumption.

Exit codes: 0 replayed exactly, 1 not exactly (written by another version, or
with a gap), 2 usage, 69 no such journal.
`,
    )
    .action(async (journal, options) => {
      const { playAgain } = await import("./replay_play.ts");
      process.exitCode = await playAgain(journal, options);
    });
}

function gather(wish: string, before: string[]): string[] {
  return [...before, wish];
}

function parseRun(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError(`"${text}" is no number of a run; --runs lists them.`);
}
