/**
 * One verb on several resources in a row, for a person at a terminal: in which order, when to stop going on, and
 * which exit code tells the result. Runs no program itself.
 *
 * It must never go on after a step that did not lead where it should: what stands to the right was started on the
 * strength of what stands to the left, and is stopped before it.
 */

import type { ResourceOutcome } from "../core/inputs.ts";
import type { ResourceSettings, ResourceSpec } from "../core/settings.ts";
import type { Operation, OperationContext } from "./resource.ts";
import type { LoadedRunner } from "./registry.ts";

export type Verb = "start" | "stop" | "restart" | "status" | "monitor";

export interface Step {
  readonly resource: ResourceSettings;
  readonly operation: Operation;
}

export interface StepResult extends Step {
  readonly limitMs: number;
  readonly outcome: ResourceOutcome;
}

export interface OperateOptions {
  /** For all steps together; each also has the limit of its resource. `null`: only those. */
  readonly limitMs: number | null;
  readonly context: Omit<OperationContext, "limitMs">;
  readonly runnerFor: (kind: ResourceSpec["kind"]) => Promise<LoadedRunner>;
  readonly begins?: (step: Step) => void;
  readonly ended?: (result: StepResult) => void;
}

/** 124, as `timeout` gives it. */
export const TIMED_OUT = 124;

/** A runner that asks again and again gives up this much before the limit at the earliest. */
const POLL_MS = 150;

/** Starts go from left to right, stops from right to left. */
export function stepsOf(verb: Verb, resources: readonly ResourceSettings[]): Step[] {
  const each = (operation: Operation) => resources.map((resource) => ({ resource, operation }));
  switch (verb) {
    case "start":
      return each("start");
    case "stop":
      return each("stop").reverse();
    case "restart":
      return [...each("stop").reverse(), ...each("start")];
    case "status":
    case "monitor":
      return each("monitor");
  }
}

/** The step led where it should. */
export function isDone({ operation, outcome }: StepResult): boolean {
  return outcome.result === (operation === "stop" ? "stopped" : "running");
}

/** Carries the steps out, one after the other. A look at the state goes on whatever it finds. */
export async function operate(steps: readonly Step[], options: OperateOptions): Promise<StepResult[]> {
  const startedMs = performance.now();
  const results: StepResult[] = [];
  for (const step of steps) {
    options.begins?.(step);
    const leftMs = options.limitMs === null ? Infinity : options.limitMs - (performance.now() - startedMs);
    const limitMs = Math.max(1, Math.round(Math.min(leftMs, limitOf(step))));
    const runner = await options.runnerFor(step.resource.spec.kind);
    const outcome = await runner.run(step.resource.spec, step.operation, { ...options.context, limitMs });
    const result = { ...step, limitMs, outcome };
    results.push(result);
    options.ended?.(result);
    if (step.operation !== "monitor" && !isDone(result)) break;
  }
  return results;
}

/** What would be done, in words. */
export async function describeStep(step: Step, options: OperateOptions): Promise<string> {
  const runner = await options.runnerFor(step.resource.spec.kind);
  const context = { ...options.context, limitMs: limitOf(step) };
  return runner.describe(step.resource.spec, step.operation, context);
}

/** Of the first step that did not lead where it should; 0 if all did. LSB and OCF codes are passed on. */
export function exitCodeOf(results: readonly StepResult[]): number {
  const bad = results.find((result) => !isDone(result));
  if (bad !== undefined) return codeOf(bad);
  // "Running, but degraded" or "as promoted" are codes of their own.
  const [only] = results;
  const isOcf = only?.resource.spec.kind === "ocf" && results.length === 1;
  return isOcf && only.operation === "monitor" ? only.outcome.code ?? 0 : 0;
}

function codeOf({ resource, operation, outcome, limitMs }: StepResult): number {
  if (outcome.result === "unknown" && outcome.durationMs > limitMs - POLL_MS) return TIMED_OUT;
  if (outcome.code !== null && outcome.code !== 0) return outcome.code;
  if (operation !== "monitor" || outcome.result !== "stopped") return 1;
  // A haresources script tells "stopped" in words, and often exits with 0.
  return resource.spec.kind === "ocf" || resource.spec.kind === "vip" ? 7 : 3;
}

function limitOf({ resource, operation }: Step): number {
  switch (operation) {
    case "start":
      return resource.startLimitMs;
    case "stop":
      return resource.stopLimitMs;
    case "monitor":
      return resource.monitorLimitMs;
  }
}
