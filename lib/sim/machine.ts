/**
 * One machine of the simulated cluster: power, a clock of its own, a kernel, scripts, and at most one daemon. It
 * decides nothing; it lets faults happen to itself.
 */

import type { Effect, ReportEffect } from "../core/effects.ts";
import type { Input } from "../core/inputs.ts";
import type { ClusterEvent } from "../core/messaging/cluster_events.ts";
import { type Instant, instant } from "../core/instant.ts";
import type { Settings } from "../core/settings.ts";
import { Daemon } from "./daemon.ts";
import type { Fenceable, FenceDevices } from "./fence_devices.ts";
import type { EventQueue } from "./event_queue.ts";
import type { HeartbeatNetwork } from "./heartbeat_network.ts";
import { Kernel } from "./kernel.ts";
import { Prng } from "../core/prng.ts";
import { Scripts } from "./scripts.ts";
import type { ServiceNetwork, Station } from "./service_network.ts";

/** Who watches all that happens: checkers and the trace. Watching changes nothing. */
export interface Observer {
  stepped?(machine: Machine, input: Input, effects: readonly Effect[]): void;
  reported?(machine: Machine, report: ReportEffect): void;
  /** A cluster event took its place in the history of this machine's daemon. */
  event?(machine: Machine, event: ClusterEvent): void;
  answered?(machine: Machine, isAccepted: boolean, message: string): void;
  announced?(machine: Machine, group: string): void;
  /** Who holds the group may have changed. */
  holdingChanged?(machine: Machine, group: string): void;
  ended?(machine: Machine, how: string): void;
  /** A fence device switched it off. */
  fenced?(machine: Machine, how: string): void;
  /** It has been switched on again, as part of a reboot. */
  booted?(machine: Machine): void;
}

/** Time from the power button to a running daemon. */
const bootMs = 3_000;

/** The wall clock of every machine at the beginning of a run, in Unix seconds: 2026-01-01. */
const wallStartSeconds = 1_767_225_600;

export interface MachineIdentity {
  readonly name: string;
  readonly settings: Settings;
  readonly settingsHash: string;
}

/** What becomes of a reboot that a node orders for itself: it happens, after a time, or it never does. */
export interface RebootBehaviour {
  readonly afterMs: number;
  readonly isVain: boolean;
}

export class Machine implements Station, Fenceable {
  readonly name: string;
  readonly settings: Settings;
  isPowered = true;
  /** It is off, and can be switched on: it was not its mains that failed. */
  #isSwitchedOff = false;
  /** Grows whenever a start that is under way comes to nothing. */
  #powerCycle = 0;
  isFrozen = false;
  /** How far the wall clock was put forward (negative: back). Nothing but the time stamps of messages shows it. */
  wallOffsetMs = 0;
  rebootBehaviour: RebootBehaviour = { afterMs: 0, isVain: false };
  daemon: Daemon | null = null;
  /** When the daemon was last started, ended, stopped or let go on. */
  daemonChangedMs = 0;
  generation = 0;
  readonly keptEpochs: Record<string, number> = {};
  readonly kernel: Kernel;
  readonly scripts: Scripts;
  readonly #addressGroups: ReadonlySet<string>;
  /** Drawn from the seed; it feeds each daemon's own chance too, so that this leaves all other draws as they are. */
  readonly #offsetMs: number;
  /** For how long the machine has stood still in all, a standstill that lasts not included. */
  #frozenMs = 0;
  #frozenAtMs = 0;
  readonly #rate: number;

  constructor(
    readonly identity: MachineIdentity,
    readonly queue: EventQueue,
    readonly random: Prng,
    readonly heartbeats: HeartbeatNetwork,
    readonly service: ServiceNetwork,
    readonly fences: FenceDevices,
    readonly observer: Observer,
  ) {
    this.name = identity.name;
    this.settings = identity.settings;
    this.kernel = new Kernel(queue, random, {
      changed: (group) => observer.holdingChanged?.(this, group),
      lost: (group, resource) => this.daemon?.take({ kind: "address-lost", group, resource }),
    });
    this.scripts = new Scripts(queue, this.kernel);
    this.#addressGroups = addressGroups(this.settings);
    this.#offsetMs = random.whole(1_000, 1_000_000);
    this.#rate = 1 + random.between(-2e-4, 2e-4);
    service.attach(this);
  }

