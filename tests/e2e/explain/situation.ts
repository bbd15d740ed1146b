/**
 * What a situation is: something that befalls a pair of real daemons of any make, who holds the address then, and what
 * `heartline detect --explain` must say of it on which machine. Situations of one course follow each other in one
 * laboratory; courses run side by side. Each situation is a test of its own.
 */

import assert from "node:assert/strict";
import { VIP } from "../../../scripts/lab/config.ts";
import type { Target } from "../../../scripts/lab/daemon.ts";
import { Lab, type LabOptions } from "../../../scripts/lab/lab.ts";
import { HolderSampler } from "../../../scripts/lab/samplers.ts";
import { monotonicMs } from "../../../lib/system/clock.ts";
import { cannotRun, waitFor } from "../harness.ts";

export interface Situation {
  readonly name: string;
  /** What befalls the pair, from the situation before. */
  readonly befall?: (lab: Lab) => unknown;
  /** Who holds the address when it is asked. */
  readonly holders: readonly string[];
  readonly ask: readonly Ask[];
}

export interface Ask {
  /** A node, or `client`: a third machine. Of several, one at least must find it. */
  readonly at: string | readonly string[];
  /** Instead of the course's own. */
  readonly args?: readonly string[];
  readonly verdict: "ok" | "warning" | "critical";
  /** Code of the first cause; left out: there is none. */
  readonly cause?: string;
  /** What its sentence says. */
  readonly says?: RegExp;
  /** The command that it tells to type. */
  readonly next?: RegExp;
}

export interface Course {
  readonly name: string;
  readonly needs: readonly string[];
  readonly lab?: LabOptions;
  /** Starts the daemons. */
  readonly start: (lab: Lab, target: Target) => unknown;
  /** Arguments of `detect` on a machine, besides `--explain`. */
  readonly args: (lab: Lab, at: string) => readonly string[];
  readonly situations: readonly Situation[];
}

/** Real daemons of other makes wait for seconds, on a busy machine for many. */
const deadlineMs = 120_000;
const settledMs = 1200;
/** Courses at a time: more of them, and daemons on two cores starve into split brains of their own. */
const coursesMax = 4;

/** Registers every situation as a test. */
export function registerCourses(courses: readonly Course[], target: Target): void {
  const plays = courses.map((course) => ({ course, outcomes: outcomesOf(course) }));
  let begun: Promise<unknown> | null = null;
  const beginAll = () => {
    const queue = plays.filter(({ course }) => cannotRun(target, course.needs) === null);
    const worker = async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        await play(next.course, target, next.outcomes);
      }
    };
    begun ??= Promise.all(Array.from({ length: coursesMax }, worker));
  };
  for (const { course, outcomes } of plays) {
    const reason = cannotRun(target, course.needs);
    if (reason !== null) console.warn(`SKIP "${course.name}": ${reason}`);
    for (const [index, situation] of course.situations.entries()) {
      Deno.test({
        name: `${course.name}: ${situation.name} (${target})`,
        ignore: reason !== null,
        // The courses go on in the background of each other's tests.
        sanitizeOps: false,
        sanitizeResources: false,
        fn: async () => {
          beginAll();
          await outcomes[index]!.promise;
        },
      });
    }
  }
  Deno.test({
    name: `all laboratories of the explained situations are gone (${target})`,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => void await begun,
  });
}

type Outcome = PromiseWithResolvers<void>;

function outcomesOf({ situations }: Course): Outcome[] {
  return situations.map(() => {
    const outcome = Promise.withResolvers<void>();
    outcome.promise.catch(() => {}); // told by its test
    return outcome;
  });
}

async function play(course: Course, target: Target, outcomes: readonly Outcome[]): Promise<void> {
  let lab: Lab | null = null;
  let holders: HolderSampler | null = null;
  try {
    lab = await Lab.build({ prefix: "hlwhy", ...course.lab });
    holders = new HolderSampler(lab, VIP, 50);
    await course.start(lab, target);
  } catch (error) {
    for (const outcome of outcomes) outcome.reject(error);
  }
  try {
    if (lab === null || holders === null) return;
    for (const [index, situation] of course.situations.entries()) {
      try {
        await situation.befall?.(lab);
        await untilSettled(holders, situation.holders);
        await Promise.all(situation.ask.map((ask) => askAndJudge(course, lab!, target, ask)));
        outcomes[index]!.resolve();
      } catch (error) {
        const said = lab.lines().slice(-30).map(({ node, line }) => `${node}: ${line}`).join("\n");
        outcomes[index]!.reject(new Error(`${course.name}, ${situation.name}:\n${said}`, { cause: error }));
      }
    }
  } finally {
    holders?.stop();
    await lab?.destroy();
  }
}

