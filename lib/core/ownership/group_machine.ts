/**
 * The hands of a group: starts its resources left to right, stops them right to left, one operation at a time, and
 * knows what certainly runs, what certainly does not, and what nobody knows. When and why is decided elsewhere.
 *
 *   unknown ──probe──▶ (leftovers?) ──no──▶ stopped ──start──▶ starting ──all run──▶ running
 *                          │ yes               ▲                  │ one fails           │ stop, restart
 *                          └───────▶ stopping ─┘◀─────────────────┴─────────────────────┘
 *                                       │ a stop fails
 *                                       ▼
 *                                    blocked ──stop again──▶ stopping
 */

import type { Context } from "../context.ts";
import type { EffectId, RunEffect } from "../effects.ts";
import type { ResourceOutcome } from "../inputs.ts";
import type { GroupSettings } from "../settings.ts";
import type { GroupState } from "../../wire/statement.ts";
import type { ResourceView } from "../view.ts";

/** What an outcome led to, for the one who decides. */
export type GroupEvent =
  | { readonly kind: "probed"; readonly leftovers: readonly string[]; readonly missing: string | null }
  | { readonly kind: "started" }
  | { readonly kind: "start-failed"; readonly resource: string; readonly outcome: ResourceOutcome }
  | { readonly kind: "stopped" }
  | { readonly kind: "stop-failed"; readonly resource: string; readonly outcome: ResourceOutcome }
  | {
    readonly kind: "monitor-failed";
    readonly index: number;
    readonly resource: string;
    readonly outcome: ResourceOutcome;
  };

interface ResourceRecord {
  state: ResourceView["state"];
  last: ResourceOutcome | null;
}

/** OCF and LSB: the program is not installed here. */
const notInstalledCode = 5;

export class GroupMachine {
  state: GroupState = "unknown";
  readonly resources: ResourceRecord[];
  #epoch = 0;
  #pending:
    | { readonly id: EffectId; readonly index: number; readonly operation: RunEffect["operation"] }
    | null = null;
  #monitoring: { readonly id: EffectId; readonly index: number } | null = null;
  /** A stop was asked for while a start was under way. */
  #stopAfterStart = false;
  /** After stopping down to this resource, start again from it; `null`: stay stopped. */
  #restartFrom: number | null = null;

  constructor(readonly settings: GroupSettings) {
    this.resources = settings.resources.map(() => ({ state: "unknown", last: null }));
  }

  /** Looks for leftovers of an earlier life. */
  probe(context: Context): void {
    this.state = "unknown";
    this.#run(context, 0, "monitor");
  }

  start(context: Context, epoch: number): void {
    this.#epoch = epoch;
    this.state = "starting";
    this.#run(context, 0, "start");
  }

