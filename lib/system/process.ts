/**
 * Runs one foreign program to its end, within a hard time limit, and tells how it ended and what it printed.
 *
 * Decides nothing about what the ending means. It must never reject, never outlive its limit by more than
 * `KILL_GRACE_MS`, never grow with what the program prints, and never kill what a program that ended in time left
 * running: starting a daemon is the very job of most of these programs.
 *
 *     spawn ── error ────────────────────────────────────────► spawnError
 *       │
 *       ├── exits ── pipes end, or are quiet for a moment ───► code | signal
 *       │             (a daemon may hold them open for ever)
 *       └── limit ── SIGKILL to the whole process group ─────► timedOut
 *                     (no answer even to that: given up)
 */

import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";

/**
 * Quiet time on the pipes, after the exit, that ends the capture. Too low loses the last lines of a grandchild that
 * is still speaking; too high makes each start of a daemon that inherits its starter's pipes slower by that much.
 */
const QUIET_MS = 20;

/** A chatty daemon that inherited the pipes is not listened to for longer than this after the exit. */
const AFTER_EXIT_MS = 200;

/** How long a killed program may take to vanish (one in uninterruptible sleep does not) before it is given up. */
const KILL_GRACE_MS = 300;

/** A timer later than this means that this process did not run, so that exits may not have been seen yet. */
const STALL_MS = 100;

/** Timers of both runtimes turn a longer delay into none. */
const TIMER_MS_MAX = 2 ** 31 - 1;

const DEFAULT_OUTPUT_BYTES_MAX = 64 * 1024;

/** Belongs to our own service manager; a child that got it could speak in our name. */
const PRIVATE_VARIABLES = [
  "NOTIFY_SOCKET",
  "WATCHDOG_PID",
  "WATCHDOG_USEC",
  "LISTEN_PID",
  "LISTEN_FDS",
  "LISTEN_FDNAMES",
];

/** Where administrators' programs are, even when cron or a service manager left it out of PATH. */
const SYSTEM_DIRECTORIES = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

export interface ProcessOptions {
  /** Added to our own environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Then the whole process group is killed. */
  readonly limitMs: number;
  /** Written to standard input, which is then closed; without it standard input is empty. */
  readonly input?: string;
  readonly cwd?: string;
  /** When it is aborted, the program is ended as at its limit. */
  readonly abort?: AbortSignal;
  /** Of each of stdout, stderr and output, this many last bytes are kept. */
  readonly outputBytesMax?: number;
}

export interface ProcessResult {
  /** Exit code; `null`: killed by a signal, given up, or never started. */
  readonly code: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  readonly stdout: string;
  readonly stderr: string;
  /** Both, in the order of arrival. */
  readonly output: string;
  readonly durationMs: number;
  /** Why it could not be started at all (`ENOENT`, `EACCES`, …). */
  readonly spawnError?: string;
}

/** Leaders of the groups that run now. */
const running = new Set<number>();

/** Kills everything that `runProcess` runs now, for a command that is interrupted: its programs must not outlive it. */
export function endRunningPrograms(): void {
  for (const pid of running) killGroup(pid);
}

