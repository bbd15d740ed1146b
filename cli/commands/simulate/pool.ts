/**
 * Runs jobs on all cores: each in a child process that is this very program (`simulate worker`), one job at a time, as
 * lines of JSON. With one core the jobs run here. Children end with their standard input, so none outlives us. After
 * Ctrl-C or SIGTERM, or when a child dies, no more jobs are drawn, so that what was done until then can be shown; a
 * second signal ends the program at once.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import process from "node:process";
import { createInterface } from "node:readline";
import { ownCommand } from "../../../lib/system/own_command.ts";
import { type Job, type OutcomeOf, runJob } from "./jobs.ts";

/** Told of each outcome, in the order of their coming; `false` ends the work: jobs under way are still told. */
export type OnOutcome<J extends Job> = (outcome: OutcomeOf<J>, job: J) => boolean;

/** What jobs are drawn from, and where their outcomes go. */
interface Work<J extends Job> {
  readonly next: () => J | null;
  readonly take: (outcome: OutcomeOf<J>, job: J) => void;
  /** A job that was drawn has no outcome, for this reason; no more are drawn. */
  readonly lose: (reason: string) => void;
}

const signals = ["SIGINT", "SIGTERM"] as const;

/**
 * Runs until there are no more jobs. They are drawn in order, as workers become free. Answers why some were left out;
 * `null`: none were, or an outcome ended the work.
 */
export async function runJobs<J extends Job>(
  jobs: Iterable<J>,
  onOutcome: OnOutcome<J>,
  cores = availableParallelism(),
): Promise<string | null> {
  const queue = jobs[Symbol.iterator]();
  let isOver = false;
  let reason: string | null = null;
  let isJobLost = false;
  const stop = (why: string) => {
    isOver = true;
    reason ??= why;
  };
  const work: Work<J> = {
    next: () => isOver ? null : queue.next().value as J | undefined ?? null,
    take: (outcome, job) => {
      if (!onOutcome(outcome, job)) isOver = true;
    },
    lose: (why) => {
      isJobLost = true;
      stop(why);
    },
  };
  const interrupt = (signal: string) => {
    unhook();
    stop(signal === "SIGINT" ? "Ctrl-C" : signal);
  };
  const unhook = () => signals.forEach((signal) => process.off(signal, interrupt));
  signals.forEach((signal) => process.on(signal, interrupt));
  try {
    if (cores <= 1) await runHere(work);
    else await Promise.all(Array.from({ length: cores }, () => runInChild(work)));
  } finally {
    unhook();
  }
  return isJobLost || queue.next().done !== true ? reason : null;
}

async function runHere<J extends Job>({ next, take }: Work<J>): Promise<void> {
  for (let job = next(); job !== null; job = next()) {
    take(await runJob(job), job);
    // A signal, or the terminal, gets its turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function runInChild<J extends Job>({ next, take, lose }: Work<J>): Promise<void> {
  let job = next();
  if (job === null) return;
  const { file, args } = ownCommand(["simulate", "worker"]);
  // Not in the terminal's own process group: Ctrl-C is for us, who may still want to tell what was done.
  const child = spawn(file, [...args], { stdio: ["pipe", "pipe", "inherit"], detached: true });
  const ended = endOf(child);
  // One that dies is noticed by its end, not by what cannot be written to it.
  child.stdin.on("error", () => {});
  child.stdin.write(`${JSON.stringify(job)}\n`);
  for await (const line of createInterface({ input: child.stdout })) {
    const outcome = outcomeIn<J>(line);
    if (outcome === null) break;
    take(outcome, job!);
    job = next();
    if (job === null) break;
    child.stdin.write(`${JSON.stringify(job)}\n`);
  }
  child.stdin.end();
  const how = await ended;
  if (job !== null) lose(`a worker ended with ${how}; try --jobs 1`);
}

/** `null`: the child died while it wrote. */
function outcomeIn<J extends Job>(line: string): OutcomeOf<J> | null {
  try {
    return JSON.parse(line) as OutcomeOf<J>;
  } catch {
    return null;
  }
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once("error", (cause) => resolve(cause.message));
    child.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
}
