/**
 * Does the simulator tell the truth? The same configuration and the same faults, once with real daemons in network
 * namespaces and once in virtual time: at every instant the holders must be those that the other had within one
 * keepalive. When in the course of a keepalive a fault strikes, and how far the heartbeats of the two nodes are apart,
 * is chance outside; in virtual time several such phases of both are tried, of which one must agree.
 */

import assert from "node:assert/strict";
import { plainContext, settingsFromYaml } from "../../lib/config/load.ts";
import type { Settings } from "../../lib/core/settings.ts";
import { type Cluster, simulate } from "../../lib/sim/cluster.ts";
import type { Fault, PlannedFault } from "../../lib/sim/faults.ts";
import { monotonicMs } from "../../lib/system/clock.ts";
import { type ConfigOptions, heartlineYaml } from "../../scripts/lab/config.ts";
import type { Lab } from "../../scripts/lab/lab.ts";
import { between, type HolderChange } from "../../scripts/lab/timeline.ts";
import { cannotRun, type Pair, targets, waitFor, withPair } from "./harness.ts";

const keepaliveMs = 400;
const deadTimeMs = 2_000;
/** Heartbeats run on a link of their own, so that it can be cut alone. */
const config: ConfigOptions = { keepaliveMs, deadTimeMs, links: ["hb0"] };
const withArbiter: ConfigOptions = {
  ...config,
  extra: { arbiters: [{ ping: ["10.77.1.254"], "on-unreachable": "release" }] },
};

/** Laboratories at the same time. More: daemons wait for the processor, and the test measures that. */
const labsAtOnce = 2;
/** In virtual time the cluster has come to rest by then. */
const blowAtMs = 10_000;
/** As many of the fault to the heartbeats, and of the two nodes' heartbeats to each other. */
const phases = 8;
const phaseMs = keepaliveMs / phases;
/** Before the blow: what was so then is compared too. */
const leadMs = 500;
/** Between two comparisons. */
const stepMs = 10;

interface Case {
  readonly name: string;
  readonly config: ConfigOptions;
  /** For how long holders are compared after the blow. */
  readonly watchMs: number;
  /** Answers when it struck, where that is not when it began. */
  readonly blow: (pair: Pair) => Promise<number | void>;
  /** The same in virtual time, after the blow. */
  readonly faults: readonly PlannedFault[];
  /** Both must have seen these, or nothing was compared. */
  readonly holders: readonly string[];
}

const linkCut: Fault = { kind: "link", from: null, medium: null, to: null, quality: { isCut: true } };

const cases: readonly Case[] = [
  {
    name: "power-off of the holder",
    config,
    watchMs: 4_000,
    blow: ({ lab }) => lab.powerOff("node1"),
    faults: [{ atMs: 0, fault: { kind: "power-off", node: "node1" } }],
    holders: ["node1", "", "node2"],
  },
  {
    name: "SIGKILL of the holder's daemon",
    config,
    watchMs: 4_000,
    blow: async ({ lab }) => await lab.kill("node1"),
    faults: [{ atMs: 0, fault: { kind: "kill", node: "node1" } }],
    holders: ["node1", "", "node2"],
  },
  {
    name: "the holder's daemon stands still for 4 s",
    config,
    watchMs: 7_000,
    blow: async ({ lab }) => {
      lab.kill("node1", "SIGSTOP");
      await pause(4_000);
      lab.kill("node1", "SIGCONT");
    },
    faults: [
      { atMs: 0, fault: { kind: "pause", node: "node1" } },
      { atMs: 4_000, fault: { kind: "resume", node: "node1" } },
    ],
    holders: ["node1", "", "node2"],
  },
  {
    name: "all heartbeat links cut: the wire vetoes",
    config,
    watchMs: 5_000,
    blow: ({ lab }) => lab.mute("node1", "hb0"),
    faults: [{ atMs: 0, fault: linkCut }],
    holders: ["node1"],
  },
  {
    name: "partition of both networks, an arbiter on the other side",
    config: withArbiter,
    watchMs: 5_000,
    blow: ({ lab }) => lab.mute("node1", "all"),
    faults: [
      { atMs: 0, fault: linkCut },
      { atMs: 0, fault: { kind: "segment", node: "node1", segment: 1 } },
    ],
    holders: ["node1", "", "node2"],
  },
  {
    name: "planned takeover",
    config,
    watchMs: 2_000,
    blow: async ({ lab, target }) => {
      const { code, stderr } = await lab.heartline("node2", target, ["takeover"]);
      assert.equal(code, 0, stderr);
      // The command is a program that has to start first.
      return lab.lines().find(({ node, line }) => node === "node2" && / command-takeover: /.test(line))!.atMs;
    },
    faults: [{
      atMs: 0,
      fault: { kind: "command", node: "node2", command: { kind: "takeover", groups: [] } },
    }],
    holders: ["node1", "node2"],
  },
];

/** Who holds the address from just before 0 (the blow) on; each entry lasts until the next. */
type Course = readonly HolderChange[];

async function realCourse(
  target: "source" | "binary",
  { config, watchMs, blow }: Case,
): Promise<[Course, Cluster]> {
  let course: Course = [];
  let cluster: Cluster | null = null;
  await withPair(target, { config }, async (pair) => {
    cluster = clusterOf(pair.lab, config);
    await pair.untilHeldBy("node1");
    for (const node of pair.lab.nodes) await pair.untilSaid(node, / notice settled: /);
    await pair.untilSaid("node1", / notice group-started: /);
    await pause(leadMs);
    const beganMs = monotonicMs();
    const atMs = await blow(pair) ?? beganMs;
    await waitFor(() => monotonicMs() >= atMs + watchMs, "the time to watch is over", 2 * watchMs);
    const { changes } = between(pair.holders.timeline(), atMs - leadMs, atMs + watchMs);
    course = changes.map((change) => ({ atMs: change.atMs - atMs, holders: change.holders }));
  });
  return [course, cluster!];
}

