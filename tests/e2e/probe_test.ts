/**
 * `heartline probe` in network namespaces: what nftables does to a link is what it finds, by the running daemons, by
 * `--listen`, by ICMP, TCP and a serial line. All laboratories at the same time: they wait more than they work.
 */

import assert from "node:assert/strict";
import { writeConfig } from "../../scripts/lab/config.ts";
import { heartline, type Target } from "../../scripts/lab/daemon.ts";
import { Lab, type LabOptions } from "../../scripts/lab/lab.ts";
import { hasSocat, PseudoLine } from "../media/pseudo_line.ts";
import { cannotRun, missingProgram, targets, waitFor } from "./harness.ts";

interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

interface Loss {
  readonly lost: number;
  readonly packets: number;
  readonly loss: Estimate;
  readonly burstLength: Estimate | null;
  readonly model: { readonly kind: string };
}

/** What the tests read of the JSON. */
interface Path {
  readonly description: string;
  readonly verdict: string;
  readonly answeredBy: readonly string[];
  readonly facts: { readonly hasCarrier: boolean; readonly speedMbit: number | null } | null;
  readonly roundTrip: Loss;
  readonly outward: Loss | null;
  readonly homeward: Loss | null;
  readonly delay: { readonly medianMs: Estimate; readonly minMs: number; readonly maxMs: number } | null;
}

interface Result {
  readonly paths: readonly Path[];
  readonly skipped: ReadonlyArray<{ readonly link: string }>;
  readonly passive: ReadonlyArray<{ readonly link: string; readonly heard: number }> | null;
  readonly findings: ReadonlyArray<{ readonly severity: string; readonly sentence: string }>;
  readonly prices: ReadonlyArray<{
    readonly peer: string | null;
    readonly advice: { readonly judged: { readonly deadTimeMs: number } | null };
  }>;
}

/** Patient: on a busy machine late is not lost. */
const intervalMs = 7;
const pace = ["--interval", `${intervalMs}ms`, "--for", "5s", "--wait", "2s"];

/**
 * The drops are not seeded, so that one of twenty true intervals misses the truth. Twice as wide, one of ten thousand
 * does: that is the test; the narrow ones are counted, and most must hold.
 */
function checkLosses(found: ReadonlyArray<readonly [what: string, loss: Loss, truth: number]>): void {
  let misses = 0;
  for (const [what, { loss, lost, packets }, truth] of found) {
    const story = `${what}: ${lost} of ${packets} lost, ${loss.low} to ${loss.high}; set to ${truth}`;
    if (truth < loss.low || truth > loss.high) misses++;
    assert.ok(
      truth >= loss.value - 2 * (loss.value - loss.low) - 1e-9 &&
        truth <= loss.value + 2 * (loss.high - loss.value),
      story,
    );
  }
  assert.ok(misses <= 2, `${misses} of ${found.length} intervals miss what was set`);
}

async function inLab(options: LabOptions, body: (lab: Lab) => Promise<void>): Promise<void> {
  const lab = await Lab.build(options);
  try {
    await body(lab);
  } catch (error) {
    for (const { node, line } of lab.lines()) console.error(`${node}: ${line}`);
    throw error;
  } finally {
    await lab.destroy();
  }
}

/** Ends with 0 or, when something is found to be wrong, with 1: with delays of a busy machine a deadtime may be. */
async function probe(lab: Lab, target: Target, args: readonly string[]): Promise<Result> {
  const ended = await lab.heartline("node1", target, ["probe", ...args, "--json"]);
  assert.ok(ended.code === 0 || ended.code === 1, `ended with ${ended.code}: ${ended.stderr}`);
  const result: Result = JSON.parse(ended.stdout);
  assert.equal(ended.code, result.findings.length === 0 ? 0 : 1);
  return result;
}

function path(result: Result, pattern: RegExp): Path {
  const found = result.paths.find(({ description }) => pattern.test(description));
  assert.ok(
    found !== undefined,
    `no path ${pattern} among ${result.paths.map(({ description }) => description)}`,
  );
  return found;
}

