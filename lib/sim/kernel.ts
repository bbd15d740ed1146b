/**
 * What a machine does without its daemon: keeps addresses for as long as their lease lasts, and runs what was started.
 * It lives on when the daemon is killed or paused and ends with the power. A lease ends up to 250 ms late, as Linux
 * rounds (`leaseSlackMs` in the core).
 */

import type { EventQueue } from "./event_queue.ts";
import type { Prng } from "./prng.ts";

const leaseLatenessMsMax = 250;

export interface KernelEvents {
  /** Addresses or services of a group came or went. */
  changed(group: string): void;
  /** An address went without its daemon's doing. */
  lost(group: string, resource: number): void;
}

interface Address {
  /** Number of the last renewal, so that an older end does not count. */
  renewal: number;
}

export class Kernel {
  readonly #addresses = new Map<string, Address>();
  readonly #services = new Set<string>();
  #renewals = 0;

  constructor(readonly queue: EventQueue, readonly random: Prng, readonly events: KernelEvents) {}

  hasAddress(group: string, resource?: number): boolean {
    if (resource !== undefined) return this.#addresses.has(key(group, resource));
    for (const name of this.#addresses.keys()) if (name.startsWith(`${group} `)) return true;
    return false;
  }

  isRunning(group: string, resource: number): boolean {
    return this.#services.has(key(group, resource));
  }

  hasService(group: string): boolean {
    for (const name of this.#services) if (name.startsWith(`${group} `)) return true;
    return false;
  }

  setService(group: string, resource: number, isRunning: boolean): void {
    if (isRunning) this.#services.add(key(group, resource));
    else this.#services.delete(key(group, resource));
    this.events.changed(group);
  }

  /** Adds an address, or gives it a whole lease from now. */
  setAddress(group: string, resource: number, leaseSeconds: number | null): void {
    const name = key(group, resource);
    const renewal = ++this.#renewals;
    const isNew = !this.#addresses.has(name);
    this.#addresses.set(name, { renewal });
    if (isNew) this.events.changed(group);
    if (leaseSeconds === null) return;
    const endMs = leaseSeconds * 1000 + this.random.between(0, leaseLatenessMsMax);
    this.queue.in(endMs, () => {
      if (this.#addresses.get(name)?.renewal !== renewal) return;
      this.removeAddress(group, resource);
      this.events.lost(group, resource);
    });
  }

  removeAddress(group: string, resource: number): void {
    if (this.#addresses.delete(key(group, resource))) this.events.changed(group);
  }

  powerOff(): void {
    const groups = new Set([...this.#addresses.keys(), ...this.#services].map((name) => name.split(" ")[0]!));
    this.#addresses.clear();
    this.#services.clear();
    for (const group of groups) this.events.changed(group);
  }
}

function key(group: string, resource: number): string {
  return `${group} ${resource}`;
}