/** Daemons that have just found each other may go to and fro: they must have stayed so for a while. */
async function untilSettled(holders: HolderSampler, wanted: readonly string[]): Promise<void> {
  const sample = () => holders.sample().join();
  let sinceMs = monotonicMs();
  await waitFor(
    () => {
      if (sample() !== wanted.join()) sinceMs = monotonicMs();
      return monotonicMs() - sinceMs > settledMs;
    },
    `${wanted.join(" and ") || "nobody"} holds ${VIP}; now: ${sample() || "nobody"}`,
    deadlineMs,
  );
}

interface Found {
  readonly severity: string;
  readonly verdicts: ReadonlyArray<{ readonly sentence: string }>;
  readonly unseen: readonly unknown[];
  readonly causes: ReadonlyArray<{
    readonly code: string;
    readonly certainty: string;
    readonly sentence: string;
    readonly next: string | null;
    readonly evidence: readonly string[];
  }>;
}

async function askAndJudge(course: Course, lab: Lab, target: Target, ask: Ask): Promise<void> {
  if (typeof ask.at === "string") return await askAt(ask.at, course, lab, target, ask);
  const tried = ask.at.map((at) => askAt(at, course, lab, target, ask));
  await Promise.any(tried);
  await Promise.allSettled(tried);
}

async function askAt(at: string, course: Course, lab: Lab, target: Target, ask: Ask): Promise<void> {
  const args = ["detect", "--json", "--explain", ...(ask.args ?? course.args(lab, at))];
  const ended = await lab.heartline(at, target, args);
  assert.ok(ended.stdout.startsWith("{"), `${args.join(" ")}: ${ended.stdout}${ended.stderr}`);
  const found = JSON.parse(ended.stdout) as Found;
  const { verdicts, causes, unseen } = found;
  const shown = JSON.stringify({ verdicts, causes, unseen }, null, 1);
  const [first] = found.causes;
  assert.equal(found.severity, ask.verdict, `verdict at ${at}: ${shown}`);
  assert.equal(first?.code, ask.cause, `cause at ${at}: ${shown}`);
  if (ask.says !== undefined) assert.match(first?.sentence ?? "", ask.says, `sentence at ${at}`);
  if (ask.next !== undefined) assert.match(first?.next ?? "", ask.next, `next command at ${at}`);
}

/** Runs a shell command on a node; it must succeed. */
export async function shell(lab: Lab, where: string, command: string): Promise<void> {
  const ended = await lab.exec(where, ["sh", "-c", command]);
  assert.equal(ended.code, 0, `${where}: ${command}: ${ended.stderr}`);
}

/** Waits until a node has put the address on. */
export async function untilHeld(lab: Lab, node: string): Promise<void> {
  const command =
    `for i in $(seq 300); do ip addr show | grep -q "inet ${VIP}/" && exit; sleep 0.2; done; exit 1`;
  await shell(lab, node, command);
}

/** Sends a signal to all processes of a name in one node, which has process numbers of its own. */
export async function signal(
  lab: Lab,
  node: string,
  name: string,
  word: "STOP" | "CONT" | "KILL",
): Promise<void> {
  await shell(
    lab,
    node,
    `for p in /proc/[0-9]*; do case "$(cat $p/comm 2>/dev/null)" in ${name}) kill -${word} \${p#/proc/};; esac; done`,
  );
}

/** Flags for a pair of nodes with addresses on the service network, and one private link where it is named. */
export function pairFlags(lab: Lab, at: string, link: string | null): string[] {
  const [one, two] = lab.nodes as [string, string];
  const other = at === one ? two : one;
  return [
    ...["--vip", VIP, "--primary", lab.network.address(one, "pub0")],
    ...["--standby", lab.network.address(two, "pub0"), "--window", "2500ms"],
    ...(link === null || at === "client" ? [] : ["--link", `${link}=${lab.network.address(other, link)}`]),
  ];
}
