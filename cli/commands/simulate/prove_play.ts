/** Tries all schedules on all cores and shows what was covered and the shortest to each danger. */

import process from "node:process";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { UsageError } from "../../../lib/errors.ts";
import { scenarioText } from "../../../lib/sim/explore/scenario_text.ts";
import { type MoveKind, moveKinds } from "../../../lib/sim/prove/alphabet.ts";
import { type Danger, type ProofOptions, Prover } from "../../../lib/sim/prove/prove.ts";
import { schedulesOf } from "../../../lib/sim/prove/schedules.ts";
import { monotonicMs } from "../../../lib/system/clock.ts";
import { printJson } from "../../control.ts";
import { requireWritable, writeOutput } from "../../output_file.ts";
import { paintFor } from "../../render/paint.ts";
import { Progress } from "../../render/progress.ts";
import { type Proof, proofAsJson, renderProof, type Trace } from "../../render/simulation/proof.ts";
import { loadCluster, requireRivals } from "./cluster.ts";
import type { ProveJob, ProveOutcome } from "./jobs.ts";
import { runJobs } from "./pool.ts";

export interface ProvePlayOptions {
  readonly depth?: number | undefined;
  readonly faults?: readonly MoveKind[] | undefined;
  readonly bound?: number | undefined;
  readonly seed: number;
  readonly jobs?: number | undefined;
  readonly scenario?: string | undefined;
  readonly json?: true | undefined;
}

const schedulesOfJob = 100;

/** 0 never two holders, 1 two holders were found, or not all was tried. */
export async function provePlay(path: string, options: ProvePlayOptions): Promise<0 | 1> {
  const config = resolve(path);
  const cluster = await loadCluster(config);
  requireRivals(cluster, path);
  const { nodes } = cluster.settings;
  if (nodes.length < 2 || nodes.length > 3) {
    const hint = "it takes clusters of two or three; simulate explore takes any";
    throw new UsageError([`Cannot prove anything of "${path}": it has ${nodes.length} nodes; ${hint}`]);
  }
  await requireWritable(options.scenario);
  const proofOptions: ProofOptions = {
    seed: options.seed,
    kinds: options.faults ?? moveKinds,
    boundMs: options.bound ?? null,
  };
  const prover = new Prover(cluster, proofOptions);
  const depth = options.depth ?? (nodes.length === 2 ? 3 : 2);
  const covered = count(prover, depth);
  const startedMs = monotonicMs();
  const { outcomes, interruption } = await proveAll(
    config,
    proofOptions,
    covered.schedules,
    options,
    startedMs,
  );
  const traces = (["two-holders", "no-holder"] as const).map((danger) => traceTo(prover, danger, outcomes));
  const proof: Proof = {
    config: path,
    nodes,
    depth,
    moves: prover.space.moves.map(({ name }) => name),
    waitsMs: prover.space.waits,
    schedules: covered.schedules.reduce((sum, each) => sum + each, 0),
    tried: outcomes.reduce((sum, { played }) => sum + played, 0),
    interruption,
    leftOut: covered.leftOut,
    boundMs: prover.boundMs,
    traces,
  };
  const [toTwo] = traces;
  if (options.scenario !== undefined && toTwo!.scenario !== null) {
    await writeOutput(options.scenario, toTwo!.scenario);
  }
  if (options.json) printJson(proofAsJson(proof));
  else {
    const paint = await paintFor(process.stdout);
    process.stdout.write(renderProof(proof, monotonicMs() - startedMs, paint).join("\n") + "\n");
  }
  return toTwo!.count === 0 && proof.tried === proof.schedules ? 0 : 1;
}

/** Schedules by number of faults, from one on. */
function count({ space }: Prover, depth: number): { schedules: number[]; leftOut: number } {
  let leftOut = 0;
  const schedules = Array.from({ length: depth }, (_, index) => {
    let found = 0;
    for (const _ of schedulesOf(space, index + 1, () => leftOut++)) found++;
    return found;
  });
  return { schedules, leftOut };
}

async function proveAll(
  config: string,
  proofOptions: ProofOptions,
  schedules: readonly number[],
  { jobs }: ProvePlayOptions,
  startedMs: number,
): Promise<{ readonly outcomes: ProveOutcome[]; readonly interruption: string | null }> {
  const total = schedules.reduce((sum, each) => sum + each, 0);
  const progress = new Progress(process.stderr, total, "schedules");
  const outcomes: ProveOutcome[] = [];
  let done = 0;
  let interruption: string | null;
  const cores = Math.min(jobs ?? availableParallelism(), Math.ceil(total / schedulesOfJob));
  try {
    interruption = await runJobs(jobsOf(config, proofOptions, schedules), (outcome) => {
      outcomes.push(outcome);
      done += outcome.played;
      progress.show(done, monotonicMs() - startedMs);
      return true;
    }, cores);
  } finally {
    progress.end();
  }
  return { outcomes, interruption };
}

function* jobsOf(config: string, options: ProofOptions, schedules: readonly number[]): Generator<ProveJob> {
  for (const [index, total] of schedules.entries()) {
    for (let from = 0; from < total; from += schedulesOfJob) {
      yield { kind: "prove", config, options, faults: index + 1, from, count: schedulesOfJob };
    }
  }
}

/** The shortest of the schedules that lead to a danger; of equally short ones the first in the order of enumeration. */
function traceTo(prover: Prover, danger: Danger, outcomes: readonly ProveOutcome[]): Trace {
  const found = outcomes.flatMap((outcome) => outcome.found.filter((each) => each.danger === danger));
  const all = found.reduce((sum, { count }) => sum + count, 0);
  const [shortest] = found.sort((a, b) => a.schedule.length - b.schedule.length || a.index - b.index);
  if (shortest === undefined) {
    return { danger, count: 0, schedule: null, sentence: null, events: [], scenario: null };
  }
  const { schedule } = shortest;
  const { simulation, verdicts } = prover.play(schedule);
  const verdict = verdicts.find((each) => each.danger === danger)!;
  const beginMs = prover.beginMs;
  const { settings } = prover.cluster;
  return {
    danger,
    count: all,
    schedule: prover.inWords(schedule),
    sentence: verdict.sentence,
    events: simulation.trace.entries
      .filter(({ atMs, kind }) => atMs >= beginMs && atMs <= verdict.atMs + 1 && kind !== "answer")
      .map(({ atMs, node, sentence }) => ({ atMs, node, sentence })),
    scenario: scenarioText({
      about: `Found by heartline simulate prove: ${prover.inWords(schedule)}. ${verdict.sentence}.`,
      seed: prover.seed,
      durationMs: Math.ceil(prover.endMs(schedule)),
      settings,
      config: outcomes[0]!.config,
      startAtMs: {},
      faults: prover.faultsOf(schedule),
      expectations: danger === "two-holders" ? ["never-two-holders"] : [],
    }),
  };
}
