/** What a person reads, and which code the process ends with, for everything that a command can throw. */

import { CommanderError } from "@commander-js/extra-typings";
import { EnvironmentError, UsageError } from "../lib/errors.ts";

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
      message: error.problems.map((problem) => `heartline: ${problem}`).join("\n"),
      exitCode: error.exitCode,
    };
  }
  if (error instanceof EnvironmentError) {
    const cause = isDebug && error.cause !== undefined ? `\n${stackOf(error.cause)}` : "";
    return { message: `heartline: ${error.message}${cause}`, exitCode: error.exitCode };
  }
  const text = error instanceof Error ? error.message : String(error);
  const what = text.startsWith("BUG") ? text : `BUG: ${text}`;
  const where = isDebug
    ? stackOf(error)
    : "This is a mistake in heartline; HEARTLINE_DEBUG=1 shows where. Please report it.";
  return { message: `${what}\n${where}`, exitCode: bugExitCode };
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
    message: `heartline: ${text}${text.endsWith("?") || text.endsWith(".") ? "" : "; see --help"}`,
    exitCode: 2,
  };
}

function stackOf(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}
