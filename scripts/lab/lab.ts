/**
 * A laboratory: nodes and a client in network namespaces of this machine, for end-to-end tests, the demo and the
 * benchmark. It does what befalls machines and cables, notes when, and takes everything away afterwards.
 *
 * It judges nothing. Needs root and iproute2; one-way cuts and loss need nftables.
 */

import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { EnvironmentError, InvariantError } from "../../lib/errors.ts";
import { monotonicMs } from "../../lib/system/clock.ts";
import { CONFIG_PATH } from "./config.ts";
import { type HeardLine, heartline, LabDaemon, type Target } from "./daemon.ts";
import { LabMachine } from "./machine.ts";
import { CLIENT, LabNetwork, SERVICE_LINK } from "./network.ts";
import { type Ended, run, tryRun } from "./run.ts";

export interface LabOptions {
  /** 1 to 16 nodes, named `node1`… */
  readonly nodes?: number;
  /** Cables per node: `pub0`, then `hb0`… */
  readonly links?: number;
  /** Begin of the namespaces' names. */
  readonly prefix?: string;
}

/** Something done to the laboratory, with the instant at which it began. */
export interface LabEvent {
  readonly atMs: number;
  readonly what: string;
}

const DEFAULT_PREFIX = "hllab";
const alive = new Set<Lab>();

export class Lab {
  readonly events: LabEvent[] = [];
  readonly #underWay = new Set<Promise<void>>();
  readonly #machines = new Map<string, LabMachine>();
  readonly #daemons = new Map<string, LabDaemon>();
  /** Every daemon that ever ran, for its last words. */
  readonly #allDaemons: LabDaemon[] = [];

  private constructor(readonly network: LabNetwork, readonly directory: string) {
    for (const node of this.nodes) {
      const own = join(directory, node);
      mkdirSync(own);
      this.#machines.set(node, new LabMachine(node, network.namespace(node), own));
    }
  }

  /** Why there can be no laboratory here; `null`: there can. */
  static async unavailable(): Promise<string | null> {
    if (process.getuid?.() !== 0) return "network namespaces need root";
    try {
      const probe = await tryRun("ip", ["netns", "list"]);
      return probe.code === 0 ? null : `"ip netns" does not work: ${probe.stderr.trim()}`;
    } catch {
      return `the program "ip" is missing (package iproute2)`;
    }
  }

