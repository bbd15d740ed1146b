/** Runs the command line as a process of its own, from the sources or, with HEARTLINE_BIN, from a binary. */

import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** Of packages that are there: else several runs at once wait for each other, and say so on standard error. */
const denoRun = ["run", "-A", "--no-check", "--node-modules-dir=manual"];
const main = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));

/** Arguments with which Deno runs the command line. */
export const sources: readonly string[] = [...denoRun, main];

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** Called with each piece of standard output and the running process. */
  readonly onOutput?: (all: string, end: (signal: "SIGINT" | "SIGTERM") => void) => void;
}

/** Program and arguments of a run. */
export function commandLine(args: readonly string[]): [file: string, args: string[]] {
  const binary = process.env.HEARTLINE_BIN;
  return binary === undefined ? [process.execPath, [...sources, ...args]] : [binary, [...args]];
}

/** Killed after 20 s, which shows as `code: null`. */
export function heartline(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const [file, all] = commandLine(args);
  const { HEARTLINE_SOCKET: _, HEARTLINE_DEBUG: __, ...inherited } = process.env;
  return new Promise((resolve, reject) => {
    const child = spawn(file, all, {
      env: { ...inherited, NO_COLOR: "1", ...options.environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
      // Not child.kill(): Deno then reports the signal in place of the exit code, whatever the child does.
      options.onOutput?.(stdout, (signal) => process.kill(child.pid!, signal));
    });
    child.stderr.on("data", (chunk) => stderr += chunk);
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr });
    });
  });
}