  /** This machine's monotonic clock. */
  now(): Instant {
    const globalMs = this.isFrozen ? this.#frozenAtMs : this.queue.nowMs;
    return instant(this.#offsetMs + (globalMs - this.#frozenMs) * this.#rate);
  }

  /** Unix seconds, as people set them. */
  wallSeconds(): number {
    return wallStartSeconds + Math.floor((this.queue.nowMs + this.wallOffsetMs) / 1000);
  }

  /** The global time at which this machine's clock shows an instant. */
  globalMs(at: Instant): number {
    return (at - this.#offsetMs) / this.#rate + this.#frozenMs + 1e-6;
  }

  /** Serves the group to clients: has its address or, where it has none, runs some of it. */
  holds(group: string): boolean {
    if (this.isFrozen) return false;
    return this.#addressGroups.has(group) ? this.kernel.hasAddress(group) : this.kernel.hasService(group);
  }

  get isAwake(): boolean {
    return this.isPowered && !this.isFrozen;
  }

  hasAddress(group: string): boolean {
    return this.kernel.hasAddress(group);
  }

  hearClaim(group: string, from: string): void {
    if (this.isFrozen || !this.hasAddress(group)) return;
    this.daemon?.take({ kind: "claim", group, address: group, hardware: from });
  }

  startDaemon(): void {
    if (!this.isPowered || this.daemon !== null) return;
    this.generation++;
    this.daemon = new Daemon(this, this.settings, {
      node: this.name,
      generation: this.generation,
      version: "sim",
      settingsHash: this.identity.settingsHash,
      keptEpochs: { ...this.keptEpochs },
      unprotected: [],
    }, new Prng(this.#offsetMs * 1_000 + this.generation));
    this.daemonChangedMs = this.queue.nowMs;
    this.daemon.start();
    if (this.service.segment(this.name) === null) this.setCarrier(false);
  }

  kill(): void {
    this.daemonChangedMs = this.queue.nowMs;
    this.daemon?.end();
    this.daemon = null;
  }

  pause(): void {
    this.daemonChangedMs = this.queue.nowMs;
    this.daemon?.pause();
  }

  resume(): void {
    this.daemonChangedMs = this.queue.nowMs;
    this.daemon?.resume();
  }

  /** A hypervisor stops the machine: kernel, leases and its clock stand still; nobody is answered. */
  freeze(): void {
    if (!this.isAwake) return;
    this.pause();
    this.#frozenAtMs = this.queue.nowMs;
    this.isFrozen = true;
    this.kernel.freeze();
    this.#tellHoldings();
  }

  thaw(): void {
    if (!this.isFrozen) return;
    const frozenMs = this.queue.nowMs - this.#frozenAtMs;
    this.#frozenMs += frozenMs;
    this.isFrozen = false;
    this.kernel.thaw(frozenMs);
    this.#tellHoldings();
    this.resume();
  }

  #tellHoldings(): void {
    for (const { name } of this.settings.groups) this.observer.holdingChanged?.(this, name);
  }

  /** The daemon ended by itself. */
  ended(): void {
    this.observer.ended?.(this, "exited");
    this.kill();
  }

  powerOff(): void {
    this.kill();
    this.#powerCycle++;
    this.#isSwitchedOff = false;
    this.isPowered = false;
    this.scripts.powerOff();
    this.kernel.powerOff();
    if (!this.isFrozen) return;
    this.#frozenMs += this.queue.nowMs - this.#frozenAtMs;
    this.isFrozen = false;
    this.kernel.thaw(0);
  }

  get hasSupply(): boolean {
    return this.isPowered || this.#isSwitchedOff;
  }

  switchOff(how: string): void {
    // One that is off may be about to come up.
    if (!this.isPowered) return void this.#powerCycle++;
    this.observer.fenced?.(this, how);
    this.powerOff();
    this.#isSwitchedOff = true;
  }

  switchOn(): void {
    if (!this.#isSwitchedOff) return;
    const cycle = this.#powerCycle;
    this.queue.in(bootMs, () => {
      if (cycle !== this.#powerCycle) return;
      this.observer.booted?.(this);
      this.powerOn();
    });
  }

  powerOn(): void {
    this.isPowered = true;
    this.#powerCycle++;
    this.#isSwitchedOff = false;
    this.startDaemon();
  }

  reboot(): void {
    const { afterMs, isVain } = this.rebootBehaviour;
    if (isVain) return this.observer.ended?.(this, "tried to reboot, and nothing happened");
    if (afterMs > 0) this.queue.in(afterMs, () => this.#reboot());
    else this.#reboot();
  }

  #reboot(): void {
    if (!this.isPowered) return;
    this.observer.ended?.(this, "rebooted");
    this.powerOff();
    this.#isSwitchedOff = true;
    this.switchOn();
  }

  setCarrier(isUp: boolean): void {
    for (const { name, resources } of this.settings.groups) {
      const device = resources.map(({ spec }) => spec.kind === "vip" ? spec.device : null).find(Boolean);
      this.daemon?.take({ kind: "carrier", group: name, device: device ?? "service", isUp });
    }
  }
}

/** Groups with at least one virtual address. */
export function addressGroups(settings: Settings): ReadonlySet<string> {
  const has = settings.groups.filter(({ resources }) => resources.some(({ spec }) => spec.kind === "vip"));
  return new Set(has.map(({ name }) => name));
}
