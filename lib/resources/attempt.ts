/**
 * One operation on one resource that is carried out by foreign programs: keeps to the time limit over all of its
 * calls, collects what they print, and shapes the outcome. The runners decide what an exit code or a text means;
 * this decides only what a program that gave neither means.
 *
 * It must never turn missing knowledge into `stopped`: that a program is not installed proves a stopped resource
 * only where this process has never seen the resource running.
 */

import type { ResourceOutcome } from "../core/inputs.ts";
import { lastLines, type ProcessResult, runProcess } from "../system/process.ts";
import type { Operation, OperationContext } from "./resource.ts";

/** What `ResourceOutcome.output` holds at most. */
const OUTPUT_LINES_MAX = 20;

/** A line longer than this is cut: status lines and journals carry it. */
const LINE_LENGTH_MAX = 300;

/** The code of LSB and OCF for "not installed". */
export const NOT_INSTALLED = 5;

/** Resources that ran when this process last heard of them. */
const seenRunning = new Set<string>();

export class Attempt {
  readonly #startedMs = performance.now();
  readonly #environment: Readonly<Record<string, string>>;
  #output: string[] = [];

  /**
   * @param name the resource, as text that is the same in every operation on it
   * @param environment added to that of the context, which wins
   */
  constructor(
    readonly name: string,
    readonly operation: Operation,
    readonly context: OperationContext,
    environment: Readonly<Record<string, string>> = {},
  ) {
    this.#environment = { ...environment, ...context.environment };
  }

  /** Time that is left; never below 0. */
  get remainingMs(): number {
    return Math.max(0, this.context.limitMs - this.#durationMs());
  }

  /** Runs a program for as long as time is left. */
  async call(command: string, args: readonly string[]): Promise<ProcessResult> {
    const result = await runProcess(command, args, {
      environment: this.#environment,
      limitMs: this.remainingMs,
    });
    const lines = lastLines(result.output, OUTPUT_LINES_MAX).map((line) => line.slice(0, LINE_LENGTH_MAX));
    this.#output = [...this.#output, ...lines].slice(-OUTPUT_LINES_MAX);
    return result;
  }

  /** Waits; `false`: not that much time is left, and nothing was waited for. */
  async pause(ms: number): Promise<boolean> {
    if (this.remainingMs <= ms) return false;
    await new Promise((resolve) => setTimeout(resolve, ms));
    return true;
  }

  end(result: ResourceOutcome["result"], code: number | null, reason: string): ResourceOutcome {
    if (result === "running") seenRunning.add(this.name);
    if (result === "stopped") seenRunning.delete(this.name);
    return {
      kind: "resource",
      result,
      code,
      reason: reason.slice(0, LINE_LENGTH_MAX),
      output: this.#output,
      durationMs: Math.round(this.#durationMs()),
    };
  }

  /** The outcome of a call that ended without an exit code; `null`: it has one. */
  withoutCode(call: ProcessResult, what: string): ResourceOutcome | null {
    if (call.timedOut) {
      return this.end(
        "unknown",
        null,
        `${what} did not end within ${this.context.limitMs} ms and was killed`,
      );
    }
    if (call.spawnError !== undefined) {
      return this.end("failed", null, `Cannot run ${what}: ${call.spawnError}`);
    }
    if (call.code === null) {
      return this.end("unknown", null, `${what} was killed by ${call.signal ?? "a signal"}`);
    }
    return null;
  }

  /** The program that operates the resource is not on this machine. */
  notInstalled(reason: string): ResourceOutcome {
    if (this.operation === "start") return this.end("failed", NOT_INSTALLED, reason);
    if (this.operation === "stop" && seenRunning.has(this.name)) {
      return this.end(
        "failed",
        NOT_INSTALLED,
        `${reason}; it was running here, and nothing can tell that it stopped`,
      );
    }
    return this.end("stopped", NOT_INSTALLED, reason);
  }

  #durationMs(): number {
    return performance.now() - this.#startedMs;
  }
}

/** `exit code 3 (unimplemented)`, followed by the last thing the program said. */
export function failureReason(what: string, call: ProcessResult, meaning: string | undefined): string {
  const [said] = lastLines(call.stderr, 1).concat(lastLines(call.stdout, 1));
  const code = `${what} ended with exit code ${call.code}${meaning === undefined ? "" : ` (${meaning})`}`;
  return said === undefined ? code : `${code}: ${said}`;
}