/** Two daemons on a unicast, a broadcast and a TCP link. */
function againstDaemons(target: Target): Promise<void> {
  return inLab({ links: 4, prefix: "hlprobe" }, async (lab) => {
    const peer = Object.fromEntries(lab.nodes.map((node) => [node, lab.network.address(node, "hb2")]));
    const links = [
      { ucast: { dev: "hb0", peers: lab.nodes.map((node) => lab.network.address(node, "hb0")) } },
      { bcast: { dev: "hb1" } },
      { mcast: { dev: "pub0", group: "225.0.0.1" } },
      { tcp: { dev: "hb2", peer } },
    ];
    writeConfig(lab, { deadTimeMs: 2_000, keepaliveMs: 50, extra: { links } });
    for (const node of lab.nodes) lab.start(node, { target });
    for (const node of lab.nodes) {
      await waitFor(
        () => lab.daemon(node).lines.some(({ line }) => / settled: /.test(line)),
        `${node} settles`,
      );
    }
    await lab.loss("node2", "hb0", 10);
    const [result, heard] = await Promise.all([
      // Four paths at once, through two daemons: slower, or a busy machine loses some itself.
      probe(lab, target, ["--interval", "25ms", "--for", "5s", "--wait", "5s"]),
      probe(lab, target, ["--hear", "--for", "6s"]),
    ]);
    const [beats, cleanBeats] = [path(heard, /node2 on hb0/), path(heard, /node2 on hb1/)];
    assert.ok(cleanBeats.roundTrip.packets > 60, `${cleanBeats.roundTrip.packets} heartbeats`);
    assert.equal(cleanBeats.roundTrip.lost, 0);
    assert.equal(beats.verdict, "inward");
    const [ucast, bcast, mcast] = [
      path(result, /^udp/),
      path(result, /^bcast hb1 node2/),
      path(result, /^mcast/),
    ];
    for (const { answeredBy, facts } of [ucast, bcast, mcast]) {
      assert.deepEqual(answeredBy, ["node2"]);
      assert.equal(facts?.hasCarrier, true);
    }
    checkLosses([
      ["there", ucast.outward!, 0.1],
      ["back", ucast.homeward!, 0.1],
      ["heartbeats", beats.roundTrip, 0.1],
    ]);
    for (const clean of [bcast, mcast]) assert.ok(clean.roundTrip.loss.value < 0.01, clean.description);
    assert.deepEqual(result.skipped.map(({ link }) => link), ["tcp:hb2"]);
    assert.ok(
      result.passive!.find(({ link }) => link === "tcp:hb2")!.heard > 0,
      "heartbeats over TCP were counted",
    );
    const judged = result.prices.map(({ peer, advice }) => [peer, advice.judged?.deadTimeMs]);
    assert.deepEqual(judged, [["node2", 2_000]]);

    await lab.loss("node2", "hb0", 0);
    await lab.dropFrom("node2", "hb0");
    const oneWay = await probe(lab, target, ["--count", "40", "--interval", "25ms", "--wait", "2s"]);
    assert.equal(path(oneWay, /^udp/).verdict, "outward");
    assert.ok(oneWay.findings.some(({ sentence }) => /one-way, the far end hears us/.test(sentence)));

    await lab.dropFrom("node2", "hb0", false);
    await lab.dropTowards("node2", "hb0");
    const otherWay = await probe(lab, target, ["--count", "60", "--interval", "25ms", "--wait", "2s"]);
    assert.equal(path(otherWay, /^udp/).verdict, "silent");
    assert.ok(otherWay.findings.some(({ sentence }) => /heartbeats of node2 come: one-way/.test(sentence)));
  });
}

const burstMs = 100;
const delayMs = 30;

/** netem is a module that many kernels of containers have not. */
async function delayed(lab: Lab, node: string, link: string, ms: number): Promise<boolean> {
  const { code, stderr } = await lab.exec(node, [
    ..."tc qdisc add dev".split(" "),
    link,
    ...`root netem delay ${ms}ms`.split(" "),
  ]);
  if (code !== 0) console.warn(`SKIPPED: delay by netem, which this kernel has not: ${stderr.trim()}`);
  return code === 0;
}