  /** Builds the network and turns all machines on; on failure nothing is left behind. */
  static async build(options: LabOptions = {}): Promise<Lab> {
    const prefix = options.prefix ?? DEFAULT_PREFIX;
    await removeStale(prefix);
    // Test files run at the same time in one process, each with its own modules: a counter would not be unique.
    const id = `${prefix}-${process.pid}-${randomBytes(3).toString("hex")}`;
    const network = new LabNetwork({
      id,
      nodes: Array.from({ length: options.nodes ?? 2 }, (_, index) => `node${index + 1}`),
      links: Array.from(
        { length: options.links ?? 2 },
        (_, index) => index === 0 ? SERVICE_LINK : `hb${index - 1}`,
      ),
    });
    const lab = new Lab(network, mkdtempSync(join(tmpdir(), `${id}-`)));
    listenForSignals();
    alive.add(lab);
    try {
      await lab.#finish(async () => {
        await network.build();
        await Promise.all(lab.nodes.map((node) => lab.machine(node).powerOn()));
      });
    } catch (error) {
      await lab.destroy();
      throw error;
    }
    return lab;
  }

  get nodes(): readonly string[] {
    return this.network.plan.nodes;
  }

  get links(): readonly string[] {
    return this.network.plan.links;
  }

  machine(node: string): LabMachine {
    const machine = this.#machines.get(node);
    if (machine === undefined) throw new InvariantError(`the lab has no node "${node}"`);
    return machine;
  }

  /** The daemon that was started last on a node. */
  daemon(node: string): LabDaemon {
    const daemon = this.#daemons.get(node);
    if (daemon === undefined) throw new InvariantError(`nothing was started on "${node}"`);
    return daemon;
  }

  /** Everything that all daemons have said so far, in order of time. */
  lines(): ReadonlyArray<HeardLine & { readonly node: string }> {
    return this.#allDaemons
      .flatMap((daemon) => daemon.lines.map((heard) => ({ ...heard, node: daemon.machine.name })))
      .sort((a, b) => a.atMs - b.atMs);
  }

  /** Takes the cable out: the node loses the carrier. */
  cut(node: string, link: string): Promise<void> {
    return this.#do(`cut ${link} of ${node}`, () => this.network.harm(node, link, { cut: true }));
  }

  heal(node: string, link: string): Promise<void> {
    return this.#do(`heal ${link} of ${node}`, () => this.network.harm(node, link, { cut: false }));
  }

  /** Nothing passes in either direction while the carrier stays. */
  mute(node: string, link: string): Promise<void> {
    return this.#do(`mute ${link} of ${node}`, () => this.network.harm(node, link, { muted: true }));
  }

  unmute(node: string, link: string): Promise<void> {
    return this.#do(`unmute ${link} of ${node}`, () => this.network.harm(node, link, { muted: false }));
  }

  /** The node is heard and hears nothing on this link. */
  dropTowards(node: string, link: string, isDropped = true): Promise<void> {
    const what = `${isDropped ? "drop" : "pass"} what goes towards ${node} on ${link}`;
    return this.#do(what, () => this.network.harm(node, link, { dropTowards: isDropped }));
  }

  /** The node hears and is not heard on this link. */
  dropFrom(node: string, link: string, isDropped = true): Promise<void> {
    const what = `${isDropped ? "drop" : "pass"} what comes from ${node} on ${link}`;
    return this.#do(what, () => this.network.harm(node, link, { dropFrom: isDropped }));
  }

  /** Random loss in each direction; 0 ends it. */
  loss(node: string, link: string, percent: number): Promise<void> {
    const lossPermille = Math.round(percent * 10);
    return this.#do(
      `loss of ${percent} % on ${link} of ${node}`,
      () => this.network.harm(node, link, { lossPermille }),
    );
  }

  /** Losses in a row in each direction, of all that has one protocol; a share of 0 ends them. */
  bursts(node: string, link: string, startPermille: number, lengthMs: number): Promise<void> {
    return this.#do(
      `losses for ${lengthMs} ms in a row on ${link} of ${node}`,
      () =>
        this.network.harm(node, link, { bursts: startPermille === 0 ? null : { startPermille, lengthMs } }),
    );
  }

  /** Starts `heartline peer`. `config` is a path as the node sees it, by default where `writeConfig` puts it. */
  start(
    node: string,
    options: { readonly target: Target; readonly config?: string; readonly args?: readonly string[] },
  ): LabDaemon {
    const args = options.args ?? ["--config", options.config ?? CONFIG_PATH];
    return this.launch(node, [...heartline(options.target), "peer", ...args]);
  }

  /** Starts any long-running program as the node's daemon. */
  launch(node: string, command: readonly string[]): LabDaemon {
    if (this.#daemons.get(node)?.hasEnded === false) {
      throw new InvariantError(`a daemon runs on "${node}" already`);
    }
    this.#note(`start the daemon on ${node}`);
    const daemon = new LabDaemon(this.machine(node), command);
    this.#daemons.set(node, daemon);
    this.#allDaemons.push(daemon);
    return daemon;
  }

  /** Runs one heartline command in a node, `status --json` for instance. */
  heartline(node: string, target: Target, args: readonly string[]): Promise<Ended> {
    return this.exec(node, [...heartline(target), ...args]);
  }

  /** Sends the daemon a signal; throws when it runs no more. */
  kill(node: string, signal: NodeJS.Signals = "SIGKILL"): void {
    this.#note(`${signal} to the daemon on ${node}`);
    if (!this.daemon(node).signal(signal)) throw new EnvironmentError(`the daemon on ${node} does not run`);
  }

  stop(node: string): void {
    this.kill(node, "SIGSTOP");
  }

  cont(node: string): void {
    this.kill(node, "SIGCONT");
  }

  /** The machine is off: no cable carries, no process runs, no address is held. */
  async powerOff(node: string): Promise<void> {
    await this.#do(`power off ${node}`, async () => {
      // All at the same moment: a machine without power does not keep its address for a while.
      const isOff = this.machine(node).powerOff();
      await Promise.all([isOff, this.network.harm(node, "all", { cut: true }), this.network.flush(node)]);
      await this.network.flush(node);
    });
    await this.#daemons.get(node)?.ended;
  }

  /** The machine is on again, with its files; its daemon is not started. */
  async powerOn(node: string): Promise<void> {
    await this.#do(`power on ${node}`, () => this.machine(node).powerOn());
    await this.network.harm(node, "all", { cut: false });
    await this.network.restoreAddresses(node);
  }

  /** Runs a command in a node (or the client) to its end. */
  exec(where: string, command: readonly string[], input?: string): Promise<Ended> {
    if (where !== CLIENT) return this.machine(where).exec(command, input);
    const args = ["netns", "exec", this.network.namespace(CLIENT), ...command];
    return tryRun("ip", args, input === undefined ? {} : { input });
  }

  /** Ends all processes and takes everything away. May be called again. */
  async destroy(): Promise<void> {
    this.killNow();
    // What is being built or changed at this moment must be complete before it can be taken away.
    await Promise.allSettled(this.#underWay);
    this.killNow();
    await Promise.all([...this.#machines.values()].map((machine) => machine.powerOff()));
    await Promise.all(this.#allDaemons.map((daemon) => daemon.ended));
    await this.network.destroy();
    rmSync(this.directory, { recursive: true, force: true });
    alive.delete(this);
    if (alive.size === 0) stopListeningForSignals();
  }

  /** The part of `destroy` that cannot wait. */
  killNow(): void {
    for (const machine of this.#machines.values()) machine.killNow();
  }

  async #do(what: string, action: () => Promise<void>): Promise<void> {
    this.#note(what);
    await this.#finish(action);
  }

  async #finish(action: () => Promise<void>): Promise<void> {
    const work = action();
    this.#underWay.add(work);
    try {
      await work;
    } finally {
      this.#underWay.delete(work);
    }
  }

  #note(what: string): void {
    this.events.push({ atMs: monotonicMs(), what });
  }
}

/** What a laboratory left behind whose process was killed: its number is in the names. */
async function removeStale(prefix: string): Promise<void> {
  const isStale = (name: string) => {
    const pid = new RegExp(`^${prefix}-(\\d+)-[0-9a-f]+-`).exec(name)?.[1];
    return pid !== undefined && !isRunning(Number(pid));
  };
  const namespaces = (await run("ip", ["netns", "list"])).split("\n").map((line) => line.split(" ")[0] ?? "");
  for (const name of namespaces.filter(isStale)) await tryRun("ip", ["netns", "del", name]);
  for (const name of readdirSync(tmpdir()).filter(isStale)) {
    rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
type EndSignal = keyof typeof exitCodes;
let listens = false;

async function onSignal(signal: EndSignal): Promise<void> {
  for (const lab of alive) lab.killNow();
  await Promise.allSettled([...alive].map((lab) => lab.destroy()));
  process.exit(exitCodes[signal]);
}

function listenForSignals(): void {
  if (listens) return;
  listens = true;
  for (const signal of Object.keys(exitCodes) as EndSignal[]) process.on(signal, onSignal);
}

/** So that a test leaves no listener behind. */
function stopListeningForSignals(): void {
  listens = false;
  for (const signal of Object.keys(exitCodes) as EndSignal[]) process.off(signal, onSignal);
}
