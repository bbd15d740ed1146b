/**
 * A pair of which one node runs Heartline and the other a real Heartbeat 3 daemon, in a laboratory: what scenarios do
 * to it, wait for and require. Waits have deadlines and no tight figures: the real daemon reacts at its own ticks
 * (protocol reference 1.1), and asks for three seconds instead of its deadtime in its first five (7.2).
 */

import assert from "node:assert/strict";
import { realpathSync } from "node:fs";
import { HA_DIRECTORY, VIP, writeHaDirectory } from "../../scripts/lab/config.ts";
import type { Target } from "../../scripts/lab/daemon.ts";
import * as heartbeat from "../../scripts/lab/heartbeat.ts";
import { Lab } from "../../scripts/lab/lab.ts";
import type { Ended } from "../../scripts/lab/run.ts";
import { ClientPinger, HolderSampler } from "../../scripts/lab/samplers.ts";
import { between, describeTimeline, overlapMs } from "../../scripts/lab/timeline.ts";
import { monotonicMs } from "../../lib/system/clock.ts";
import { waitFor } from "../e2e/harness.ts";
import { PseudoLine } from "../media/pseudo_line.ts";

export type Node = "node1" | "node2";

export interface MixedOptions {
  readonly target?: Target;
  readonly failback?: "on" | "off" | "legacy";
  /** So long that a busy machine does not make one daemon declare the other dead. */
  readonly deadTimeMs?: number;
  /** Long enough for both to start on a busy machine; shorter where one starts alone. */
  readonly initDeadMs?: number;
  /** Instead of the one group that belongs on node1. */
  readonly haresources?: string;
  /** Lines of ha.cf for the media of a node. */
  readonly media?: (node: string, lab: Lab) => readonly string[];
  /** Joined by a serial line too, whose ends are pseudo-terminals. */
  readonly isSerial?: true;
  readonly links?: number;
}

/** Looser than elsewhere: shell scripts of the real daemon run on a machine that does much else. */
const deadlineMs = 90_000;
const intervalMs = 10;
/** The real daemon has logged an order by then. Lower: one that it ignores is not seen on a busy machine. */
const noteMs = 3_000;

export class MixedPair {
  readonly startedMs = monotonicMs();
  #fromMs = this.startedMs;

  private constructor(
    readonly lab: Lab,
    /** Where Heartline runs at first, and the real daemon. */
    readonly ours: Node,
    readonly theirs: Node,
    readonly target: Target,
    readonly holders: HolderSampler,
    readonly client: ClientPinger,
  ) {}