/** Runs `command` with `args`, without a shell, in a session of its own. */
export function runProcess(
  command: string,
  args: readonly string[],
  options: ProcessOptions,
): Promise<ProcessResult> {
  const startedMs = performance.now();
  const bytesMax = options.outputBytesMax ?? DEFAULT_OUTPUT_BYTES_MAX;
  const stdout = new Tail(bytesMax), stderr = new Tail(bytesMax), output = new Tail(bytesMax);
  return new Promise((resolve) => {
    let exit: { code: number | null; signal: string | null; atMs: number } | null = null;
    let timedOut = false;
    let isSettled = false;
    let child: ChildProcess | null = null;
    const timers: Partial<Record<"limit" | "end" | "quiet", ReturnType<typeof setTimeout>>> = {};

    const settle = (spawnError?: string) => {
      if (isSettled) return;
      isSettled = true;
      if (child?.pid !== undefined) running.delete(child.pid);
      for (const timer of Object.values(timers)) clearTimeout(timer);
      if (child !== null) detach(child);
      resolve({
        code: exit?.code ?? null,
        signal: exit?.signal ?? null,
        timedOut,
        stdout: stdout.text(),
        stderr: stderr.text(),
        output: output.text(),
        durationMs: Math.round(performance.now() - startedMs),
        ...(spawnError === undefined ? {} : { spawnError }),
      });
    };
    const waitForQuiet = () => {
      clearTimeout(timers.quiet);
      const sinceMs = performance.now();
      timers.quiet = setTimeout(() => {
        // A timer that is late means that nobody listened meanwhile: silence proves nothing then.
        if (performance.now() - sinceMs > 2 * QUIET_MS) waitForQuiet();
        else settle();
      }, QUIET_MS);
    };
    const receive = (own: Tail) => (chunk: Uint8Array) => {
      own.add(chunk);
      output.add(chunk);
      if (exit === null) return;
      if (performance.now() - exit.atMs > AFTER_EXIT_MS) settle();
      else if (!isSettled) waitForQuiet();
    };

    try {
      child = spawn(command, args, {
        detached: true,
        cwd: options.cwd,
        env: childEnvironment(options.environment ?? {}),
        stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
      });
    } catch (error) {
      settle(errorCode(error));
      return;
    }
    child.on("error", (error) => {
      // Also raised by a failed kill of a running child, which says nothing about the start.
      if (child?.pid === undefined) settle(errorCode(error));
    });
    child.on("exit", (code, signal) => {
      exit = { code, signal, atMs: performance.now() };
      // The number may soon be another's.
      if (child?.pid !== undefined) running.delete(child.pid);
      if (!isSettled) waitForQuiet();
    });
    child.on("close", () => settle());
    child.stdout?.on("data", receive(stdout)).on("error", ignore);
    child.stderr?.on("data", receive(stderr)).on("error", ignore);
    if (child.pid === undefined) return;
    running.add(child.pid);
    restoreOomScore(child.pid);
    child.stdin?.on("error", ignore);
    if (options.input !== undefined) child.stdin?.end(options.input);

    const end = () => {
      timedOut = true;
      killGroup(child?.pid);
      timers.end = setTimeout(settle, KILL_GRACE_MS);
    };
    const armLimit = (delayMs: number) => {
      const dueMs = performance.now() + delayMs;
      timers.limit = setTimeout(() => {
        if (exit !== null) return;
        // We slept over the limit: the exit may wait to be told, and the group may by now be a healthy daemon.
        if (performance.now() - dueMs > STALL_MS) return armLimit(QUIET_MS);
        end();
      }, delayMs);
    };
    if (options.abort?.aborted === true) end();
    options.abort?.addEventListener("abort", () => exit === null && !isSettled && end(), { once: true });
    armLimit(Math.min(Math.max(options.limitMs, 0), TIMER_MS_MAX));
  });
}

/** The last lines of a program's output, without empty ones, oldest first. */
export function lastLines(text: string, linesMax: number): string[] {
  const lines = text.split(/\r?\n|\r/).map((line) => line.trimEnd()).filter((line) => line !== "");
  return lines.slice(-linesMax);
}

/** Keeps the last bytes of a stream. */
class Tail {
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  constructor(readonly bytesMax: number) {}

  add(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes - (this.#chunks[0]?.length ?? 0) >= this.bytesMax) {
      this.#bytes -= this.#chunks.shift()!.length;
    }
  }

  text(): string {
    const all = new Uint8Array(this.#bytes);
    let offset = 0;
    for (const chunk of this.#chunks) {
      all.set(chunk, offset);
      offset += chunk.length;
    }
    return new TextDecoder().decode(all.subarray(Math.max(0, all.length - this.bytesMax)));
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Gone already: the exit is on its way.
  }
}

/**
 * Lets go of the pipes and of the child. A daemon that goes on writing to what it inherited then gets EPIPE, as it
 * does under every other resource manager: the alternative is to hold its pipe, and so our own memory, for ever.
 */
function detach(child: ChildProcess): void {
  child.stdin?.destroy();
  child.stdout?.destroy();
  child.stderr?.destroy();
  if (child.pid !== undefined) child.unref();
}

function childEnvironment(added: Readonly<Record<string, string>>): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries({ ...process.env, ...added })) {
    if (value !== undefined && !PRIVATE_VARIABLES.includes(name)) environment[name] = value;
  }
  environment["PATH"] = programDirectories(environment["PATH"]).join(":");
  return environment;
}

/** Where programs are looked for: the PATH, and where administrators' programs are. */
export function programDirectories(path = process.env.PATH ?? ""): string[] {
  const named = path.split(":").filter((directory) => directory !== "");
  return [...named, ...SYSTEM_DIRECTORIES.filter((directory) => !named.includes(directory))];
}

/** We may be exempt from the kernel's out-of-memory killer; the services that we start must not inherit that. */
function restoreOomScore(pid: number): void {
  try {
    if (readFileSync("/proc/self/oom_score_adj", "utf8").trim().startsWith("-")) {
      writeFileSync(`/proc/${pid}/oom_score_adj`, "0");
    }
  } catch {
    // No such file on this kernel, or the child has ended: nothing to restore.
  }
}

function errorCode(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return typeof code === "string" ? code : String(message ?? error);
}

function ignore(): void {
  // An end of a pipe that is gone is told by the exit.
}