/** No daemon anywhere: `--listen`, ICMP and TCP, with loss on the cable. */
function withoutDaemons(target: Target): Promise<void> {
  return inLab({ links: 5, prefix: "hlprobe" }, async (lab) => {
    const far = lab.launch("node2", [...heartline(target), "probe", "--listen"]);
    await waitFor(() => far.lines.some(({ line }) => /^answering/.test(line)), "the far end listens");
    const [one, two] = [lab.network.address("node2", "hb0"), lab.network.address("node2", "hb1")];
    const six = lab.network.address("node2", "hb1", 6);
    const [three, four] = [lab.network.address("node2", "hb2"), lab.network.address("node2", "hb3")];
    // A lost ARP or ND question is put again after a second, and what waits for the answer is lost meanwhile.
    for (const address of [one, two, three, four, six]) {
      assert.equal((await lab.exec("node1", ["ping", "-c1", "-W5", address])).code, 0, `ping ${address}`);
    }
    await lab.loss("node2", "hb0", 20);
    await lab.loss("node2", "hb1", 5);
    await lab.bursts("node2", "hb2", 10, burstMs);
    const hasDelay = await delayed(lab, "node2", "hb3", delayMs);
    const result = await probe(lab, target, [
      ...["--udp", three, "--udp", four, "--icmp", four],
      ...["--udp", one, "--udp", `[${six}]:6942`, "--icmp", one, "--tcp", `${two}:22`],
      ...pace,
    ]);
    const [udp, udp6] = [path(result, new RegExp(`^udp ${one}`)), path(result, /^udp \[fd/)];
    const icmp = path(result, new RegExp(`^icmp ${one}`));
    checkLosses([
      ["hb0 there", udp.outward!, 0.2],
      ["hb0 back", udp.homeward!, 0.2],
      ["hb1 there", udp6.outward!, 0.05],
      ["hb1 back", udp6.homeward!, 0.05],
      ["hb0 by ICMP", icmp.roundTrip, 1 - 0.8 * 0.8],
    ]);
    const { burstLength, model } = path(result, new RegExp(`^udp ${three}`)).outward!;
    const inARow = 1 + burstMs / intervalMs;
    const story = `bursts of ${burstLength!.low} to ${burstLength!.high}; set to ${inARow}`;
    // A question that this machine asked too late makes a burst shorter by one.
    assert.ok(burstLength!.low <= inARow + 1 && burstLength!.high >= inARow - 3, story);
    assert.notEqual(model.kind, "independent");
    if (hasDelay) {
      for (const kind of ["udp", "icmp"]) {
        const { medianMs, minMs } = path(result, new RegExp(`^${kind} ${four}`)).delay!;
        assert.ok(minMs >= delayMs && minMs < delayMs + 5, `shortest round trip ${minMs} ms`);
        assert.ok(medianMs.low < delayMs + 10, `median from ${medianMs.low} ms`);
      }
    }
    assert.equal(icmp.outward, null);
    assert.ok(icmp.delay!.medianMs.value < 20, `median ${icmp.delay!.medianMs.value} ms`);
    const tcp = path(result, /^tcp/);
    assert.deepEqual(tcp.answeredBy, ["a refusal"]);
    // A lost SYN or RST is sent again after a second, within the patience here.
    assert.ok(tcp.delay!.maxMs > 900, `longest time to connect ${tcp.delay!.maxMs} ms`);
    lab.kill("node2", "SIGTERM");
    await far.ended;
    assert.match(far.text(), /heard +\d+ answered/);
  });
}

async function overSerial(target: Target): Promise<void> {
  const line = await PseudoLine.open();
  try {
    await inLab({ links: 1, prefix: "hlprobe" }, async (lab) => {
      const baud = 115_200;
      const far = lab.launch("node2", [
        ...heartline(target),
        ...["probe", "--listen", "--serial", `${line.b}:${baud}`],
      ]);
      await waitFor(
        () => far.lines.some(({ line }) => /^answering on serial/.test(line)),
        "the far end listens",
      );
      const result = await probe(lab, target, [
        ...["--serial", `${line.a}:${baud}`, "--count", "20", "--interval", "150ms", "--wait", "5s"],
      ]);
      const [serial] = result.paths;
      assert.equal(serial!.verdict, "both");
      assert.deepEqual([serial!.outward?.lost, serial!.homeward?.lost], [0, 0]);
    });
  } finally {
    await line.close();
  }
}

for (const target of targets()) {
  const reason = cannotRun(target) ?? missingProgram(["nft", "ping"]);
  if (reason !== null) console.warn(`SKIP "probe in network namespaces (${target})": ${reason}`);
  Deno.test({
    name: `probe finds what is done to links: with daemons, without, and over a serial line (${target})`,
    ignore: reason !== null,
    fn: async () => {
      // Not all at the same time: what a busy machine does to packets is not what the test is about.
      await withoutDaemons(target);
      const others = [againstDaemons(target), ...(hasSocat ? [overSerial(target)] : [])];
      const failed = (await Promise.allSettled(others)).filter((each) => each.status === "rejected");
      if (failed.length > 0) throw new AggregateError(failed.map(({ reason }) => reason));
    },
  });
}
