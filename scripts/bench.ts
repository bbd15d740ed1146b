/**
 * `deno task bench`: how long a client is without its address. For several deadtimes (keepalive a fifth of each) the
 * holder is switched off at ten random moments, and planned takeovers are made; then how many messages get through,
 * what the quiet daemon costs, and how fast the commands start. Figures and ratios of one run on this machine; nothing is asserted.
 *
 *     deno task bench [--source] [--deaths N] [--only deaths|moves|messages|idle|start|simulate]
 *
 * Needs root, for network namespaces; `--only simulate` does not.
 */

import { existsSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { monotonicMs } from "../lib/system/clock.ts";
import { writeConfig } from "./lab/config.ts";
import type { Target } from "./lab/daemon.ts";
import { carried, readingRate } from "./bench/throughput.ts";
import { Lab } from "./lab/lab.ts";
import { benchSimulator } from "./bench/simulate.ts";
import { run } from "./lab/run.ts";
import { ClientPinger, HolderSampler } from "./lab/samplers.ts";
import { overlapMs } from "./lab/timeline.ts";

const VIP = "10.77.1.100";
/** What the same measurement gave for other daemons (keepalived: VRRPv3 at 100 ms; Heartbeat 3.0.6: 200 ms/1 s). */
const elsewhere = "keepalived 0.96 of its detection time, Heartbeat 3.0.6 1.44";
const limit = "0.90: a death falls, on average, half a keepalive after the last heartbeat";

const { values } = parseArgs({
  options: {
    source: { type: "boolean", default: false },
    deaths: { type: "string", default: "10" },
    only: { type: "string" },
  },
});
const target: Target = values.source ? "source" : "binary";
const deaths = Number(values.deaths);
const wants = (part: string) => values.only === undefined || values.only === part;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(condition: () => boolean, what: string, limitMs = 20_000): Promise<void> {
  const endMs = monotonicMs() + limitMs;
  while (!condition()) {
    if (monotonicMs() > endMs) throw new Error(`did not come true within ${limitMs / 1000} s: ${what}`);
    await sleep(5);
  }
}

/** Starts a node's daemon and waits until it takes part. */
async function join(lab: Lab, node: string): Promise<void> {
  const daemon = lab.start(node, { target });
  await until(() => daemon.lines.some(({ line }) => line.includes(" settled:")), `${node} takes part`);
}

interface Measured {
  readonly outagesMs: number[];
  readonly overlap: number;
  /** The longest time in which the measurement itself did not look. */
  readonly blindMs: number;
}

/** Works with two nodes that run with this deadtime, the client pinging all the while. */
async function withPair(
  deadTimeMs: number,
  work: (
    lab: Lab,
    sampler: HolderSampler,
    outage: (act: () => Promise<void>) => Promise<number>,
  ) => Promise<void>,
): Promise<Measured> {
  const lab = await Lab.build({ prefix: "hlbench" });
  try {
    writeConfig(lab, { deadTimeMs, initDeadMs: Math.max(2000, 2 * deadTimeMs), realtime: true });
    await Promise.all(lab.nodes.map((node) => join(lab, node)));
    const sampler = new HolderSampler(lab, VIP);
    const pinger = new ClientPinger(lab, VIP);
    const outagesMs: number[] = [];
    let blindMs = 0;
    try {
      await until(() => sampler.sample().length === 1, "somebody holds the address");
      await work(lab, sampler, async (act) => {
        const fromMs = monotonicMs();
        await act();
        await until(() => (pinger.lastReplyAtMs ?? 0) > monotonicMs() - 20, "the address answers again");
        const outageMs = pinger.outageMs(fromMs, monotonicMs());
        outagesMs.push(outageMs);
        blindMs = Math.max(blindMs, pinger.pollGapMaxMs);
        return outageMs;
      });
    } finally {
      pinger.stop();
      sampler.stop();
    }
    return { outagesMs, overlap: overlapMs(sampler.timeline()), blindMs };
  } finally {
    await lab.destroy();
  }
}

function measureDeaths(deadTimeMs: number): Promise<Measured> {
  return withPair(deadTimeMs, async (lab, sampler, outage) => {
    for (let i = 1; i <= deaths; i++) {
      await sleep(500 + Math.random() * deadTimeMs);
      const [holder] = sampler.sample();
      if (holder === undefined) throw new Error("nobody holds the address");
      const survivor = lab.nodes.find((node) => node !== holder)!;
      const ms = await outage(async () => {
        await lab.powerOff(holder);
        await until(() => sampler.sample().includes(survivor), `${survivor} takes over`);
      });
      progress(`deadtime ${deadTimeMs} ms, death ${i} of ${deaths}: ${ms.toFixed(0)} ms`);
      await lab.powerOn(holder);
      await join(lab, holder);
    }
  });
}

function measureMoves(): Promise<Measured> {
  return withPair(1000, async (lab, sampler, outage) => {
    for (let i = 1; i <= 10; i++) {
      await sleep(300 + Math.random() * 300);
      const [holder] = sampler.sample();
      const other = lab.nodes.find((node) => node !== holder)!;
      const ms = await outage(async () => {
        await lab.heartline(other, target, ["takeover"]);
        await until(() => sampler.sample().includes(other), `${other} takes over`);
      });
      progress(`planned takeover ${i} of 10: ${ms.toFixed(0)} ms`);
    }
  });
}

interface Idle {
  readonly corePercent: number;
  readonly residentMb: number;
}

/**
 * Processor time and memory of a daemon that holds an address, keepalive 1 s, two links, once the runtime has compiled
 * what it runs often (that takes about a minute at this pace).
 */
async function measureIdle(warmUpSeconds = 60, seconds = 30): Promise<Idle> {
  let idle: Idle = { corePercent: 0, residentMb: 0 };
  await withPair(5000, async (lab, sampler) => {
    progress(`letting the daemon warm up for ${warmUpSeconds} s`);
    await sleep(warmUpSeconds * 1000);
    const pid = lab.daemon(sampler.sample()[0]!).pid!;
    const before = processorMs(pid);
    progress(`watching the quiet daemon for ${seconds} s`);
    await sleep(seconds * 1000);
    const resident = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1];
    idle = {
      corePercent: (processorMs(pid) - before) / (seconds * 10),
      residentMb: Number(resident) / 1024,
    };
  });
  return idle;
}