/** What the nodes of the laboratory read, as they read it. */
function clusterOf(lab: Lab, config: ConfigOptions): Cluster {
  const text = heartlineYaml(lab, config);
  const settingsOf = new Map(lab.nodes.map((node): [string, Settings] => {
    const { settings, problems } = settingsFromYaml(text, "heartline.yaml", plainContext(node));
    assert.ok(settings !== null, JSON.stringify(problems));
    return [node, settings];
  }));
  return { settings: settingsOf.get(lab.nodes[0]!)!, settingsOf };
}

/** `blowPhase`: of the fault; `peerPhase`: how many later the second node starts. */
function simulatedCourse(
  cluster: Cluster,
  { faults, watchMs }: Case,
  blowPhase: number,
  peerPhase: number,
): Course {
  const fromMs = blowAtMs + blowPhase * phaseMs;
  const simulation = simulate(cluster, 1, { node2: peerPhase * phaseMs });
  for (const { atMs, fault } of faults) simulation.at(fromMs + atMs, fault);
  simulation.run(fromMs + watchMs);
  const intervals = simulation.trace.holders("web").filter(({ toMs }) =>
    toMs === null || toMs > fromMs - leadMs
  );
  return intervals.map(({ fromMs: at, holders }) => ({ atMs: Math.max(-leadMs, at - fromMs), holders }));
}

/** By how much one must be moved, at the worst instant, to have the holders of the other; `Infinity`: never had. */
function distanceMs(one: Course, other: Course, watchMs: number): number {
  let worst = 0;
  for (let atMs = -leadMs; atMs < watchMs; atMs += stepMs) {
    const holders = holdersAt(one, atMs);
    let nearest = Infinity;
    for (const [index, change] of other.entries()) {
      if (change.holders.join() !== holders) continue;
      const endMs = other[index + 1]?.atMs ?? watchMs;
      nearest = Math.min(nearest, Math.max(0, change.atMs - atMs, atMs - endMs));
    }
    worst = Math.max(worst, nearest);
  }
  return worst;
}

function holdersAt(course: Course, atMs: number): string {
  return course.findLast((change) => change.atMs <= atMs)?.holders.join() ?? "";
}

function apartMs(real: Course, simulated: Course, watchMs: number): number {
  return Math.max(distanceMs(real, simulated, watchMs), distanceMs(simulated, real, watchMs));
}

function inWords(course: Course): string {
  return course.map(({ atMs, holders }) => `${Math.round(atMs)} ms ${holders.join(" AND ") || "nobody"}`)
    .join(", ");
}

async function compare(target: "source" | "binary", each: Case): Promise<string> {
  const [real, cluster] = await realCourse(target, each);
  const courses = Array.from(
    { length: phases ** 2 },
    (_, at) => simulatedCourse(cluster, each, at % phases, Math.floor(at / phases)),
  );
  const nearest = courses.map((course) => ({ course, ms: apartMs(real, course, each.watchMs) }))
    .sort((a, b) => a.ms - b.ms)[0]!;
  const story = `${each.name}: real ${inWords(real)}; simulated ${inWords(nearest.course)}`;
  assert.ok(nearest.ms <= keepaliveMs, `${nearest.ms} ms apart: ${story}`);
  // What lasts for milliseconds the sampler need not have seen.
  for (const holders of each.holders) {
    for (const course of [real, nearest.course]) {
      assert.ok(
        course.some((change) => change.holders.join() === holders),
        `never held by "${holders}": ${story}`,
      );
    }
  }
  return `${story} (${nearest.ms} ms apart)`;
}

/** A simulator that is wrong is so again; a daemon that was not given the processor in time is not. */
async function compareAgain(target: "source" | "binary", each: Case): Promise<string> {
  try {
    return await compare(target, each);
  } catch (error) {
    console.warn(`once more: ${error}`);
    return await compare(target, each);
  }
}

/** All cases, a few at a time; all failures at once. */
async function compareAll(target: "source" | "binary"): Promise<void> {
  const queue = [...cases];
  const failures: unknown[] = [];
  const work = async () => {
    for (let each = queue.shift(); each !== undefined; each = queue.shift()) {
      await compareAgain(target, each).then(console.log, (error) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: labsAtOnce }, work));
  if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join("\n"));
}

// One target suffices: it is the simulator that is on trial.
const target = targets()[0]!;
const title = `six scenarios go as in the simulator, within one keepalive (${target})`;
const reason = cannotRun(target);
if (reason !== null) console.warn(`SKIP "${title}": ${reason}`);
Deno.test({ name: title, ignore: reason !== null, fn: () => compareAll(target) });

Deno.test("a course that is a keepalive later, or holds somebody else, is told apart", () => {
  const course = (...changes: [atMs: number, holder: string][]): Course =>
    changes.map(([atMs, holder]) => ({ atMs, holders: holder === "" ? [] : [holder] }));
  const one = course([-leadMs, "node1"], [1_000, ""], [2_000, "node2"]);
  assert.equal(apartMs(one, one, 4_000), 0);
  const later = course([-leadMs, "node1"], [1_000, ""], [2_500, "node2"]);
  assert.ok(Math.abs(apartMs(one, later, 4_000) - 500) <= stepMs);
  assert.equal(apartMs(one, course([-leadMs, "node1"]), 4_000), Infinity);
});

function pause(ms: number): Promise<void> {
  const endMs = monotonicMs() + ms;
  return waitFor(() => monotonicMs() >= endMs, "a pause", 2 * ms);
}
