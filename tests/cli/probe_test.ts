/** `heartline probe` as it is typed: what it refuses, what it prints, and two processes that measure a path. */

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { probeCommand, type ProbeOptions } from "../../cli/commands/probe.ts";
import { readListen, readProbeOptions } from "../../cli/commands/probe/options.ts";
import type { PassiveLink } from "../../cli/commands/probe/passive.ts";
import { type PathResult, resultFrom } from "../../cli/commands/probe/result.ts";
import type { PathReport } from "../../lib/measure/report.ts";
import { renderSpan, two } from "../../cli/render/probe/spans.ts";
import { UsageError } from "../../lib/errors.ts";
import { heartline } from "./run.ts";

const hasScript = process.getuid?.() === 0 && spawnSync("sh", ["-c", "command -v script"]).status === 0;
if (!hasScript) console.warn('SKIPPED: the display on a terminal, which needs root and the program "script"');

/** What a pseudo-terminal is told, with the escape character spelt out. */
function onTerminal(args: string): Promise<string> {
  const main = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));
  // A pseudo-terminal that nobody sized has no columns.
  const command = `${process.execPath} run -A --no-check --cached-only ${main} ${args}`;
  return new Promise((resolve, reject) => {
    const child = spawn("script", ["-qec", command, "/dev/null"], { stdio: ["ignore", "pipe", "ignore"] });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => output += chunk);
    child.once("error", reject);
    child.once("close", () => resolve(output.replaceAll("\x1b", "<ESC>")));
  });
}

function parsed(...args: string[]): ProbeOptions {
  return probeCommand().exitOverride().action(() => {})
    .parse(args, { from: "user" }).opts();
}

Deno.test("all mistakes in the options are told at once, with what would be accepted", () => {
  const options = parsed(
    "--udp",
    "bad",
    "--tcp",
    "192.0.2.1",
    "--serial",
    "tty",
    "--count",
    "0",
    "--size",
    "3",
  );
  assert.throws(() => readProbeOptions(options), (error) => {
    assert.ok(error instanceof UsageError);
    assert.deepEqual(error.problems.map((problem) => /"(.*?)"/.exec(problem)?.[1]), [
      "bad",
      "192.0.2.1",
      "tty",
      "0",
      "3",
    ]);
    return error.problems.every((problem) => problem.includes("expected"));
  });
});

Deno.test("what is asked too often, too long or in two ways at once is refused", () => {
  for (
    const [args, pattern] of [
      [["--interval", "1ms"], /at least 5ms/],
      [["--for", "100h"], /200000 at most/],
      [["--for", "1m", "--count", "9"], /both --count and --for/],
      [["--keepalive", "1s", "--deadtime", "2s"], /more than twice the keepalive/],
      [["--accept", "0"], /from 1 to 36500/],
    ] as const
  ) assert.throws(() => readProbeOptions(parsed(...args)), pattern);
});

Deno.test("what chooses among links or nodes is refused where it would choose nothing", () => {
  const link = /Cannot use --link "eth9" beside a path .* chooses among the links of the settings/;
  const peer = /Cannot ask --peer "n2" by --icmp or --tcp: .* name a path with --udp or --serial/;
  const [udp, serial] = [["--udp", "192.0.2.1"], ["--serial", "/dev/ttyS0"]];
  const [icmp, tcp] = [["--icmp", "192.0.2.1"], ["--tcp", "192.0.2.1:22"]];
  for (const path of [udp, serial, icmp, tcp]) {
    assert.throws(() => readProbeOptions(parsed(...path, "--link", "eth9")), link);
  }
  for (const paths of [icmp, tcp, [...icmp, ...tcp]]) {
    assert.throws(() => readProbeOptions(parsed(...paths, "--peer", "n2")), peer);
  }
  for (const args of [[...udp, "--peer", "n2"], [...serial, ...icmp, "--peer", "n2"], ["--link", "eth9"]]) {
    assert.doesNotThrow(() => readProbeOptions(parsed(...args)));
  }
});

