/**
 * Puts the command line together: the command that was asked for in full, all others by name and summary only.
 */

import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { version } from "../lib/version.ts";
import { type Verb, verbs } from "./catalogue.ts";
import { examples } from "./options.ts";

/** The program for these arguments, ready to parse them. Parser errors are thrown, not printed. */
export async function buildProgram(args: readonly string[]): Promise<CommandUnknownOpts> {
  const asked = askedVerb(args);
  const program = new Command("heartline")
    .description(
      "Watches the nodes of a high-availability pair or small cluster, and keeps each group of " +
        "resources (a virtual IP and what is behind it) on exactly one of them.",
    )
    .version(`heartline ${version}`, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print the help of a command")
    .commandsGroup("Tools:")
    .addHelpText(
      "after",
      examples([
        ["heartline peer", "run this node, until SIGTERM"],
        ["heartline status --watch", "see who holds what, live"],
        ["heartline standby", "hand everything over, to reboot"],
        ["heartline config check heartline.yaml", "find every mistake before it runs"],
      ]) + exitCodes,
    );
  for (const verb of verbs) {
    program.addCommand(
      verb.name === asked ? prepare(await verb.load(), verb) : prepare(new Command(verb.name), verb),
    );
  }
  return prepare(program);
}

/** The program with every command in full, for completions. */
export async function buildWholeProgram(): Promise<CommandUnknownOpts> {
  const program = new Command("heartline").version(version, "-V, --version", "print the version");
  for (const verb of verbs) program.addCommand(prepare(await verb.load(), verb));
  return program;
}

/** First argument that is no option; after `help`, the one behind it. */
function askedVerb(args: readonly string[]): string | undefined {
  const words = args.filter((argument) => !argument.startsWith("-"));
  return words[0] === "help" ? words[1] : words[0];
}

/** Errors are thrown and printed in one place; help and errors look the same everywhere. */
function prepare(command: CommandUnknownOpts, verb?: Verb): CommandUnknownOpts {
  if (verb !== undefined) command.summary(verb.summary).helpGroup(`${verb.group}:`);
  command.exitOverride().configureOutput({ outputError: () => {} }).showSuggestionAfterError(true);
  command.helpOption("-h, --help", "print this help");
  for (const child of command.commands) prepare(child);
  return command;
}

const exitCodes = `
Exit codes: 0 done, 1 refused or something is wrong, 2 usage, 69 no daemon,
70 a bug of ours, 77 no permission, 78 configuration, 124 out of time.`;
