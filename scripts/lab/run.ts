/**
 * Runs the system's tools for the laboratory: short commands, awaited, with the tool's own words in the error.
 *
 * Nothing here blocks the thread: the samplers beside it must keep their pace.
 */

import { spawn } from "node:child_process";
import { EnvironmentError } from "../../lib/errors.ts";

export interface Ended {
  /** `null`: ended by a signal, or by the limit. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Too low: a loaded machine fails a healthy command. Too high: a hanging one blocks a test for as long. */
const LIMIT_MS = 60_000;

/** Runs a command and answers how it ended; rejects only when it cannot be started. */
export function tryRun(
  file: string,
  args: readonly string[],
  options: { readonly input?: string; readonly limitMs?: number } = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, [...args], { stdio: ["pipe", "pipe", "pipe"] });
    const limit = setTimeout(() => child.kill("SIGKILL"), options.limitMs ?? LIMIT_MS);
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => stdout += chunk);
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => stderr += chunk);
    // A command that ends without reading its input is judged by its exit code.
    child.stdin.on("error", () => {});
    child.stdin.end(options.input ?? "");
    child.once("error", (cause) => {
      clearTimeout(limit);
      reject(new EnvironmentError(`Cannot run "${file}": ${cause.message}; install it`, 69, { cause }));
    });
    child.once("close", (code) => {
      clearTimeout(limit);
      resolve({ code, stdout, stderr });
    });
  });
}

/** Runs a command that has to succeed and answers its standard output. */
export async function run(file: string, args: readonly string[], input?: string): Promise<string> {
  const ended = await tryRun(file, args, input === undefined ? {} : { input });
  if (ended.code !== 0) {
    const words = (ended.stderr.trim() || ended.stdout.trim()).split("\n").slice(0, 3).join(" | ");
    throw new EnvironmentError(
      `Cannot run "${[file, ...args].join(" ")}": it ended with ${ended.code}: ${words}`,
    );
  }
  return ended.stdout;
}

/** Several `ip` commands in one namespace by one process, so that they take effect within a millisecond. */
export async function ipBatch(namespace: string, lines: readonly string[]): Promise<void> {
  if (lines.length > 0) await run("ip", ["-n", namespace, "-batch", "-"], `${lines.join("\n")}\n`);
}
