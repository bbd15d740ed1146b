/**
 * What a person reads, and which code the process ends with, for everything that a command can throw. What was typed,
 * or stands in a file, is quoted in it and must not steer the terminal.
 */

import { CommanderError } from "@commander-js/extra-typings";
import { EnvironmentError, UsageError } from "../lib/errors.ts";
import { printable } from "../lib/runtime/report_line.ts";

export interface Failure {
  /** For standard error; empty: nothing to say. */
  readonly message: string;
  readonly exitCode: number;
}

/** Exit code of a bug of ours (sysexits: internal software error). */
export const bugExitCode = 70;

export function describeFailure(error: unknown, isDebug: boolean): Failure {
  if (error instanceof CommanderError) return describeParserError(error);
  if (error instanceof UsageError) {
    return {
      message: error.problems.map((problem) => `heartline: ${printable(problem)}`).join("\n"),
      exitCode: error.exitCode,
    };
  }
  if (error instanceof EnvironmentError) {
    const cause = isDebug && error.cause !== undefined ? `\n${stackOf(error.cause)}` : "";
    return { message: `heartline: ${printable(error.message)}${cause}`, exitCode: error.exitCode };
  }
  const text = error instanceof Error ? error.message : String(error);
  const what = text.startsWith("BUG") ? text : `BUG: ${text}`;
  const where = isDebug
    ? stackOf(error)
    : "This is a mistake in heartline; HEARTLINE_DEBUG=1 shows where. Please report it.";
  return { message: `${what}\n${where}`, exitCode: bugExitCode };
}

/** Exit code of a monitoring plugin that could not do its work, and of its help. */
export const pluginUnknown = 3;

/** The same as one line for standard output, as monitoring plugins say it: everything that stops one is UNKNOWN. */
export function describePluginFailure(error: unknown, service: string, isDebug: boolean): Failure {
  const { message } = describeFailure(error, isDebug);
  const text = message.replaceAll("heartline: ", "").replaceAll("|", "/").replaceAll("\n", "; ");
  return {
    message: text === "" ? "" : `${service.toUpperCase()} UNKNOWN: ${text}`,
    exitCode: pluginUnknown,
  };
}

/** Help and version were printed already; of the rest, the parser's own words in our form. */
function describeParserError(error: CommanderError): Failure {
  if (error.exitCode === 0) return { message: "", exitCode: 0 };
  if (error.code === "commander.help") return { message: "", exitCode: 2 };
  const text = error.message
    .replace(/^error: /, "")
    .replace(
      /\n\(Did you mean (one of )?(.*)\?\)$/,
      (_, many, words) => many ? `; did you mean one of ${words}?` : `; did you mean "${words}"?`,
    )
    .replaceAll(/'([^']*)'/g, '"$1"');
  return {
    message: `heartline: ${printable(text)}${text.endsWith("?") || text.endsWith(".") ? "" : "; see --help"}`,
    exitCode: 2,
  };
}

function stackOf(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}
