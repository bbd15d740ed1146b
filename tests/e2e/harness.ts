/**
 * What the end-to-end tests share: a laboratory around a test, waiting with a deadline, and the whole story of both
 * nodes when a test fails. The scenarios themselves are in the test files.
 */

import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { existsSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { type ConfigOptions, VIP, writeConfig } from "../../scripts/lab/config.ts";
import type { LabDaemon, Target } from "../../scripts/lab/daemon.ts";
import { Lab, type LabOptions } from "../../scripts/lab/lab.ts";
import { ClientPinger, HolderSampler } from "../../scripts/lab/samplers.ts";
import {
  describeTimeline,
  type HolderTimeline,
  overlapMs,
  soleHolderAtMs,
} from "../../scripts/lab/timeline.ts";
import { monotonicMs } from "../../lib/system/clock.ts";

const BINARY = fileURLToPath(new URL("../../dist/heartline", import.meta.url));

/** Too low: a loaded machine fails a sound scenario. Too high: a broken one takes long to say so. */
export const DEADLINE_MS = 60_000;

/** The targets to test: HEARTLINE_E2E_TARGET is `source`, `binary` or `both` (unset: source). */
export function targets(): readonly Target[] {
  const wanted = process.env.HEARTLINE_E2E_TARGET ?? "source";
  if (wanted === "both") return ["source", "binary"];
  if (wanted === "source" || wanted === "binary") return [wanted];
  throw new Error(`HEARTLINE_E2E_TARGET is "${wanted}"; it may be "source", "binary" or "both"`);
}

/** Everything that a scenario works with. */
export interface Pair {
  readonly lab: Lab;
  readonly target: Target;
  /** Who holds the VIP, sampled from before the daemons start. */
  readonly holders: HolderSampler;
  /** The client that pings the VIP. */
  readonly client: ClientPinger;
  /** Starts `heartline peer` on a node (again). */
  start(node: string): LabDaemon;
  /** Waits until `node` alone holds the VIP; answers the instant at which that was seen first. */
  untilHeldBy(node: string, deadlineMs?: number): Promise<number>;
  /** Waits until a node has said something that matches; answers the line. */
  untilSaid(node: string, pattern: RegExp, deadlineMs?: number): Promise<string>;
}

export interface PairOptions extends LabOptions {
  readonly config?: ConfigOptions;
  /** Address to sample and to ping. */
  readonly vip?: string;
  /** Nodes whose daemon is started at once, in this order; all unless said. */
  readonly start?: readonly string[];
  /** Writes other configuration files than `config` says. */
  readonly prepare?: (lab: Lab) => void | Promise<void>;
  /** Arguments of `heartline peer`. */
  readonly args?: readonly string[];
}

/** Runs a scenario in a fresh laboratory; tells the whole story when it fails; leaves nothing behind. */
export async function withPair(
  target: Target,
  options: PairOptions,
  scenario: (pair: Pair) => Promise<void>,
): Promise<void> {
  const lab = await Lab.build(options);
  const vip = options.vip ?? VIP;
  let holders: HolderSampler | null = null;
  let client: ClientPinger | null = null;
  try {
    if (options.prepare) await options.prepare(lab);
    else writeConfig(lab, options.config);
    holders = new HolderSampler(lab, vip);
    client = new ClientPinger(lab, vip);
    const pair = makePair(lab, target, holders, client, options);
    for (const node of options.start ?? lab.nodes) pair.start(node);
    await scenario(pair);
  } catch (error) {
    if (holders !== null) console.error(storyOf(lab, holders.timeline()));
    throw error;
  } finally {
    client?.stop();
    holders?.stop();
    await lab.destroy();
  }
}

function makePair(
  lab: Lab,
  target: Target,
  holders: HolderSampler,
  client: ClientPinger,
  options: PairOptions,
): Pair {
  return {
    lab,
    target,
    holders,
    client,
    start: (node) => lab.start(node, { target, ...(options.args ? { args: options.args } : {}) }),
    untilHeldBy: async (node, deadlineMs) => {
      const fromMs = monotonicMs();
      const isSoleHolder = () => holders.sample().join() === node;
      await waitFor(
        () => isSoleHolder() || failIfEnded(lab, node),
        `${node} alone holds ${holders.address}`,
        deadlineMs,
      );
      return soleHolderAtMs(holders.timeline(), node, fromMs) ?? monotonicMs();
    },
    untilSaid: async (node, pattern, deadlineMs) => {
      const find = () => lab.daemon(node).lines.find(({ line }) => pattern.test(line))?.line;
      await waitFor(
        () => find() !== undefined || failIfEnded(lab, node),
        `${node} says ${pattern}`,
        deadlineMs,
      );
      return find() ?? "";
    },
  };
}

/** What is awaited of a daemon that runs no more will not come. */
function failIfEnded(lab: Lab, node: string): false {
  const daemon = lab.daemon(node);
  if (daemon.hasEnded) {
    assert.fail(`the daemon on ${node} has ended: ${daemon.lines.at(-1)?.line ?? "no words"}`);
  }
  return false;
}

/** Waits for a condition; fails with its name when the deadline has passed. */
export async function waitFor(
  condition: () => boolean | Promise<boolean>,
  what: string,
  deadlineMs = DEADLINE_MS,
): Promise<void> {
  const endMs = monotonicMs() + deadlineMs;
  while (!await condition()) {
    if (monotonicMs() > endMs) assert.fail(`not within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Looks until what is found is what is expected; when the time is over it has to be. */
export async function untilEqual(
  look: () => Promise<readonly [found: unknown, expected: unknown]>,
  withinMs: number,
  what: string,
): Promise<void> {
  const endMs = monotonicMs() + withinMs;
  for (;;) {
    const [found, expected] = await look();
    if (isDeepStrictEqual(found, expected)) return;
    if (monotonicMs() > endMs) assert.deepEqual(found, expected, what);
  }
}

/** Requires that a condition stays so for a time; for "nothing happens" scenarios. */
export async function staysFor(durationMs: number, condition: () => boolean, what: string): Promise<void> {
  const endMs = monotonicMs() + durationMs;
  while (monotonicMs() < endMs) {
    if (!condition()) {
      assert.fail(`no longer so, ${(endMs - monotonicMs()).toFixed(0)} ms too early: ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Requires that the sampler looked often enough to have seen what lasts `withinMs`. */
export function assertLooked(timeline: HolderTimeline, withinMs: number): void {
  assert.ok(
    timeline.samplingGapMaxMs <= withinMs,
    `the sampler did not look for ${
      timeline.samplingGapMaxMs.toFixed(1)
    } ms: the machine is too busy to judge ${withinMs} ms`,
  );
}

/** Requires that there were never two holders. */
export function assertNoOverlap(timeline: HolderTimeline): void {
  assert.equal(overlapMs(timeline), 0, `two holders:\n${describeTimeline(timeline)}`);
}

/** Registers one test for each target; skips loudly, by name, where it cannot run. */
export function endToEnd(
  name: string,
  options: PairOptions & { readonly needs?: readonly string[] },
  scenario: (pair: Pair) => Promise<void>,
): void {
  for (const target of targets()) {
    const title = `${name} (${target})`;
    const reason = cannotRun(target, options.needs ?? []);
    if (reason !== null) console.warn(`SKIP "${title}": ${reason}`);
    Deno.test({ name: title, ignore: reason !== null, fn: () => withPair(target, options, scenario) });
  }
}

// Opens the native library before any test, so that no test is blamed for it.
monotonicMs();
const labReason = await Lab.unavailable();

/** Why a test cannot run here, `null` when it can. `needs` are names of programs. */
export function cannotRun(target: Target, needs: readonly string[] = []): string | null {
  if (labReason !== null) return labReason;
  if (target === "binary" && !existsSync(BINARY)) return `dist/heartline is missing; run "deno task compile"`;
  return missingProgram(needs);
}

/** The first program that is not on the PATH, as a reason. */
export function missingProgram(needs: readonly string[]): string | null {
  const folders = (process.env.PATH ?? "").split(":").concat("/usr/sbin", "/sbin");
  const missing = needs.find((program) => !folders.some((folder) => existsSync(`${folder}/${program}`)));
  return missing === undefined ? null : `the program "${missing}" is missing`;
}

function storyOf(lab: Lab, timeline: HolderTimeline): string {
  const originMs = timeline.fromMs;
  const said = lab.lines().map(({ node, atMs, line }) =>
    `${(atMs - originMs).toFixed(1).padStart(9)} ms  ${node}: ${line}`
  );
  return ["", "Holders and events:", describeTimeline(timeline, lab.events), "", "Reports:", ...said, ""]
    .join("\n");
}
