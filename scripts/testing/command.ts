/**
 * Runs one child of a test or build step: bounded in time, its output both shown and kept.
 *
 * The child gets a process group of its own, so that a step that exceeds its limit takes its grandchildren along, and
 * nothing else. Nothing here ever ends a process by name.
 */

import { spawn } from "node:child_process";
import process from "node:process";

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Copy the output through while it comes; otherwise it is only kept. */
  readonly stream?: boolean;
  /** Too low: a slow machine fails a healthy step. Too high: a hanging step blocks the run for as long. */
  readonly limitMs: number;
}

export interface CommandResult {
  /** `null`: not started, or killed by a signal. */
  readonly code: number | null;
  /** The signal that ended it; `null`: none, or our own at the limit. */
  readonly signal: string | null;
  readonly output: string;
  readonly timedOut: boolean;
  readonly durationMs: number;
}

/** Children still running, by their group; ended when this process is told to end. */
const groups = new Set<number>();

/** Runs `file` with `args` until it ends or its limit has passed. Never rejects: a failed start is a result. */
export function runCommand(
  file: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  const startedMs = performance.now();
  return new Promise((resolve) => {
    const child = spawn(file, [...args], {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    const chunks: string[] = [];
    const take = (sink: NodeJS.WriteStream) => (chunk: string) => {
      chunks.push(chunk);
      if (options.stream) sink.write(chunk);
    };
    child.stdout.setEncoding("utf8").on("data", take(process.stdout));
    child.stderr.setEncoding("utf8").on("data", take(process.stderr));

    let timedOut = false;
    const limit = setTimeout(() => {
      timedOut = true;
      endGroup(child.pid, "SIGKILL");
    }, options.limitMs);
    const finish = (code: number | null, signal: string | null, note = "") => {
      clearTimeout(limit);
      if (child.pid !== undefined) groups.delete(child.pid);
      const late = timedOut ? `\nEnded after its limit of ${Math.round(options.limitMs / 1000)} s.\n` : "";
      resolve({
        code,
        signal,
        output: chunks.join("") + note + late,
        timedOut,
        durationMs: performance.now() - startedMs,
      });
    };
    if (child.pid !== undefined) groups.add(child.pid);
    child.once("error", (cause) => finish(null, null, `Cannot run "${file}": ${cause.message}\n`));
    child.once("close", (code, signal) => finish(timedOut ? null : code, timedOut ? null : signal));
  });
}

/** Ends every child that still runs; for the signal handlers of the caller. */
export function endAllCommands(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): void {
  for (const pid of groups) endGroup(pid, signal);
}

function endGroup(pid: number | undefined, signal: "SIGTERM" | "SIGKILL"): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // Already gone.
  }
}
