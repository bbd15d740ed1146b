/**
 * A way to make sure that a node has stopped, from outside. Success means *verified* off; a time-out, a lost answer
 * and "probably" are `unknown`, and unknown is never success. No method is built in yet; settings that ask for one
 * are refused.
 */

import type { Outcome } from "../core/inputs.ts";

export interface FenceMethod {
  readonly name: string;
  /** Nodes that it can fence. */
  readonly nodes: readonly string[];
  fence(node: string, limitMs: number): Promise<Extract<Outcome, { kind: "fence" }>>;
  /** Whether the device itself answers: run when communication comes up and every hour. */
  test(limitMs: number): Promise<{ readonly isReachable: boolean; readonly reason: string }>;
}