  static async with(
    ours: Node,
    options: MixedOptions,
    play: (pair: MixedPair) => Promise<void>,
  ): Promise<void> {
    const lab = await Lab.build({ prefix: "hlhb", links: options.links ?? 2 });
    const { media } = options;
    let holders: HolderSampler | null = null;
    let client: ClientPinger | null = null;
    const line = options.isSerial === true ? await PseudoLine.open() : null;
    const end = (node: string) =>
      line === null ? [] : ["baud 115200", `serial ${realpathSync(node === "node1" ? line.a : line.b)}`];
    try {
      writeHaDirectory(lab, {
        haCf: heartbeat.heartbeatHaCf,
        failback: options.failback ?? "on",
        ...(options.haresources === undefined ? {} : { haresources: options.haresources }),
        initDeadMs: options.initDeadMs ?? 10_000,
        deadTimeMs: options.deadTimeMs ?? 2_500,
        keepaliveMs: 200,
        ...(media === undefined ? {} : { media: (node) => [...end(node), ...media(node, lab)] }),
      });
      holders = new HolderSampler(lab, VIP, intervalMs);
      client = new ClientPinger(lab, VIP, intervalMs);
      const theirs = ours === "node1" ? "node2" : "node1";
      const pair = new MixedPair(lab, ours, theirs, options.target ?? "source", holders, client);
      try {
        await play(pair);
      } catch (error) {
        console.error(pair.#story());
        throw error;
      }
    } finally {
      client?.stop();
      holders?.stop();
      await lab.destroy();
      await line?.close();
    }
  }

  /** Starts Heartline with the same three files that the real daemon reads. */
  start(node: Node = this.ours): void {
    this.lab.start(node, { target: this.target, args: ["--ha-dir", HA_DIRECTORY] });
  }

  async startHeartbeat(node: Node = this.theirs): Promise<void> {
    await heartbeat.startHeartbeat(this.lab, node);
  }

  /** SIGTERM to whatever daemon runs there; waits for its end. */
  async stop(node: Node): Promise<void> {
    this.lab.kill(node, "SIGTERM");
    await this.lab.daemon(node).ended;
  }

  /** Both are up and settled in each other's view, and node1, where the group belongs, holds it. */
  async opens(): Promise<void> {
    this.start();
    await this.startHeartbeat();
    await this.heldBy("node1");
    await this.settled(this.theirs === "node1" ? "local|all" : "local|none");
  }

  /**
   * The real daemon is stable and says that it holds one of these. Nothing belongs on node2 here: who holds that, in
   * name, is a matter of who held what before.
   */
  async settled(holds: string, node: Node = this.theirs): Promise<void> {
    await waitFor(
      async () =>
        holds.split("|").includes((await heartbeat.clStatus(this.lab, node, "rscstatus")).stdout.trim()),
      `the real daemon on ${node} holds "${holds}" and is stable`,
      deadlineMs,
    );
  }

  /** Waits until a node alone holds the address, and the client is served. */
  async heldBy(node: Node): Promise<void> {
    await waitFor(() => this.holders.sample().join() === node, `${node} alone holds the address`, deadlineMs);
    const sinceMs = monotonicMs();
    await waitFor(() => (this.client.lastReplyAtMs ?? 0) > sinceMs, "the client is served", deadlineMs);
  }

  async unheld(): Promise<void> {
    await waitFor(() => this.holders.sample().length === 0, "nobody holds the address", deadlineMs);
  }

  /** The holder stays the only one for a time. */
  async stays(node: Node, forMs: number): Promise<void> {
    const endMs = monotonicMs() + forMs;
    while (monotonicMs() < endMs) {
      assert.equal(this.holders.sample().join(), node, "the only holder");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async said(pattern: RegExp, node: Node = this.ours): Promise<void> {
    await waitFor(
      () =>
        this.lab.lines().some((heard) =>
          heard.node === node && heard.atMs >= this.#fromMs && pattern.test(heard.line)
        ),
      `${node} says ${pattern}`,
      deadlineMs,
    );
  }

  /** What follows is judged from here: the instant. */
  blow(): number {
    return this.#fromMs = monotonicMs();
  }

  /** Runs a heartline command, which has to succeed. */
  heartline(...args: string[]): Promise<string> {
    return this.heartlineOn(this.ours, ...args);
  }

  /** While the real daemon is in the middle of something it is told to wait, and told again. */
  async heartlineOn(node: Node, ...args: string[]): Promise<string> {
    const endMs = monotonicMs() + deadlineMs;
    let { code, stdout, stderr } = await this.lab.heartline(node, this.target, args);
    while (/heartline status tells when that is over/.test(stderr) && monotonicMs() < endMs) {
      ({ code, stdout, stderr } = await this.lab.heartline(node, this.target, args));
    }
    assert.equal(code, 0, `heartline ${args.join(" ")}: ${stdout}${stderr}`);
    return stdout;
  }

  hbStandby(which = "all", node: Node = this.theirs): Promise<Ended> {
    return this.#ordered(node, () => heartbeat.hbStandby(this.lab, node, which));
  }

  hbTakeover(which = "all", node: Node = this.theirs): Promise<Ended> {
    return this.#ordered(node, () => heartbeat.hbTakeover(this.lab, node, which));
  }

  /**
   * The real daemon ignores an order, of its own commands too, that reaches it before a move before, or its own start,
   * is over in its view; its log tells. The order is given again then, as an operator would.
   */
  async #ordered(node: Node, order: () => Promise<Ended>): Promise<Ended> {
    const endMs = monotonicMs() + deadlineMs;
    for (;;) {
      const before = this.log(node).length;
      const ended = await order();
      const untilMs = monotonicMs() + noteMs;
      let said = "";
      while (!/wants to go standby|ignored/.test(said) && monotonicMs() < untilMs) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        said = this.log(node).slice(before);
      }
      if (!/(new request from|standby message) .*ignored/.test(said) || monotonicMs() > endMs) return ended;
    }
  }

  /** The real daemon brings the group to node1, by its own command. */
  async hbTakeoverOrStandby(): Promise<void> {
    await (this.theirs === "node1" ? this.hbTakeover("local") : this.hbStandby("all"));
  }

  /** `after`: behind so many characters of its log. */
  async logged(pattern: RegExp, node: Node = this.theirs, after = 0): Promise<void> {
    await waitFor(
      () => pattern.test(this.log(node).slice(after)),
      `the real daemon logs ${pattern}`,
      deadlineMs,
    );
  }

  log(node: Node = this.theirs): string {
    return heartbeat.heartbeatLog(this.lab, node);
  }

  /** Never two holders in a stretch of time; the whole scenario unless said. */
  neverTwo(fromMs = this.startedMs, toMs = monotonicMs()): void {
    const timeline = between(this.holders.timeline(), fromMs, toMs);
    assert.equal(overlapMs(timeline), 0, `two holders:\n${describeTimeline(timeline, this.lab.events)}`);
  }

  /** The client's longest pause since the blow. */
  outageMs(): number {
    return this.client.outageMs(this.#fromMs, monotonicMs());
  }

  figures(): string {
    const timeline = this.holders.timeline();
    return `${((monotonicMs() - this.startedMs) / 1000).toFixed(1)} s, overlap ${
      overlapMs(timeline).toFixed(0)
    } ms, ` +
      `client's longest pause since the last blow ${this.outageMs().toFixed(0)} ms`;
  }

  #story(): string {
    const originMs = this.startedMs;
    const said = this.lab.lines().map(({ node, atMs, line }) =>
      `${(atMs - originMs).toFixed(0).padStart(7)} ms  ${node}: ${line}`
    );
    const log = this.log().split("\n").slice(-60).join("\n");
    const timeline = describeTimeline(this.holders.timeline(), this.lab.events, originMs);
    return ["", timeline, "", ...said, "", `The end of the real daemon's log on ${this.theirs}:`, log].join(
      "\n",
    );
  }
}
