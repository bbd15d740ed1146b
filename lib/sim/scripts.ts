/**
 * Resource scripts of a machine: how long each operation takes and how it ends. A script is a process of its own: it
 * goes on when the daemon that called it is killed or paused.
 */

import type { RunEffect } from "../core/effects.ts";
import type { ResourceOutcome } from "../core/inputs.ts";
import type { EventQueue } from "./event_queue.ts";
import type { Kernel } from "./kernel.ts";

export interface ScriptBehaviour {
  readonly startMs: number;
  readonly stopMs: number;
  readonly monitorMs: number;
  /** These operations end with exit code 1 and change nothing. */
  readonly fails: readonly RunEffect["operation"][];
  /** These operations have to be killed at their time limit and change nothing. */
  readonly hangs: readonly RunEffect["operation"][];
}

export const goodScript: ScriptBehaviour = { startMs: 8, stopMs: 5, monitorMs: 2, fails: [], hangs: [] };

export class Scripts {
  readonly #behaviours = new Map<string, ScriptBehaviour>();
  /** Grows with every power-off: what ran before is gone. */
  #powerCycle = 0;

  constructor(readonly queue: EventQueue, readonly kernel: Kernel) {}

  set(group: string, resource: number, behaviour: ScriptBehaviour): void {
    this.#behaviours.set(`${group} ${resource}`, behaviour);
  }

  heal(): void {
    this.#behaviours.clear();
  }

  powerOff(): void {
    this.#powerCycle++;
  }

  run(effect: RunEffect, ended: (outcome: ResourceOutcome) => void): void {
    const { group, resource, operation, limitMs } = effect;
    const behaviour = this.#behaviours.get(`${group} ${resource}`) ?? goodScript;
    const wantedMs = {
      start: behaviour.startMs,
      stop: behaviour.stopMs,
      monitor: behaviour.monitorMs,
    }[operation];
    const isKilled = behaviour.hangs.includes(operation) || wantedMs > limitMs;
    const durationMs = isKilled ? limitMs : wantedMs;
    const powerCycle = this.#powerCycle;
    this.queue.in(durationMs, () => {
      if (powerCycle !== this.#powerCycle) return;
      if (isKilled) return ended(outcomeOf("unknown", "killed at its time limit", durationMs));
      if (behaviour.fails.includes(operation)) return ended(outcomeOf("failed", "exit code 1", durationMs));
      if (operation !== "monitor") this.kernel.setService(group, resource, operation === "start");
      const isRunning = this.kernel.isRunning(group, resource);
      ended(outcomeOf(isRunning ? "running" : "stopped", "", durationMs));
    });
  }
}

export function outcomeOf(
  result: ResourceOutcome["result"],
  reason: string,
  durationMs: number,
): ResourceOutcome {
  const code = result === "failed" ? 1 : result === "unknown" ? null : 0;
  return { kind: "resource", result, code, reason, output: [], durationMs: Math.round(durationMs) };
}
