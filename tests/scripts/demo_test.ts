/**
 * The demo as a user runs it, as a process of its own: in namespaces as root, on loopback for everybody. What is
 * required: a last line of JSON with every scenario, text that fits, and nothing left behind however it ends.
 *
 * The figures are a machine's, and are not judged here: the end-to-end tests do that.
 */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import stringWidth from "string-width";
import { scenarios } from "../../scripts/demo/scenarios.ts";
import { Lab } from "../../scripts/lab/lab.ts";
import { waitFor } from "../e2e/harness.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** The longest that a demo may take on a slow machine, scenarios that are repeated included. */
const LIMIT_MS = 150_000;
const NEEDS_ROOT = ["power-off", "one-link-cut", "heartbeats-cut", "all-links-cut"];

const reason = await Lab.unavailable();

function demoTest(name: string, needsLab: boolean, fn: () => Promise<void>): void {
  const ignore = needsLab && reason !== null;
  if (ignore) console.warn(`SKIP "${name}": ${reason}`);
  Deno.test({ name, ignore, fn });
}

interface Demo {
  readonly child: ChildProcess;
  readonly temporary: string;
  output: string;
  /** Exit code; 128 and its number for a signal, as in a shell. */
  readonly ended: Promise<number>;
}

/** Runs the demo with a directory for temporary files of its own, and removes that at the end. */
async function withDemo(args: readonly string[], use: (demo: Demo) => Promise<void>): Promise<void> {
  const temporary = mkdtempSync(join(tmpdir(), "hldt-"));
  chmodSync(temporary, 0o777);
  const child = spawn(process.execPath, ["run", "-A", "--no-check", `${ROOT}scripts/demo.ts`, ...args], {
    env: { ...process.env, TMPDIR: temporary, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const demo: Demo = {
    child,
    temporary,
    output: "",
    ended: new Promise((resolve) =>
      child.once("close", (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? "SIGKILL"]))
    ),
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => demo.output += chunk);
  }
  try {
    await use(demo);
    assert.deepEqual(leftBehind(demo), [], demo.output);
  } finally {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
    await demo.ended;
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Whatever carries the demo's marks: files, namespaces, processes. */
function leftBehind({ child, temporary }: Demo): string[] {
  const namespaces = existsSync("/run/netns") ? readdirSync("/run/netns") : [];
  return [
    ...readdirSync(temporary),
    ...namespaces.filter((name) => name.startsWith(`hldemo-${child.pid}-`)),
    ...processesWith(temporary),
  ];
}

/** Processes that were given this directory for their temporary files: the demo's and all that it started. */
function processesWith(directory: string): string[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, "utf8");
      return environment.split("\0").includes(`TMPDIR=${directory}`)
        ? [`process ${pid}: ${readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")}`]
        : [];
    } catch {
      return [];
    }
  });
}

interface Figures {
  readonly mode: string;
  readonly names: readonly string[];
  readonly skipped: readonly string[];
  readonly findings: readonly string[];
  readonly ok: boolean;
}

/** The closing JSON, checked for its form. */
function figuresOf(output: string): Figures {
  const last = output.trimEnd().split("\n").at(-1) ?? "";
  const json = JSON.parse(last);
  for (const scenario of json.scenarios) {
    for (const key of ["deadTimeMs", "outageMs", "uncertaintyMs", "overlapMs", "samplingGapMs"]) {
      assert.equal(typeof scenario[key], "number", `${key} of ${last}`);
    }
    if (scenario.name !== "start") assert.equal(typeof scenario.ratio, "number", last);
    assert.equal(scenario.ok, scenario.findings.length === 0);
  }
  return {
    mode: json.mode,
    ok: json.ok,
    findings: json.scenarios.flatMap(({ findings }: { findings: string[] }) => findings),
    names: json.scenarios.map(({ name }: { name: string }) => name),
    skipped: json.skipped.map(({ name }: { name: string }) => name),
  };
}

/** What only says that the machine was busy. */
const isTooSlow = /^expected an outage of at most [\d.]+ ms, saw \d+ ms$/;

function assertAsExpected(figures: Figures, code: number, output: string): void {
  assert.equal(code, figures.ok ? 0 : 1, output);
  assert.deepEqual(figures.findings.filter((finding) => !isTooSlow.test(finding)), [], output);
}

function assertFits(output: string): void {
  for (const line of output.trimEnd().split("\n").slice(0, -1)) {
    assert.ok(stringWidth(line) <= 80, `wider than 80 columns: ${line}`);
    // deno-lint-ignore no-control-regex
    assert.ok(!/\u001b/.test(line), `an escape sequence in a pipe: ${JSON.stringify(line)}`);
  }
}

async function endsWithin(demo: Demo, limitMs: number): Promise<number> {
  let code: number | null = null;
  demo.ended.then((how) => code = how);
  await waitFor(() => code !== null, `the demo ends; so far:\n${demo.output}`, limitMs);
  return code ?? -1;
}

demoTest("the demo plays every scenario and leaves nothing behind", true, () =>
  withDemo([], async (demo) => {
    const code = await endsWithin(demo, LIMIT_MS);
    const figures = figuresOf(demo.output);
    assert.equal(figures.mode, "namespaces");
    assert.deepEqual([...figures.names, ...figures.skipped].sort(), scenarios.map(({ name }) => name).sort());
    assertAsExpected(figures, code, demo.output);
    assertFits(demo.output);
  }));

demoTest(
  "without namespaces the demo plays what it can on loopback and names the rest",
  false,
  () =>
    withDemo(["--loopback"], async (demo) => {
      const code = await endsWithin(demo, LIMIT_MS);
      const figures = figuresOf(demo.output);
      assert.equal(figures.mode, "loopback");
      assert.deepEqual(figures.names, ["start", "kill-holder", "takeover", "standby"]);
      assert.deepEqual(figures.skipped, NEEDS_ROOT);
      assertAsExpected(figures, code, demo.output);
      assert.match(demo.output, /On loopback/);
      assert.match(demo.output, /one link cut: not played: needs root/);
      assertFits(demo.output);
    }),
);

demoTest(
  "a mistyped option is refused and nothing is built",
  false,
  () =>
    withDemo(["--loopbak"], async (demo) => {
      assert.equal(await endsWithin(demo, LIMIT_MS), 2);
      assert.match(demo.output, /Cannot run the demo with "--loopbak"/);
    }),
);

const moments: ReadonlyArray<readonly [where: string, pattern: RegExp]> = [
  ["while it prepares", /HEARTLINE DEMO/],
  ["at the start of the peers", />>> +start heartline peer/],
  ["while the other takes over", />>> +kill -9/],
];

for (const [where, pattern] of moments) {
  for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    for (const args of [[], ["--loopback"]]) {
      demoTest(
        `the demo ${args.join("") || "as root"} leaves nothing behind when ${signal} comes ${where}`,
        args.length === 0,
        () =>
          withDemo(args, async (demo) => {
            await waitFor(() => pattern.test(demo.output), `it says ${pattern}`, LIMIT_MS);
            demo.child.kill(signal);
            assert.equal(await endsWithin(demo, 15_000), code, demo.output);
            assert.doesNotMatch(demo.output, /"schema"/);
          }),
      );
    }
  }
}

demoTest(
  "the demo ends, and leaves nothing behind, when nobody reads it any more",
  false,
  () =>
    withDemo(["--loopback"], async (demo) => {
      await waitFor(() => />>> +start heartline peer/.test(demo.output), "it has begun", LIMIT_MS);
      demo.child.stdout?.destroy();
      assert.equal(await endsWithin(demo, 30_000), 143);
    }),
);
