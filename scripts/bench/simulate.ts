/**
 * How fast the simulator is: virtual events per second on one core, a quiet day of a pair, and explored schedules on
 * all cores. Figures of one run on this machine; nothing is asserted.
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Cluster } from "../../lib/sim/cluster.ts";
import { clusterSettings } from "../../lib/sim/cluster_settings.ts";
import { runSeed } from "../../lib/sim/explore/explore.ts";
import { Simulation } from "../../lib/sim/simulation.ts";
import { monotonicMs } from "../../lib/system/clock.ts";
import { heartline, type Target } from "../lab/daemon.ts";

const dayMs = 24 * 3_600_000;

const pairYaml = `nodes: [n1, n2]
keepalive: 200ms
deadtime: 1s
initdead: 2s
links: [{ bcast: { dev: hb0 } }, { bcast: { dev: hb1 } }]
keys: { sign-with: 1, keys: [{ index: 1, method: sha256, secret: for-the-benchmark-only }] }
groups: { web: { resources: [{ vip: 192.0.2.100/24, dev: eth0, lease: 1s }] } }
`;

function quietPair(keepaliveMs: number): Simulation {
  const settings = clusterSettings({
    nodes: ["n1", "n2"],
    links: 2,
    timing: { keepaliveMs, deadTimeMs: 5 * keepaliveMs },
    groups: [{ name: "web", resources: [{ leaseSeconds: 5 }] }],
  });
  return new Simulation({ seed: 1, settings });
}

/** Seconds of processor time that `work` takes here: other programs do not count. */
function secondsOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

export function benchSimulator(target: Target, print: (text: string) => void): void {
  for (let seed = 1; seed <= 40; seed++) runSeed(seed);

  const quiet = quietPair(1_000);
  const daySeconds = secondsOf(() => quiet.run(dayMs));
  const perSecond = Math.round(quiet.queue.count / daySeconds);
  print("simulator, in processor time                          target");
  print(
    `  a quiet day of a pair, keepalive 1 s, two links  ${daySeconds.toFixed(2).padStart(7)} s     below 2 s`,
  );
  print(`  events per second on one core, quiet pair        ${String(perSecond).padStart(7)}       400000`);

  let events = 0;
  const stormSeconds = secondsOf(() => {
    for (let seed = 1_000; seed < 1_100; seed++) events += runSeed(seed).simulation.queue.count;
  });
  const stormy = Math.round(events / stormSeconds);
  print(`  the same, 100 random storms with all checkers    ${String(stormy).padStart(7)}`);

  const pair: Cluster = { settings: quietPair(200).settings, settingsOf: null };
  const schedules = 1_000;
  const exploreSeconds = secondsOf(() => {
    for (let seed = 0; seed < schedules; seed++) runSeed(seed, pair);
  });
  const rate = Math.round(schedules / exploreSeconds);
  print(`  schedules of a pair explored per second and core ${String(rate).padStart(7)}           84`);

  const directory = mkdtempSync(join(tmpdir(), "heartline-bench-"));
  try {
    const config = join(directory, "pair.yaml");
    writeFileSync(config, pairYaml, { mode: 0o600 });
    const [file, ...args] = heartline(target);
    const explore = [...args, "simulate", "explore", config, "--runs", "10000", "--seed", "1", "--json"];
    const fromMs = monotonicMs();
    const { status, error } = spawnSync(file!, explore, { stdio: ["ignore", "ignore", "inherit"] });
    const seconds = (monotonicMs() - fromMs) / 1000;
    const cores = availableParallelism();
    if (error !== undefined) {
      throw new Error(`${file} does not start (${error.message}): deno task compile, or --source`);
    }
    const outcome = status === 0 ? "" : `  (exit code ${status})`;
    print(
      `  10000 of them on ${cores} cores, by the clock`.padEnd(51) +
        `${seconds.toFixed(1).padStart(7)} s     below 60 s on two${outcome}\n`,
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
}
