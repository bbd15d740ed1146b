/**
 * A cluster in virtual time: machines, networks and faults, driven from one seed. The same seed and plan give the same
 * run, event for event. It drives the very `ClusterNode` of the daemon and knows nothing of how that decides.
 */

import { settingsHash } from "../config/checks.ts";
import { linkName, type Settings } from "../core/settings.ts";
import type { NodeView } from "../core/view.ts";
import { InvariantError } from "../errors.ts";
import { EventQueue } from "./event_queue.ts";
import { apply, type Fault, faultInWords } from "./faults.ts";
import { FenceDevices } from "./fence_devices.ts";
import { HeartbeatNetwork, type NetworkOptions } from "./heartbeat_network.ts";
import { Machine, type Observer } from "./machine.ts";
import { Prng } from "../core/prng.ts";
import { ServiceNetwork } from "./service_network.ts";
import { Trace } from "./trace.ts";

/** What checkers watch (`cautions.ts`). */
export type Promised =
  | "one-holder"
  | "one-runner"
  | "exclusion"
  | "fencing"
  | "announcement"
  | "epoch"
  | "freshness"
  | "alarm"
  | "stall"
  | "pace"
  | "rest"
  | "convergence";

export interface SimulationOptions {
  readonly seed: number;
  /** Of every node, or of those that `settingsOf` does not name; nodes and groups are looked up here. */
  readonly settings: Settings;
  /** Where nodes have read different files. */
  readonly settingsOf?: ReadonlyMap<string, Settings>;
  readonly links?: NetworkOptions;
  /** Between two stations of the service network. Well below a question's window (at least 10 ms). */
  readonly serviceLatencyMs?: number;
  /** Daemons start at these times; a node that is not named starts at 0. */
  readonly startAtMs?: Readonly<Record<string, number>>;
  readonly observers?: readonly Observer[];
}

/** A source of chance of its own, so that runs without fence devices are as they were without this. */
const fenceSalt = 0x66656e63;

/** Of a machine that was rebooted, in the trace. */
export const upAgain = "is up again";

export class Simulation {
  readonly settings: Settings;
  readonly queue = new EventQueue();
  readonly trace = new Trace();
  readonly heartbeats: HeartbeatNetwork;
  readonly service: ServiceNetwork;
  readonly fences: FenceDevices;
  readonly machines: readonly Machine[];
  /** Set by a checker; the run ends with it. */
  violation: string | null = null;
  /** Short name of the promise that was broken. */
  broken: Promised | null = null;
  readonly #observers: Observer[];
  readonly #byName: ReadonlyMap<string, Machine>;

  constructor(readonly options: SimulationOptions) {
    const random = new Prng(options.seed);
    this.settings = options.settings;
    const settingsOf = (name: string) => options.settingsOf?.get(name) ?? options.settings;
    const media = [...new Set(this.settings.nodes.flatMap((name) => settingsOf(name).media.map(linkName)))];
    this.heartbeats = new HeartbeatNetwork(
      options.settings.nodes,
      media,
      this.queue,
      random.fork(),
      (to, input) => this.machine(to).daemon?.take(input),
      options.links,
    );
    this.service = new ServiceNetwork(this.queue, random.fork(), options.serviceLatencyMs ?? 0.4);
    this.#observers = [this.#recorder(), ...(options.observers ?? [])];
    const observer = this.#all();
    this.fences = new FenceDevices(
      this.queue,
      new Prng(options.seed ^ fenceSalt),
      this.service,
      (name) => this.machine(name),
    );
    const hash = (name: string) => options.settingsOf === undefined ? "sim" : settingsHash(settingsOf(name));
    this.machines = options.settings.nodes.map((name) =>
      new Machine(
        { name, settings: settingsOf(name), settingsHash: hash(name) },
        this.queue,
        random.fork(),
        this.heartbeats,
        this.service,
        this.fences,
        observer,
      )
    );
    this.#byName = new Map(this.machines.map((machine) => [machine.name, machine]));
    for (const machine of this.machines) {
      this.queue.at(options.startAtMs?.[machine.name] ?? 0, () => machine.startDaemon());
    }
    for (const { name } of this.settings.groups) this.trace.setHolders(name, 0, []);
  }

