/**
 * What a machine does without its daemon: keeps addresses for as long as their lease lasts, and runs what was started.
 * It lives on when the daemon is killed or paused and ends with the power. A lease ends up to 250 ms late, as Linux
 * rounds (`leaseSlackMs` in the core).
 */

import type { EventQueue } from "./event_queue.ts";
import type { Prng } from "../core/prng.ts";

const leaseLatenessMsMax = 250;

export interface KernelEvents {
  /** Addresses or services of a group came or went. */
  changed(group: string): void;
  /** An address went without its daemon's doing. */
  lost(group: string, resource: number): void;
}

interface Address {
  /** When the lease ends, as the kernel looks; `Infinity`: there is none. */
  endMs: number;
  /** A look is planned. It may be that of an earlier renewal, which is late by no more than a look may be. */
  isWatched: boolean;
}

export class Kernel {
  readonly #addresses = new Map<string, Address>();
  readonly #services = new Set<string>();
  #isFrozen = false;

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

  /** The whole machine stands still: no lease ends, as its kernel does not run. */
  freeze(): void {
    this.#isFrozen = true;
  }

  /** Every lease has the rest left that it had. */
  thaw(frozenMs: number): void {
    this.#isFrozen = false;
    for (const [name, address] of this.#addresses) {
      address.endMs += frozenMs;
      if (address.endMs === Infinity || address.isWatched) continue;
      const [group = "", resource = ""] = name.split(" ");
      this.#watch(group, Number(resource), address);
    }
  }

  /** Adds an address, or gives it a whole lease from now. */
  setAddress(group: string, resource: number, leaseSeconds: number | null): void {
    const name = key(group, resource);
    const known = this.#addresses.get(name);
    const address = known ?? { endMs: 0, isWatched: false };
    address.endMs = leaseSeconds === null
      ? Infinity
      : this.queue.nowMs + leaseSeconds * 1000 + this.random.between(0, leaseLatenessMsMax);
    if (known === undefined) {
      this.#addresses.set(name, address);
      this.events.changed(group);
    }
    if (leaseSeconds !== null && !address.isWatched) this.#watch(group, resource, address);
  }

  /** Looks when the lease ends as it is now; one that was renewed meanwhile is looked at again later. */
  #watch(group: string, resource: number, address: Address): void {
    address.isWatched = true;
    this.queue.at(address.endMs, () => {
      address.isWatched = false;
      if (this.#isFrozen) return;
      if (this.#addresses.get(key(group, resource)) !== address || address.endMs === Infinity) return;
      if (address.endMs > this.queue.nowMs) return this.#watch(group, resource, address);
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
