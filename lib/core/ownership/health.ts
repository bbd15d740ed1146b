/**
 * Can this node serve a group? Knows of failed starts, failed monitors, lost carriers and removed addresses, and when
 * each is forgiven. A node that is not fit says so in its statement, so that the others can take the group.
 */

import type { Context } from "../context.ts";
import { after, earliestAfter, type Instant } from "../instant.ts";
import { addressLossesMax, addressLossMemoryMs, restartMemoryMs } from "../limits.ts";
import type { GroupSettings } from "../settings.ts";

export class Health {
  #failedUntil: Instant | null = null;
  #failure = "";
  readonly #deadDevices = new Set<string>();
  #restartedAt: Instant | null = null;
  #monitorAt: Instant | null = null;
  #addressLosses: Instant[] = [];

  constructor(readonly settings: GroupSettings) {}

  /** Why the node cannot hold the group; `null`: it can. */
  get ailment(): string | null {
    return this.lostCarrier ?? (this.#failedUntil === null ? null : this.#failure);
  }

  /** The ailment that no forgiveness heals; `null`: there is none. */
  get lostCarrier(): string | null {
    for (const device of this.#deadDevices) return `no carrier on ${device}`;
    return null;
  }

  get isFit(): boolean {
    return this.ailment === null;
  }

  /** Keeps the group away from this node for a while. */
  fail(context: Context, why: string): void {
    this.#failure = why;
    this.#failedUntil = after(context.now, this.settings.retryAfterMs);
    context.isStatementDirty = true;
  }

  /** An operator, or time, lifts the failure. */
  forgive(context: Context): void {
    if (this.#failedUntil !== null) context.isStatementDirty = true;
    this.#failedUntil = null;
    this.#restartedAt = null;
    const { name } = this.settings;
    for (const code of ["start-failed", "monitor-failed"] as const) {
      context.clear(code, name, `the failure of ${name} is forgiven: this node may hold it again`);
    }
  }

  /** Time passes. */
  tick(context: Context): void {
    if (this.#failedUntil !== null && context.now >= this.#failedUntil) this.forgive(context);
    const lastLoss = this.#addressLosses.at(-1);
    if (lastLoss !== undefined && context.now >= after(lastLoss, addressLossMemoryMs)) {
      this.#addressLosses = [];
      const { name } = this.settings;
      context.clear("address-flapping", name, `nobody has removed an address of ${name} for a while`);
    }
  }

  setCarrier(context: Context, device: string, isUp: boolean): void {
    const subject = `${this.settings.name} ${device}`;
    if (isUp) this.#deadDevices.delete(device);
    else this.#deadDevices.add(device);
    context.isStatementDirty = true;
    if (isUp) context.clear("carrier-lost", subject, `${device} has a carrier again`);
    else {context.raise(
        "carrier-lost",
        subject,
        `no carrier on ${device}: ${this.settings.name} cannot be served here`,
      );}
  }

  /** A monitor failed. Whether the resource may be restarted here (once), or the group has to move. */
  mayRestart(now: Instant): boolean {
    const isSecond = this.#restartedAt !== null && now < after(this.#restartedAt, restartMemoryMs);
    this.#restartedAt = isSecond ? null : now;
    return !isSecond;
  }

  /** The group runs: monitoring begins. */
  scheduleMonitor(now: Instant): void {
    this.#monitorAt = after(now, this.settings.monitorIntervalMs);
  }

  isMonitorDue(now: Instant, isMonitoring: boolean): boolean {
    if (this.#monitorAt === null || now < this.#monitorAt) return false;
    this.scheduleMonitor(now);
    return !isMonitoring;
  }

  /** Somebody removed an address of ours. Whether this happens too often to be left to a silent repair. */
  isAddressFlapping(now: Instant): boolean {
    this.#addressLosses = this.#addressLosses.filter((at) => now < after(at, addressLossMemoryMs));
    this.#addressLosses.push(now);
    return this.#addressLosses.length > addressLossesMax;
  }

  deadline(now: Instant, isRunning: boolean): Instant | null {
    return earliestAfter(now, [this.#failedUntil, isRunning ? this.#monitorAt : null]);
  }
}
