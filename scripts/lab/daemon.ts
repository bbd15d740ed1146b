/**
 * One `heartline peer` that runs inside a node of the laboratory: its process, and what it says with the instant of
 * that. Signals go to the daemon itself, never to a name.
 */

import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { monotonicMs } from "../../lib/system/clock.ts";
import { childrenOf, type LabMachine } from "./machine.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** What is under test: the sources under Deno, or the compiled binary. */
export type Target = "source" | "binary";

/** The command line of `heartline` for a target. */
export function heartline(target: Target): readonly string[] {
  if (target === "binary") return [`${ROOT}dist/heartline`];
  // Deno otherwise asks the registry for news of a package, in vain, and says so among the daemon's reports.
  return [process.execPath, "run", "--allow-all", "--no-check", "--cached-only", `${ROOT}cli/main.ts`];
}

export interface HeardLine {
  /** Of the laboratory's clock: by its own stamp, which a busy machine does not delay; without one, when it came. */
  readonly atMs: number;
  readonly line: string;
}

export class LabDaemon {
  readonly lines: HeardLine[] = [];
  /** Resolves when the process has ended, with its exit code; 128 and its number for a signal, as in a shell. */
  readonly ended: Promise<number | string>;
  readonly #child: ChildProcess;
  #pid: number | null = null;
  #hasEnded = false;

  /** Starts `command` in the node; it need not be heartline. */
  constructor(readonly machine: LabMachine, command: readonly string[]) {
    const [file, args] = machine.enter(command, true);
    const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      let rest = "";
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        const heardMs = monotonicMs();
        const lines = (rest + chunk).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) this.lines.push({ atMs: saidMs(line, heardMs), line });
      });
    }
    this.ended = new Promise((resolve) => {
      const finish = (how: number | string) => {
        this.#hasEnded = true;
        resolve(how);
      };
      child.once("error", (cause) => finish(cause.message));
      child.once("close", (code, signal) => finish(code ?? signal ?? "unknown"));
    });
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Process id outside the node; `null` before it runs and after it ended. */
  get pid(): number | null {
    if (this.#hasEnded) return null;
    // The only child of the shell that supervises it.
    this.#pid ??= childrenOf(this.#child.pid ?? 0)[0] ?? null;
    return this.#pid;
  }

  /** Sends a signal; `false`: it runs no more. */
  signal(signal: NodeJS.Signals): boolean {
    const pid = this.pid;
    if (pid === null) return false;
    try {
      return process.kill(pid, signal);
    } catch {
      return false;
    }
  }

  /** Everything that it said, in one text. */
  text(): string {
    return this.lines.map(({ line }) => line).join("\n");
  }
}

/** Between the clock of the stamps and the laboratory's. One value: what is stamped alike was said at one instant. */
const unixOriginMs = Date.now() - monotonicMs();

function saidMs(line: string, heardMs: number): number {
  const stamp = /^\d{4}-\d\d-\d\dT[\d:.]+Z(?= )/.exec(line)?.[0];
  return stamp === undefined ? heardMs : Math.min(heardMs, Date.parse(stamp) - unixOriginMs);
}
