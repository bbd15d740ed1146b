/**
 * Runs jobs on all cores: each in a child process that is this very program (`simulate worker`), one job at a time, as
 * lines of JSON. With one core the jobs run here. Children end with their standard input, so none outlives us. After
 * Ctrl-C no more jobs are drawn, so that what was done until then can be shown; a second one ends the program at once.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import process from "node:process";
import { createInterface } from "node:readline";
import { EnvironmentError } from "../../../lib/errors.ts";
import { ownCommand } from "../../../lib/system/own_command.ts";
import { type Job, type OutcomeOf, runJob } from "./jobs.ts";

/** Told of each outcome, in the order of their coming; `false` ends the work: jobs under way are still told. */
export type OnOutcome<J extends Job> = (outcome: OutcomeOf<J>, job: J) => boolean;

/** Runs until there are no more jobs, or Ctrl-C. They are drawn in order, as workers become free. */
export async function runJobs<J extends Job>(
  jobs: Iterable<J>,
  onOutcome: OnOutcome<J>,
  cores = availableParallelism(),
): Promise<void> {
  const queue = jobs[Symbol.iterator]();
  let isOver = false;
  const next = () => isOver ? null : queue.next().value as J | undefined ?? null;
  const take = (outcome: OutcomeOf<J>, job: J) => {
    if (!onOutcome(outcome, job)) isOver = true;
  };
  const interrupt = () => void (isOver = true);
  process.once("SIGINT", interrupt);
  try {
    if (cores <= 1) await runHere(next, take);
    else await Promise.all(Array.from({ length: cores }, () => runInChild(next, take)));
  } finally {
    process.off("SIGINT", interrupt);
  }
}

async function runHere<J extends Job>(
  next: () => J | null,
  take: (outcome: OutcomeOf<J>, job: J) => void,
): Promise<void> {
  for (let job = next(); job !== null; job = next()) {
    take(await runJob(job), job);
    // A signal, or the terminal, gets its turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function runInChild<J extends Job>(
  next: () => J | null,
  take: (outcome: OutcomeOf<J>, job: J) => void,
): Promise<void> {
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
    take(JSON.parse(line) as OutcomeOf<J>, job!);
    job = next();
    if (job === null) break;
    child.stdin.write(`${JSON.stringify(job)}\n`);
  }
  child.stdin.end();
  const how = await ended;
  if (job !== null) {
    throw new EnvironmentError(`Cannot simulate on all cores: a worker ended with ${how}; try --jobs 1`);
  }
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once("error", (cause) => resolve(cause.message));
    child.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
}
