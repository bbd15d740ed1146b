/**
 * A way to make sure that a node has stopped, from outside. Success means *verified* off; a time-out, a lost answer
 * and "probably" are `unknown`, and unknown is never success.
 */

import type { Outcome } from "../core/inputs.ts";

export type FenceOutcome = Extract<Outcome, { kind: "fence" }>;

export type PowerState = "on" | "off" | "unknown";

/** Something that was done to a device, or that it answered. */
export interface FenceStep {
  readonly device: string;
  readonly node: string;
  /** `off`, `on`, `status`, `monitor`. */
  readonly action: string;
  readonly isGood: boolean;
  /** What came of it. */
  readonly sentence: string;
  /** What the agent printed, without secrets; the last lines. */
  readonly output: readonly string[];
  readonly durationMs: number;
}

export type Tell = (step: FenceStep) => void;

/** What a device answers about one node; asking changes nothing. */
export interface PowerAnswer {
  readonly state: PowerState;
  /** Where the state is unknown: what is so. */
  readonly reason: string;
}

export interface FenceMethod {
  readonly name: string;
  /** Nodes that it can fence. */
  readonly nodes: readonly string[];
  /** Switches a node off and makes sure of it. Never rejects; takes at most the limit of the device. */
  fence(node: string, tell: Tell): Promise<FenceOutcome>;
  /** Switches a node on and makes sure of it; `false`: it is not, or nobody knows. */
  release(node: string, tell: Tell): Promise<boolean>;
  /** Whether the node is on, as the device says. */
  ask(node: string, limitMs: number, tell?: Tell): Promise<PowerAnswer>;
}
