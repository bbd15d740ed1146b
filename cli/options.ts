/** Options and argument types that several commands share, and how examples look in help. */

import { InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { parseDuration } from "../lib/config/durations.ts";
import { defaultControlSocket } from "../lib/runtime/control_protocol.ts";

/** `--socket`: where the daemon listens. */
export function socketOption() {
  return new Option("--socket <path>", "control socket of the daemon")
    .env("HEARTLINE_SOCKET")
    .default(defaultControlSocket)
    .argParser(nonEmpty);
}

/** `--timeout`: how long the whole command may take, in milliseconds once parsed. */
export function timeoutOption(defaultMs: number, what: string) {
  return new Option("--timeout <time>", what)
    .default(defaultMs, `${defaultMs / 1000}s`)
    .argParser(duration);
}

export function jsonOption() {
  return new Option("--json", "print JSON for programs");
}

/** `--nagios`, for commands that are monitoring plugins too. */
export function pluginOption() {
  return new Option("--nagios", "one line and exit code 0 to 3, as monitoring plugins do");
}

/** `--config`; `what` is taken from the file. */
export function configOption(what: string) {
  return new Option("--config <file>", `${what} of a heartline.yaml`).argParser(nonEmpty);
}

/** `--ha-dir`, the same in Heartbeat's words. */
export function haDirOption(what: string) {
  return new Option("--ha-dir <dir>", `${what} of a directory with ha.cf, authkeys, haresources`)
    .argParser(nonEmpty);
}

/** `--node`: as which node of the settings a command speaks. */
export function nodeOption() {
  return new Option("--node <name>", "name of this node (default: what uname -n says)").argParser(nonEmpty);
}

/** A length of time with a unit (`500ms`, `30s`, `2m`), as milliseconds. */
export function duration(text: string): number {
  const parsed = parseDuration(text, "yaml");
  if (!parsed.ok) throw new InvalidArgumentError(`${capital(parsed.message)}: ${parsed.hint}.`);
  if (parsed.value === 0) throw new InvalidArgumentError("It must be longer than nothing.");
  return parsed.value;
}

export function nonEmpty(text: string): string {
  if (text === "") throw new InvalidArgumentError("It is empty.");
  return text;
}

/** An option that may be given several times; each time adds one. */
export function several(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), nonEmpty(value)];
}

/** The part of a help text that shows how a command is used; a meaning with no room beside goes below. */
export function examples(lines: ReadonlyArray<readonly [command: string, meaning: string]>): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  const isTable = lines.every(([, meaning]) => width + meaning.length + 4 <= 80);
  return "\nExamples:\n" +
    lines.map(([command, meaning]) =>
      isTable ? `  ${command.padEnd(width)}  ${meaning}`.trimEnd() + "\n" : `  ${command}\n      ${meaning}\n`
    ).join("");
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