  /**
   * Stops everything; what is being started is let finish first, so that no start can end after its stop. The probe
   * for leftovers is let finish too: it ends in `stopped` by itself.
   */
  stop(context: Context): void {
    if (this.state === "unknown" && this.#pending !== null) return;
    this.#restartFrom = null;
    this.#monitoring = null;
    if (this.state === "stopping" && this.#pending !== null) return;
    const isStarting = this.#pending?.operation === "start";
    this.state = "stopping";
    if (isStarting) this.#stopAfterStart = true;
    else this.#stopFrom(context, this.resources.length - 1);
    if (this.#pending === null) this.state = "stopped";
  }

  /** Stops down to one resource and starts again from there; the claim on the group stays. */
  restart(context: Context, index: number): void {
    this.#monitoring = null;
    this.#restartFrom = index;
    this.state = "stopping";
    this.#stopFrom(context, this.resources.length - 1);
  }

  /** Something runs here or may run, and something is done about it. */
  get isBusy(): boolean {
    return this.state !== "stopped" && this.state !== "blocked";
  }

  /** It stops only to start again. */
  get isRestarting(): boolean {
    return this.state === "stopping" && this.#restartFrom !== null;
  }

  /** The group is held and the resource was seen running: it may be put back where it stands. */
  canReassert(index: number): boolean {
    return (this.state === "running" || this.state === "starting") && !this.#stopAfterStart &&
      this.resources[index]?.state === "running";
  }

  /** Starts one running resource again where it stands: a removed address is put back. */
  reassert(context: Context, index: number): void {
    if (!this.canReassert(index)) return;
    this.#emitRun(context, index, "start");
  }

  /** Begins a round of monitoring. Returns whether one was begun. */
  monitor(context: Context): boolean {
    if (this.state !== "running" || this.#monitoring !== null) return false;
    this.#monitorAt(context, 0);
    return true;
  }

  get isMonitoring(): boolean {
    return this.#monitoring !== null;
  }

  /** Takes an outcome. `null`: nothing to decide (or the outcome of something given up). */
  hear(context: Context, id: EffectId, outcome: ResourceOutcome): GroupEvent | null {
    if (this.#monitoring?.id === id) return this.#monitored(context, this.#monitoring.index, outcome);
    const pending = this.#pending;
    if (pending === null || pending.id !== id) return null;
    this.#pending = null;
    const record = this.#record(pending.index);
    record.last = outcome;
    record.state = outcome.result;
    if (this.state === "unknown") return this.#probed(context, pending.index);
    return pending.operation === "start"
      ? this.#startEnded(context, pending.index, outcome)
      : this.#stopEnded(context, pending.index, outcome);
  }

  #probed(context: Context, index: number): GroupEvent | null {
    if (index + 1 < this.resources.length) {
      this.#run(context, index + 1, "monitor");
      return null;
    }
    const leftovers: string[] = [];
    let missing: string | null = null;
    for (const [at, record] of this.resources.entries()) {
      if (record.state === "failed" && record.last?.code === notInstalledCode) {
        missing ??= this.#id(at);
        record.state = "stopped";
      }
      if (record.state !== "stopped") leftovers.push(this.#id(at));
    }
    if (leftovers.length === 0) this.state = "stopped";
    else this.stop(context);
    return { kind: "probed", leftovers, missing };
  }

  #startEnded(context: Context, index: number, outcome: ResourceOutcome): GroupEvent | null {
    if (this.#stopAfterStart) {
      this.#stopAfterStart = false;
      this.#stopFrom(context, index);
      return this.#endIfStopped();
    }
    if (outcome.result !== "running") {
      this.state = "stopping";
      this.#stopFrom(context, index);
      if (this.#pending === null) this.state = "stopped";
      return { kind: "start-failed", resource: this.#id(index), outcome };
    }
    if (index + 1 < this.resources.length) {
      this.#run(context, index + 1, "start");
      return null;
    }
    this.state = "running";
    return { kind: "started" };
  }

  #stopEnded(context: Context, index: number, outcome: ResourceOutcome): GroupEvent | null {
    if (outcome.result !== "stopped") {
      this.state = "blocked";
      return { kind: "stop-failed", resource: this.#id(index), outcome };
    }
    if (this.#restartFrom !== null && index <= this.#restartFrom) {
      const from = this.#restartFrom;
      this.#restartFrom = null;
      this.state = "starting";
      this.#run(context, from, "start");
      return null;
    }
    this.#stopFrom(context, index - 1);
    return this.#endIfStopped();
  }

  #monitored(context: Context, index: number, outcome: ResourceOutcome): GroupEvent | null {
    this.#monitoring = null;
    if (this.state !== "running") return null;
    this.#record(index).last = outcome;
    if (outcome.result !== "running") {
      this.#record(index).state = "failed";
      return { kind: "monitor-failed", index, resource: this.#id(index), outcome };
    }
    if (index + 1 < this.resources.length) this.#monitorAt(context, index + 1);
    return null;
  }

  /** Stops the resource at `index`, or the next one to its left that may run; none left: the group is stopped. */
  #stopFrom(context: Context, index: number): void {
    let at = index;
    while (at >= 0 && this.#record(at).state === "stopped") at--;
    if (at >= 0) this.#run(context, at, "stop");
  }

  #endIfStopped(): GroupEvent | null {
    if (this.#pending !== null) return null;
    this.state = "stopped";
    return { kind: "stopped" };
  }

  #monitorAt(context: Context, index: number): void {
    this.#monitoring = { id: this.#emitRun(context, index, "monitor"), index };
  }

  #run(context: Context, index: number, operation: RunEffect["operation"]): void {
    if (operation !== "monitor") this.#record(index).state = operation === "start" ? "starting" : "stopping";
    this.#pending = { id: this.#emitRun(context, index, operation), index, operation };
  }

  #emitRun(context: Context, index: number, operation: RunEffect["operation"]): EffectId {
    const resource = this.settings.resources[index]!;
    const limitMs = operation === "start"
      ? resource.startLimitMs
      : operation === "stop"
      ? resource.stopLimitMs
      : resource.monitorLimitMs;
    const id = context.newId();
    context.emit({
      kind: "run",
      id,
      group: this.settings.name,
      resource: index,
      operation,
      limitMs,
      epoch: this.#epoch,
    });
    return id;
  }

  #record(index: number): ResourceRecord {
    return this.resources[index]!;
  }

  #id(index: number): string {
    return this.settings.resources[index]!.id;
  }
}
