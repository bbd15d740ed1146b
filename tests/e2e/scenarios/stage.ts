/**
 * What a scenario sees and asserts beyond the harness: the reports of each daemon, parsed; which alarms are open by
 * them and whether `status --json` says the same; the client's outage since the blow; and the line of figures.
 *
 * It judges nothing by tight times: bounds are multiples of the deadtime, or the pinger's own blindness.
 */

import assert from "node:assert/strict";
import type { LabDaemon, Target } from "../../../scripts/lab/daemon.ts";
import type { Lab } from "../../../scripts/lab/lab.ts";
import type { Ended } from "../../../scripts/lab/run.ts";
import {
  between,
  describeTimeline,
  type HolderTimeline,
  longestGapMs,
  overlapMs,
} from "../../../scripts/lab/timeline.ts";
import { monotonicMs } from "../../../lib/system/clock.ts";
import type { NodeView } from "../../../lib/core/view.ts";
import { assertLooked, type Pair, staysFor, untilEqual, waitFor } from "../harness.ts";

/** One line that a daemon wrote. */
export interface Report {
  readonly atMs: number;
  readonly level: string;
  readonly code: string;
  readonly sentence: string;
}

/**
 * The longest that the sampler may have been blind. Higher and "no overlap seen" proves little; lower and a busy
 * machine fails sound scenarios: another laboratory that goes away holds the kernel's lock of all network settings for
 * half a second. Beyond the second figure the test says so.
 */
const blindMsMax = 1000;
const blindMsWarn = 250;
/** A node hears of what another one holds by its next heartbeat; the command that asks may take seconds to start. */
const agreeMs = 20_000;
/** A client's pause that is no outage: scheduling of two daemons, the client and the sampler on two cores. */
const hiccupMs = 300;

export class Stage {
  /** Since the blow: outages, reports and holders are judged from here. */
  #fromMs = monotonicMs();

  constructor(readonly pair: Pair, readonly deadTimeMs: number) {}

  get lab(): Lab {
    return this.pair.lab;
  }

  get target(): Target {
    return this.pair.target;
  }

  get fromMs(): number {
    return this.#fromMs;
  }

  /** From now on things are judged. */
  blow(): number {
    return this.#fromMs = monotonicMs();
  }

  /** All daemons take part, `holder` holds the address, the client is served, and no alarm is open. */
  async opens(holder = "node1", nodes: readonly string[] = this.lab.nodes): Promise<void> {
    await this.pair.untilHeldBy(holder);
    await this.pair.untilSaid(holder, / notice group-started: /);
    for (const node of nodes) {
      await this.pair.untilSaid(node, / notice settled: /);
      await this.untilAlarms(node, []);
    }
    await this.untilServed();
    await this.#untilInView(nodes);
    this.blow();
  }

  /** The client gets answers again. */
  async untilServed(): Promise<void> {
    const fromMs = monotonicMs();
    await waitFor(() => (this.pair.client.lastReplyAtMs ?? 0) > fromMs, "the client is served");
  }

  heldBy(node: string, deadlineMs?: number): Promise<number> {
    return this.pair.untilHeldBy(node, deadlineMs);
  }

  /** What the daemons of a node have reported since the blow, those that ended included. */
  reports(node: string, fromMs = this.#fromMs): Report[] {
    return this.lab.lines().filter((heard) => heard.node === node && heard.atMs >= fromMs)
      .flatMap(({ atMs, line }) => {
        const match = /^\S+ (alarm|clear|warning|notice|info) ([a-z-]+): (.*)$/.exec(line);
        return match === null ? [] : [{ atMs, level: match[1]!, code: match[2]!, sentence: match[3]! }];
      });
  }

  /** Codes of the reports of one level since the blow, in order. */
  codes(node: string, level: string): string[] {
    return this.reports(node).filter((report) => report.level === level).map(({ code }) => code);
  }

  /** Waits for a report since the blow; answers it. */
  async said(node: string, code: string, pattern = /./, deadlineMs?: number): Promise<Report> {
    const find = () => this.reports(node).find((r) => r.code === code && pattern.test(r.sentence));
    await waitFor(() => find() !== undefined, `${node} reports ${code} ${pattern}`, deadlineMs);
    return find()!;
  }

  hasSaid(node: string, code: string): boolean {
    return this.reports(node).some((report) => report.code === code);
  }

  /** Codes of the alarms that are open by what the node's present daemon wrote, sorted. */
  openAlarms(node: string): string[] {
    const open: string[] = [];
    for (const { line } of this.lab.daemon(node).lines) {
      const match = /^\S+ (alarm|clear) ([a-z-]+): /.exec(line);
      if (match?.[1] === "alarm") open.push(match[2]!);
      if (match?.[1] === "clear") open.splice(open.indexOf(match[2]!), 1);
    }
    return open.sort();
  }

  async untilAlarms(node: string, codes: readonly string[], deadlineMs?: number): Promise<void> {
    const wanted = [...codes].sort().join();
    const found = () => comparable(this.openAlarms(node), codes).join();
    try {
      await waitFor(() => found() === wanted, "", deadlineMs);
    } catch {
      assert.fail(`${node} should have the alarms [${wanted}], has [${found()}]`);
    }
  }