Deno.test("paths are read with ports, zones and speeds", () => {
  const { paths, measurement } = readProbeOptions(
    parsed(
      "--udp",
      "[fe80::1%eth0]:7",
      "--udp",
      "2001:db8::1",
      "--tcp",
      "192.0.2.1:22",
      "--serial",
      "/dev/ttyS0:9600",
      "--for",
      "2s",
    ),
  );
  assert.deepEqual(paths, [
    { kind: "udp", endpoint: { address: "fe80::1%eth0", port: 7 } },
    { kind: "udp", endpoint: { address: "2001:db8::1", port: 6942 } },
    { kind: "tcp", endpoint: { address: "192.0.2.1", port: 22 } },
    { kind: "serial", tty: "/dev/ttyS0", baud: 9600 },
  ]);
  assert.equal(measurement.count, 20);
  assert.deepEqual(readListen("7000"), { address: null, port: 7000 });
  assert.deepEqual(readListen("192.0.2.1"), { address: "192.0.2.1", port: 6942 });
});

Deno.test("spans and small numbers have two digits and a unit", () => {
  const hourMs = 3_600_000;
  const cases: [number, string][] = [
    [0, "at once"],
    [12.4, "12 ms"],
    [2_200, "2.2 s"],
    [976_000, "16 min"],
    [3.74 * 24 * hourMs, "3.7 days"],
    [3.2 * 365.25 * 24 * hourMs, "3.2 years"],
    [Infinity, "> 1000 years"],
  ];
  for (const [ms, text] of cases) assert.equal(renderSpan(ms), text);
  assert.deepEqual([0, 0.0412, 0.312, 1.26, 9.96, 123.4, Infinity].map(two), [
    "0",
    "0.041",
    "0.31",
    "1.3",
    "10",
    "123",
    "?",
  ]);
});

