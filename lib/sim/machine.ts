/**
 * One machine of the simulated cluster: power, a clock of its own, a kernel, scripts, and at most one daemon. It
 * decides nothing; it lets faults happen to itself.
 */

import type { Effect, ReportEffect } from "../core/effects.ts";
import type { Input } from "../core/inputs.ts";
import { type Instant, instant } from "../core/instant.ts";
import type { Settings } from "../core/settings.ts";
import { Daemon } from "./daemon.ts";
import type { EventQueue } from "./event_queue.ts";
import type { HeartbeatNetwork } from "./heartbeat_network.ts";
import { Kernel } from "./kernel.ts";
import type { Prng } from "./prng.ts";
import { Scripts } from "./scripts.ts";
import type { ServiceNetwork, Station } from "./service_network.ts";

/** Who watches all that happens: checkers and the trace. Watching changes nothing. */
export interface Observer {
  stepped?(machine: Machine, input: Input, effects: readonly Effect[]): void;
  reported?(machine: Machine, report: ReportEffect): void;
  answered?(machine: Machine, isAccepted: boolean, message: string): void;
  announced?(machine: Machine, group: string): void;
  /** Who holds the group may have changed. */
  holdingChanged?(machine: Machine, group: string): void;
  ended?(machine: Machine, how: string): void;
}

/** Time from the power button to a running daemon. */
const bootMs = 3_000;

export class Machine implements Station {
  isPowered = true;
  daemon: Daemon | null = null;
  generation = 0;
  readonly keptEpochs: Record<string, number> = {};
  readonly kernel: Kernel;
  readonly scripts: Scripts;
  readonly #addressGroups: ReadonlySet<string>;
  readonly #offsetMs: number;
  readonly #rate: number;

  constructor(
    readonly name: string,
    readonly settings: Settings,
    readonly queue: EventQueue,
    readonly random: Prng,
    readonly heartbeats: HeartbeatNetwork,
    readonly service: ServiceNetwork,
    readonly observer: Observer,
  ) {
    this.kernel = new Kernel(queue, random, {
      changed: (group) => observer.holdingChanged?.(this, group),
      lost: (group, resource) => this.daemon?.take({ kind: "address-lost", group, resource }),
    });
    this.scripts = new Scripts(queue, this.kernel);
    this.#addressGroups = addressGroups(settings);
    this.#offsetMs = random.whole(1_000, 1_000_000);
    this.#rate = 1 + random.between(-2e-4, 2e-4);
    service.attach(this);
  }

  /** This machine's monotonic clock. */
  now(): Instant {
    return instant(this.#offsetMs + this.queue.nowMs * this.#rate);
  }

  /** The global time at which this machine's clock shows an instant. */
  globalMs(at: Instant): number {
    return (at - this.#offsetMs) / this.#rate + 1e-6;
  }

  /** Serves the group to clients: has its address or, where it has none, runs some of it. */
  holds(group: string): boolean {
    return this.#addressGroups.has(group) ? this.kernel.hasAddress(group) : this.kernel.hasService(group);
  }

  hasAddress(group: string): boolean {
    return this.kernel.hasAddress(group);
  }

  hearClaim(group: string, from: string): void {
    if (!this.hasAddress(group)) return;
    this.daemon?.take({ kind: "claim", group, address: group, hardware: from });
  }

  startDaemon(): void {
    if (!this.isPowered || this.daemon !== null) return;
    this.generation++;
    this.daemon = new Daemon(this, this.settings, {
      node: this.name,
      generation: this.generation,
      version: "sim",
      settingsHash: "sim",
      keptEpochs: { ...this.keptEpochs },
      unprotected: [],
    });
    this.daemon.start();
    if (this.service.segment(this.name) === null) this.setCarrier(false);
  }

  kill(): void {
    this.daemon?.end();
    this.daemon = null;
  }

  /** The daemon ended by itself. */
  ended(): void {
    this.observer.ended?.(this, "exited");
    this.kill();
  }

  powerOff(): void {
    this.kill();
    this.isPowered = false;
    this.scripts.powerOff();
    this.kernel.powerOff();
  }

  powerOn(): void {
    this.isPowered = true;
    this.startDaemon();
  }

  reboot(): void {
    this.observer.ended?.(this, "rebooted");
    this.powerOff();
    this.queue.in(bootMs, () => this.powerOn());
  }

  setCarrier(isUp: boolean): void {
    for (const { name } of this.settings.groups) {
      this.daemon?.take({ kind: "carrier", group: name, device: "service", isUp });
    }
  }
}

/** Groups with at least one virtual address. */
export function addressGroups(settings: Settings): ReadonlySet<string> {
  const has = settings.groups.filter(({ resources }) => resources.some(({ spec }) => spec.kind === "vip"));
  return new Set(has.map(({ name }) => name));
}