  /** The alarms by reports and by `status --json`, and the holders by the latter, within a while. */
  async agrees(
    node: string,
    expected: { readonly alarms?: readonly string[]; readonly holders?: readonly string[] },
  ): Promise<NodeView> {
    if (expected.alarms !== undefined) await this.untilAlarms(node, expected.alarms);
    const wanted = {
      alarms: expected.alarms === undefined ? undefined : [...expected.alarms].sort(),
      holders: expected.holders,
    };
    let view!: NodeView;
    await untilEqual(
      async () => {
        view = await this.status(node);
        const found = {
          alarms: wanted.alarms && comparable(view.alarms.map(({ code }) => code), wanted.alarms),
          holders: wanted.holders && view.groups[0]?.holders,
        };
        return [found, wanted];
      },
      agreeMs,
      `in the status of ${node}`,
    );
    return view;
  }

  async status(node: string): Promise<NodeView> {
    const { stdout, stderr } = await this.heartline(node, "status", "--json");
    assert.notEqual(stdout, "", `no status of ${node}: ${stderr}`);
    return JSON.parse(stdout).view;
  }

  heartline(node: string, ...args: string[]): Promise<Ended> {
    return this.lab.heartline(node, this.target, args);
  }

  /** Runs a shell line in a node, which has to succeed. */
  async shell(where: string, line: string): Promise<string> {
    const { code, stdout, stderr } = await this.lab.exec(where, ["sh", "-ec", line]);
    assert.equal(code, 0, `${where}: ${line}: ${stderr}`);
    return stdout;
  }

  start(node: string): LabDaemon {
    return this.pair.start(node);
  }

  /** Nothing changes for a time: the holder stays the only one. */
  async nothingMoves(holder: string, durationMs: number): Promise<void> {
    await staysFor(
      durationMs,
      () => this.pair.holders.sample().join() === holder,
      `${holder} alone holds it`,
    );
  }

  /** Waits until exactly these nodes have the address, in the order of the laboratory. */
  async untilOn(...nodes: string[]): Promise<void> {
    const wanted = nodes.join();
    await waitFor(() => this.pair.holders.sample().join() === wanted, `the address is on [${wanted}]`);
  }

  /** Nobody holds the address for a time. */
  async nobodyHolds(durationMs: number): Promise<void> {
    await staysFor(durationMs, () => this.pair.holders.sample().length === 0, "nobody holds it");
  }

  timeline(): HolderTimeline {
    return between(this.pair.holders.timeline(), this.#fromMs, monotonicMs());
  }

  outageMs(): number {
    return this.pair.client.outageMs(this.#fromMs, monotonicMs());
  }

  /** Since the first sample on, never two holders; and the sampler looked. */
  neverTwo(): void {
    const timeline = this.pair.holders.timeline();
    assertLooked(timeline, blindMsMax);
    if (timeline.samplingGapMaxMs > blindMsWarn) {
      console.warn(
        `the sampler was blind for ${timeline.samplingGapMaxMs.toFixed(0)} ms: the machine is busy`,
      );
    }
    assert.equal(overlapMs(timeline), 0, `two holders:\n${describeTimeline(timeline)}`);
  }

  /** The address was there at any time since the blow, and the client noticed nothing. */
  noOutage(): void {
    const { pollGapMaxMs } = this.pair.client;
    const outageMs = this.outageMs();
    const text = `outage of ${outageMs.toFixed(1)} ms, and the client looked every ${
      pollGapMaxMs.toFixed(1)
    } ms`;
    assert.ok(outageMs <= pollGapMaxMs + hiccupMs, text);
    assert.equal(longestGapMs(this.timeline()), 0, "nobody held the address for a while");
  }

  /** The client was without service since the blow, no longer than so many deadtimes. */
  outageWithin(deadTimes: number): void {
    const outageMs = this.outageMs();
    assert.ok(
      outageMs < deadTimes * this.deadTimeMs,
      `outage of ${outageMs.toFixed(0)} ms with a deadtime of ${this.deadTimeMs} ms`,
    );
  }

  /** One line of figures, printed when the scenario has passed. */
  figures(): string {
    const whole = this.pair.holders.timeline();
    return [
      `outage ${this.outageMs().toFixed(0)} ms`,
      `nobody ${longestGapMs(this.timeline()).toFixed(0)} ms`,
      `overlap ${overlapMs(whole).toFixed(0)} ms`,
      `sampler blind ${whole.samplingGapMaxMs.toFixed(0)} ms`,
      `client blind ${this.pair.client.pollGapMaxMs.toFixed(0)} ms`,
    ].join(", ");
  }

  /** Each of the nodes knows each other one by a link that works both ways. */
  async #untilInView(nodes: readonly string[]): Promise<void> {
    for (const node of nodes) {
      for (const other of nodes) {
        if (other === node) continue;
        await this.pair.untilSaid(node, new RegExp(` notice node-heard: ${other} is in view`));
      }
    }
  }
}

/** Sorted. While other alarms are open it is a matter of time whether there is that of a group that nobody holds. */
function comparable(open: readonly string[], wanted: readonly string[]): string[] {
  const isLate = (code: string) => code === "group-unheld" && wanted.length > 0 && !wanted.includes(code);
  return open.filter((code) => !isLate(code)).sort();
}
