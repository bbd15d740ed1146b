/**
 * `deno task sim [SEED] [--runs N]`: random faults on a simulated cluster, then heal; every promise is checked. Ends
 * with 1 at the first seed that breaks one, with a readable transcript of the last decisions and the line that runs
 * it again.
 */

import process from "node:process";
import { performance } from "node:perf_hooks";
import { runSeed } from "../lib/sim/explore.ts";

const args = process.argv.slice(2);
let runs: number | null = null;
let seed: number | null = null;
let isVerbose = false;
let isGoingOn = false;
for (let i = 0; i < args.length; i++) {
  const arg = args[i]!;
  if (arg === "--runs") runs = whole(args[++i]);
  else if (arg === "--transcript") isVerbose = true;
  else if (arg === "--keep-going") isGoingOn = true;
  else seed = whole(arg);
}

function whole(text: string | undefined): number {
  if (text !== undefined && /^\d{1,15}$/.test(text)) return Number(text);
  process.stderr.write(
    `"${text}" is no whole number: deno task sim [SEED] [--runs N] [--transcript] [--keep-going]\n`,
  );
  process.exit(2);
}

const first = seed ?? Math.floor(Math.random() * 1e9);
const count = runs ?? (seed === null ? 200 : 1);
process.stdout.write(`seed ${first}, ${count} ${count === 1 ? "run" : "runs"}\n`);
const startedMs = performance.now();
let events = 0;
let virtualMs = 0;
let failures = 0;
for (let run = 0; run < count; run++) {
  const { simulation, violation, plan, seed: current } = runSeed(first + run);
  events += simulation.queue.count;
  virtualMs += simulation.nowMs;
  if (isVerbose || (violation !== null && !isGoingOn)) {
    const { nodes, timing, groups } = plan.settings;
    process.stdout.write(`regime ${plan.regime}, nodes ${nodes.join(" ")}, ${JSON.stringify(timing)}\n`);
    for (const { name, nodes: order, failback, waitForLease, resources } of groups) {
      const what = resources.map(({ spec }) => spec.kind === "vip" ? `vip(${spec.leaseSeconds})` : "script")
        .join(" ");
      process.stdout.write(
        `  ${name}: ${what} on ${order.join(" ")}, failback ${failback.kind}, wait ${waitForLease}\n`,
      );
    }
    process.stdout.write(`${simulation.trace.transcript(isVerbose ? 1e9 : 60)}\n`);
  }
  if (violation === null) continue;
  failures++;
  process.stdout.write(
    `VIOLATION with seed ${current} (${plan.regime}) ${violation}\nrun it again: deno task sim ${current}\n`,
  );
  if (!isGoingOn) break;
}
const seconds = (performance.now() - startedMs) / 1000;
process.stdout.write(
  `${events} events in ${seconds.toFixed(1)} s (${Math.round(events / seconds)} per second), ` +
    `${(virtualMs / 1000).toFixed(0)} s of virtual time, ${failures} violations\n`,
);
process.exit(failures > 0 ? 1 : 0);