  get nowMs(): number {
    return this.queue.nowMs;
  }

  observe(observer: Observer): void {
    this.#observers.push(observer);
  }

  machine(name: string): Machine {
    const machine = this.#byName.get(name);
    if (machine === undefined) throw new InvariantError(`no machine "${name}" in this simulation`);
    return machine;
  }

  /** Plans a fault. */
  at(atMs: number, fault: Fault): this {
    if (fault.kind === "replay") this.heartbeats.isRecording = true;
    this.queue.at(atMs, () => {
      this.note("fault", "", faultInWords(fault));
      apply(this, fault);
    });
    return this;
  }

  /** Runs until an instant, or until a checker found a violation. */
  run(untilMs: number): this {
    if (this.violation === null) this.queue.runUntil(untilMs, () => this.violation !== null);
    return this;
  }

  fail(promised: Promised, why: string): void {
    if (this.violation !== null) return;
    this.violation = `at ${(this.nowMs / 1000).toFixed(4)} s: ${why}`;
    this.broken = promised;
  }

  /** Machines that hold the group now, by name in the order of the settings. */
  holders(group: string): string[] {
    return this.machines.filter((machine) => machine.holds(group)).map(({ name }) => name);
  }

  /** `null`: no daemon runs there. */
  view(node: string): NodeView | null {
    const { daemon } = this.machine(node);
    return daemon === null ? null : daemon.node.view(this.machine(node).now());
  }

  note(kind: "fault" | "process", node: string, sentence: string): void {
    this.trace.add({ atMs: this.nowMs, node, kind, code: kind, sentence, fields: {} });
  }

  #recorder(): Observer {
    const { trace } = this;
    return {
      reported: (machine, { code, level, sentence, fields }) => {
        const text = level === "clear" ? `cleared: ${sentence}` : sentence;
        trace.add({
          atMs: this.nowMs,
          node: machine.name,
          kind: "report",
          code,
          level,
          sentence: text,
          fields,
        });
      },
      answered: (machine, isAccepted, sentence) =>
        trace.add({
          atMs: this.nowMs,
          node: machine.name,
          kind: "answer",
          code: isAccepted ? "accepted" : "refused",
          sentence: `${isAccepted ? "accepted" : "refused"}: ${sentence}`,
          fields: {},
        }),
      ended: (machine, how) => this.note("process", machine.name, how),
      booted: (machine) => this.note("process", machine.name, upAgain),
      fenced: (machine, how) => this.note("process", machine.name, `switched off by ${how}`),
      holdingChanged: (_machine, group) => {
        const holders = this.holders(group);
        if (!trace.setHolders(group, this.nowMs, holders)) return;
        const sentence = `${group} held by ${holders.length === 0 ? "nobody" : holders.join(" AND ")}`;
        trace.add({
          atMs: this.nowMs,
          node: "",
          kind: "holding",
          code: "holding",
          sentence,
          fields: { group },
        });
      },
    };
  }

  /** One observer that hands everything to all. */
  #all(): Observer {
    const each = (tell: (observer: Observer) => void) => {
      for (const observer of this.#observers) tell(observer);
    };
    return {
      // By far the most frequent one.
      stepped: (machine, input, effects) => {
        for (const observer of this.#observers) observer.stepped?.(machine, input, effects);
      },
      reported: (...args) => each((observer) => observer.reported?.(...args)),
      event: (...args) => each((observer) => observer.event?.(...args)),
      answered: (...args) => each((observer) => observer.answered?.(...args)),
      announced: (...args) => each((observer) => observer.announced?.(...args)),
      holdingChanged: (...args) => each((observer) => observer.holdingChanged?.(...args)),
      ended: (...args) => each((observer) => observer.ended?.(...args)),
      booted: (...args) => each((observer) => observer.booted?.(...args)),
      fenced: (...args) => each((observer) => observer.fenced?.(...args)),
    };
  }
}
