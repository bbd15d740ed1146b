/**
 * One thing that runs on exactly one node: an address, a script, a unit. Operations are idempotent: start of what
 * runs and stop of what is stopped succeed. They never throw and never outlive their limit: what had to be killed is
 * `unknown`.
 */

import type { ResourceOutcome } from "../core/inputs.ts";
import type { ResourceSpec } from "../core/settings.ts";

export type Operation = "start" | "stop" | "monitor";

export interface OperationContext {
  readonly limitMs: number;
  /** Extra environment: HEARTLINE_EPOCH, HEARTLINE_GROUP, HA_CURHOST, configured HA_… */
  readonly environment: Readonly<Record<string, string>>;
  /** Where haresources scripts are looked up, in order. */
  readonly scriptDirectories: readonly string[];
  /** Hardware addresses whose answers never count as a holder of a virtual address. */
  readonly ignoreAnswersFrom?: readonly string[];
}

export interface ResourceRunner<Spec extends ResourceSpec = ResourceSpec> {
  run(spec: Spec, operation: Operation, context: OperationContext): Promise<ResourceOutcome>;
  /** The command line or action that `run` would take, for `--dry-run`. */
  describe(spec: Spec, operation: Operation, context: OperationContext): string;
}