/** User and system time; the clock tick of Linux is 10 ms in /proc. */
function processorMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /s, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Median time from exec to end, with the program already in the page cache. */
async function measureStart(lab: Lab, args: readonly string[]): Promise<number> {
  const times: number[] = [];
  const command = [`${import.meta.dirname}/../dist/heartline`, ...args];
  for (let i = 0; i < 30; i++) {
    const fromMs = monotonicMs();
    await lab.exec("node1", command);
    times.push(monotonicMs() - fromMs);
  }
  // What entering the node and starting any program costs is taken off.
  const bare: number[] = [];
  for (let i = 0; i < 30; i++) {
    const fromMs = monotonicMs();
    await lab.exec("node1", ["/bin/true"]);
    bare.push(monotonicMs() - fromMs);
  }
  return median(times) - median(bare);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

function print(text: string): void {
  progress("");
  console.log(text);
}

function perSecond(value: number): string {
  return Math.round(value).toLocaleString("en").padStart(7);
}

function ms(value: number, digits = 0): string {
  return value.toFixed(digits).padStart(7);
}

async function main(): Promise<void> {
  if (wants("simulate")) benchSimulator(target, print);
  if (values.only === "simulate") return;
  const problem = await Lab.unavailable();
  if (problem !== null) throw new Error(`Cannot measure: ${problem}`);
  if (target === "binary" && !existsSync(`${import.meta.dirname}/../dist/heartline`)) {
    print("compiling dist/heartline first");
    await run(process.execPath, ["task", "compile"]);
  }
  print(`heartline from ${target === "binary" ? "dist/heartline" : "the sources"}; milliseconds\n`);
  if (wants("deaths")) {
    print("power-off of the holder   deadtime   least  median    most   ratio  overlap");
    for (const deadTimeMs of [1000, 300, 100]) {
      const { outagesMs, overlap, blindMs } = await measureDeaths(deadTimeMs);
      const middle = median(outagesMs);
      const ratio = (middle / deadTimeMs).toFixed(2).padStart(7);
      const range = `${ms(Math.min(...outagesMs))} ${ms(middle)} ${ms(Math.max(...outagesMs))}`;
      print(
        `  ${outagesMs.length} deaths`.padEnd(26) + `${ms(deadTimeMs)} ${range} ${ratio} ${ms(overlap)}   ` +
          `(± ${blindMs.toFixed(0)})`,
      );
    }
    print(`  ratio: of the median to the deadtime. Its limit is about ${limit}.`);
    print(`  Measured the same way: ${elsewhere}.\n`);
  }
  if (wants("moves")) {
    const { outagesMs, overlap } = await measureMoves();
    const range = `${ms(Math.min(...outagesMs))} ${ms(median(outagesMs))} ${ms(Math.max(...outagesMs))}`;
    print(`planned takeover                     ${range}         ${ms(overlap)}`);
    print("  Heartbeat 3.0.6: 310\n");
  }
  if (wants("messages")) {
    for (const method of ["sha1", "sha256"] as const) {
      print(`heartbeats verified and read, ${method.padEnd(6)} ${perSecond(readingRate(method))} a second`);
    }
    for (const lossRate of [0, 0.01, 0.1, 0.3]) {
      const { perSecond: rate, requests, resent } = await carried(lossRate);
      const loss = `${lossRate * 100} % loss`.padEnd(9);
      print(
        `numbered messages, ${loss} ${perSecond(rate)} a second; ${requests} requests, ${resent} sent again`,
      );
    }
    print("  both peers in one process on loopback; at most 250 messages are unacknowledged\n");
  }
  if (wants("idle")) {
    const { corePercent, residentMb } = await measureIdle();
    print(
      `quiet daemon, keepalive 1 s, two links: ${corePercent.toFixed(2)} % of a core, ${
        residentMb.toFixed(0)
      } MB\n`,
    );
  }
  if (wants("start") && target === "binary") {
    await withPair(1000, async (lab) => {
      print(`heartline --version  ${ms(await measureStart(lab, ["--version"]), 1)}`);
      print(`heartline status     ${ms(await measureStart(lab, ["status"]), 1)}`);
      const check = ["detect", "--vip", VIP, "--primary", lab.network.address("node2", "pub0")];
      print(
        `heartline detect     ${
          ms(await measureStart(lab, [...check, "--local"]), 1)
        }  asks this machine only`,
      );
      const windowMs = 500;
      const took = await measureStart(lab, [...check, "--window", `${windowMs}ms`]);
      print(`heartline detect     ${ms(took - windowMs, 1)}  beyond its window of ${windowMs} ms`);
    });
  }
}

await main();
