/** `simulate explore`, `prove` and `sweep` as an operator meets them: what they print, refuse and end with. */

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { heartline, sources } from "./run.ts";

const pairYaml = `nodes: [n1, n2]
keepalive: 200ms
deadtime: 1s
links: [{ bcast: { dev: hb0 } }]
keys: { sign-with: 1, keys: [{ index: 1, method: sha256, secret: only-for-this-test }] }
groups: { web: { resources: [{ vip: 192.0.2.10/24, dev: eth0 }] } }
`;

async function withPair(
  work: (config: string, directory: string) => Promise<void>,
  text = pairYaml,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "heartline-search-"));
  try {
    const config = join(directory, "pair.yaml");
    writeFileSync(config, text, { mode: 0o600 });
    await work(config, directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const refusals: ReadonlyArray<readonly [args: readonly string[], code: number, stderr: RegExp]> = [
  [["explore", "--runs", "none"], 2, /"none" is no/],
  [["explore", "/nonexistent.yaml"], 78, /does not exist[^]*Cannot simulate "\/nonexistent.yaml"/],
  [["prove"], 2, /missing required argument "config"/],
  [["prove", "x.yaml", "--depth", "9"], 2, /"9" is no whole number from 1 to 5/],
  [["prove", "x.yaml", "--faults", "crsh"], 2, /"crsh" is no kind of fault: did you mean "crash"/],
  [
    ["explore", "--runs", "100000", "--scenario", "/nonexistent/x.yaml"],
    69,
    /its directory does not exist; name another/,
  ],
  [["sweep", "x.yaml"], 2, /required option "--param <name=from..to>"/],
  [["sweep", "x.yaml", "--param", "deadtme=1s..2s"], 2, /did you mean "deadtime"/],
  [["sweep", "x.yaml", "--param", "loss=0", "--param", "loss=1%"], 2, /"loss" is given twice/],
];
for (const [args, code, stderr] of refusals) {
  Deno.test(`heartline simulate ${args.join(" ")} ends with ${code} and says why`, async () => {
    const ended = await heartline(["simulate", ...args]);
    assert.match(ended.stderr, stderr);
    assert.equal(ended.code, code);
  });
}

Deno.test("explore works with children, tells what it did, and ends with 0", () =>
  withPair(async (config) => {
    const { code, stdout, stderr } = await heartline(
      ["simulate", "explore", config, "--runs", "45", "--seed", "5", "--jobs", "2"],
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /\(2 nodes\): 45 schedules from seed 5\n/);
    assert.match(stdout, /no promise was broken\n$/);
    assert.equal(stderr, "", "no progress bar outside of a terminal");
    assert.ok(stdout.split("\n").every((line) => line.length <= 80), stdout);
  }));

Deno.test("prove finds the partition of a pair without an arbiter, and its scenario plays two holders", () =>
  withPair(async (config, directory) => {
    const scenario = join(directory, "two.yaml");
    const args = ["simulate", "prove", config, "--depth", "1", "--jobs", "1", "--scenario", scenario];
    const { code, stdout, stderr } = await heartline(args);
    assert.equal(code, 1, stderr);
    assert.match(stdout, /TWO HOLDERS: by \d+ schedules\nshortest: split n1: n1 and n2 both hold web/);
    assert.match(readFileSync(scenario, "utf8"), /never-two-holders/);
    const played = await heartline(["simulate", "run", scenario]);
    assert.equal(played.code, 1, played.stderr);
    assert.match(played.stdout, /n1 and n2 hold web/);
  }));

Deno.test("prove takes two or three nodes and says what takes more", () =>
  withPair(async (config) => {
    const { code, stderr } = await heartline(["simulate", "prove", config]);
    assert.equal(code, 2);
    assert.match(stderr, /it has 4 nodes; it takes clusters of two or three; simulate explore takes any/);
  }, pairYaml.replace("[n1, n2]", "[n1, n2, n3, n4]")));

for (
  const [what, text] of [
    ["only one node", pairYaml.replace("[n1, n2]", "[n1]")],
    ["no group", pairYaml.replace(/groups: .*/, "groups: {}")],
  ] as const
) {
  Deno.test(`explore says that a cluster with ${what} has nothing to look for`, () =>
    withPair(async (config) => {
      const { code, stderr } = await heartline(["simulate", "explore", config, "--runs", "1"]);
      assert.equal(code, 2);
      assert.match(stderr, new RegExp(`it has ${what}; it takes two nodes and a group`));
    }, text));
}

Deno.test("sweep prints a table within 80 columns, JSON for programs, and draws the trade-off", () =>
  withPair(async (config, directory) => {
    const svg = join(directory, "curve.svg");
    const params = [
      "--param",
      "deadtime=1s,2s",
      "--param",
      "loss=0,0.3",
      "--heartbeats",
      "5000",
      "--jobs",
      "1",
    ];
    const table = await heartline(["simulate", "sweep", config, ...params, "--svg", svg]);
    assert.equal(table.code, 0, table.stderr);
    assert.match(table.stdout, /deadtime +loss +fixed +per year +chen +per year +phi +per year\n/);
    assert.ok(table.stdout.split("\n").every((line) => line.length <= 80), table.stdout);
    assert.match(readFileSync(svg, "utf8"), /^<svg [^]*fixed, loss 30%/);
    const { stdout } = await heartline(["simulate", "sweep", config, ...params, "--json"]);
    const { schema, cells } = JSON.parse(stdout);
    assert.equal(schema, 1);
    assert.equal(cells.length, 4);
    assert.deepEqual(Object.keys(cells[0].detectors), ["fixed", "chen", "phi"]);
  }));

const longOnes: Readonly<Record<string, readonly string[]>> = {
  explore: ["--runs", "100000"],
  prove: ["--faults", "crash,pause"],
  sweep: ["--param", "deadtime=1s..9s:9", "--param", "loss=0..0.3:9", "--heartbeats", "50000"],
  run: ["--seeds", "100000"],
};
const tells: Readonly<Record<string, (reason: string) => RegExp>> = {
  explore: (reason) =>
    new RegExp(`interrupted after \\d+ of 100000 \\(${reason}\\): no promise was broken until then $`),
  prove: (reason) =>
    new RegExp(` INTERRUPTED after \\d+ of \\d+ \\(${reason}\\): nothing is proved of the rest `),
  sweep: (reason) => new RegExp(` INTERRUPTED after \\d+ of 81 \\(${reason}\\) `),
  run: (reason) =>
    new RegExp(` interrupted after \\d+ of 100000 \\(${reason}\\) Until then all went as expected\\. $`),
};
const workerDies = "SIGKILL of a worker";
const interruptions: ReadonlyArray<readonly [what: string, verb: string, reason: string]> = [
  ...Object.keys(longOnes).map((verb) => ["Ctrl-C", verb, "Ctrl-C"] as const),
  ["SIGTERM", "explore", "SIGTERM"],
  [workerDies, "explore", "a worker ended with SIGKILL; try --jobs 1"],
  [workerDies, "sweep", "a worker ended with SIGKILL; try --jobs 1"],
];
for (const [what, verb, reason] of interruptions) {
  Deno.test(`${what} ends ${verb} early, tells what was done until then, and is no success`, () =>
    withPair(async (config) => {
      const target = verb === "run" ? "stalled-host" : config;
      const words = [...sources, "simulate", verb, target, ...longOnes[verb]!, "--jobs", "2"];
      const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "ignore"] });
      const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
      let stdout = "";
      child.stdout.on("data", (chunk) => stdout += chunk);
      const children = `/proc/${child.pid}/task/${child.pid}/children`;
      const workers = () =>
        readFileSync(children, "utf8").split(" ").filter((word) => word !== "").map(Number);
      const deadlineMs = performance.now() + 60_000;
      while (workers().length < 2 && performance.now() < deadlineMs) {
        await new Promise((go) => setTimeout(go, 20));
      }
      const [first] = workers();
      if (what === workerDies) process.kill(first!, "SIGKILL");
      else process.kill(child.pid!, what === "Ctrl-C" ? "SIGINT" : "SIGTERM");
      assert.equal(await ended, 1);
      assert.ok(stdout.split("\n").every((line) => line.length <= 80), stdout);
      assert.match(stdout.replaceAll(/\s+/g, " "), tells[verb]!(reason));
    }));
}