Deno.test("two processes measure a path: directions apart, prices within 80 columns, JSON with a schema", async () => {
  const port = "36942";
  let asked: Promise<[Awaited<ReturnType<typeof heartline>>, Awaited<ReturnType<typeof heartline>>]> | null =
    null;
  const far = await heartline(["probe", "--listen", `127.0.0.1:${port}`], {
    onOutput: (_, end) => {
      const args = [
        "probe",
        "--udp",
        `127.0.0.1:${port}`,
        "--count",
        "60",
        "--interval",
        "10ms",
        "--deadtime",
        "2s",
      ];
      if (asked !== null) return;
      asked = Promise.all([heartline(args), heartline([...args, "--json"])]);
      void asked.then(() => end("SIGTERM"));
    },
  });
  const [text, json] = await asked!;
  assert.equal(far.code, 0);
  assert.match(far.stdout, /127\.0\.0\.1 .* heard +\d+ answered/);
  assert.match(text.stdout, /answered by \S+, in /);
  assert.match(text.stdout, /lost +there 0 % \(0 % to .* %\), back/);
  assert.match(text.stdout, /judged/);
  assert.match(text.stdout.replaceAll("\n", " "), /the models' promise\. This measurement itself vouches/);
  assert.ok(text.stdout.split("\n").every((line) => line.length <= 80), text.stdout);
  const result = JSON.parse(json.stdout);
  assert.equal(result.schema, 1);
  assert.equal(result.paths[0].asked, 60);
  assert.equal(result.paths[0].outward.lost, 0);
});

Deno.test("nobody answers: it says so and ends with 1, as a plugin with 2", async () => {
  const args = ["probe", "--udp", "127.0.0.1:36943", "--count", "3", "--interval", "10ms", "--wait", "50ms"];
  const [text, plugin] = await Promise.all([heartline(args), heartline([...args, "--nagios"])]);
  assert.equal(text.code, 1);
  assert.match(text.stdout, /^CRITICAL: udp 127\.0\.0\.1:36943: no answer to 3 questions/);
  assert.match(text.stdout, /nothing to price/);
  assert.equal(plugin.code, 2);
  assert.match(plugin.stdout, /^PROBE CRITICAL: .*\| 'p0_lost'=100%/);
});

Deno.test({
  name: "on a terminal the table is redrawn in place, and progress leaves no trace",
  ignore: !hasScript,
  fn: async () => {
    const ask = "probe --icmp 127.0.0.1 --count 45 --interval 100ms";
    const [table, progress] = await Promise.all([onTerminal(`${ask} --watch`), onTerminal(ask)]);
    assert.match(table, /path +answered +lost/);
    assert.match(table, /<ESC>\[\d+A/);
    assert.match(progress, /\r\d+ of 45 asked, .*<ESC>\[K/);
    assert.match(progress, /\r<ESC>\[K[^\r]*icmp 127\.0\.0\.1/);
  },
});

Deno.test("what keeps a measurement from being made or kept is told before it begins", async () => {
  const cases: ReadonlyArray<readonly [args: string[], code: number, stderr: RegExp]> = [
    [
      ["--icmp", "127.0.0.1", "--for", "1h", "--svg", "/nonexistent/x.svg"],
      69,
      /"\/nonexistent\/x\.svg": its directory does not/,
    ],
    [["--icmp", "127.0.0.1", "--for", "1h", "--svg", "/"], 69, /"\/": it is a directory; name another file/],
    [["--listen", "--link", "eth1", "--peer", "n2"], 2, /--link and --peer with --listen, which answers/],
    [["--serial", "/dev/none", "--for", "1h"], 69, /"\/dev\/none": no such file.*; plug the adapter in, or/],
    [["--listen", "--serial", "/dev/none"], 69, /"\/dev\/none": no such file.*; plug the adapter in, or/],
    [
      ["--ha-dir", "/nonexistent"],
      78,
      /\/nonexistent\/ha\.cf: cannot read the file: it does not exist; create it/,
    ],
  ];
  for (const [args, code, stderr] of cases) {
    const ended = await heartline(["probe", ...args]);
    assert.match(ended.stderr, stderr);
    assert.deepEqual([ended.code, ended.stdout], [code, ""]);
  }
});

Deno.test("a link of the settings whose interface is missing is CRITICAL, beside those that were asked", async () => {
  const directory = mkdtempSync(join(tmpdir(), "heartline-probe-"));
  try {
    const file = join(directory, "heartline.yaml");
    const yaml = `cluster: test
nodes: [n1, n2]
links:
  - ucast: { dev: lo, peer: { n1: 127.0.0.1, n2: 127.0.0.2 } }
  - bcast: { dev: nosuch0 }
keys: { sign-with: 1, keys: [{ index: 1, method: sha256, secret: of-the-test }] }
groups: {}
`;
    writeFileSync(file, yaml, { mode: 0o600 });
    const args = ["--config", file, "--node", "n1", "--socket", join(directory, "none")];
    const asked = ["--count", "2", "--interval", "10ms", "--wait", "50ms", "--nagios"];
    const { code, stdout, stderr } = await heartline(["probe", ...args, ...asked]);
    assert.equal(code, 2, stderr);
    assert.match(stdout, /nosuch0 could not be asked: interface nosuch0 does not exist or is down/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

Deno.test("heartbeats of a daemon explain no silence of another port", () => {
  const passive: PassiveLink[] = [
    { peer: "node2", link: "eth1", state: "up", heard: 9, lost: 0, loss: { value: 0, low: 0, high: 0 } },
  ];
  const report = { verdict: "silent", asked: 5 } as PathReport;
  const path: PathResult = {
    ...{
      kind: "udp",
      description: "udp 10.0.1.2",
      device: "eth1",
      caveat: null,
      answeredBy: [],
      facts: null,
    },
    report,
  };
  const around = { facts: new Map(), passive, skipped: [], missedBeats: 0, patienceMs: 0, intervalMs: 0 };
  const wishes = { keepaliveMs: null, judged: null, acceptMs: 1 };
  const sentence = (isCluster: boolean) =>
    resultFrom([path], wishes, { ...around, isCluster }).findings[0]!.sentence;
  assert.match(sentence(true), /no answer, but heartbeats of node2 come/);
  assert.match(sentence(false), /no answer to 5 questions; does .* with the same key/);
});
