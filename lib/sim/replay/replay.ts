/**
 * Has a recorded run again: a fresh core, the recorded inputs at the recorded instants, and at each step the proof
 * that it decided the same, by the digest that the daemon wrote. Pure.
 */

import type { Instant } from "../../core/instant.ts";
import { digestOf } from "../../core/journal/digest.ts";
import { ClusterNode } from "../../core/node.ts";
import { Prng } from "../../core/prng.ts";
import { type Decision, decisionsOf } from "./decisions.ts";
import type { JournalRun } from "./journal.ts";

/** A run to compare another one with. */
export interface Basis {
  readonly decisions: readonly Decision[];
  /** After each step: when the node wanted to be woken; `null`: not at all. */
  readonly deadlines: ReadonlyArray<Instant | null>;
}

export interface Replay extends Basis {
  readonly steps: number;
  /** Steps that had effects, and so a digest to compare. */
  readonly compared: number;
  /** The first step that decided otherwise than the daemon did; `null`: none. */
  readonly divergence: { readonly index: number; readonly now: number } | null;
}

export function replay({ header, steps }: JournalRun): Replay {
  const node = new ClusterNode(header.settings, header.identity, new Prng(header.seed));
  const decisions: Decision[] = [];
  const deadlines: Array<Instant | null> = [];
  let compared = 0;
  let divergence: Replay["divergence"] = null;
  for (const [index, { now, input, digest }] of steps.entries()) {
    const effects = node.step(now as Instant, input);
    if (digestOf(effects) !== digest) divergence ??= { index, now };
    if (digest !== 0) compared++;
    decisions.push(...decisionsOf(now, effects, header.settings));
    deadlines.push(node.deadline());
  }
  return { steps: steps.length, compared, decisions, divergence, deadlines };
}

/** What the daemon itself wrote down of its decisions, without any replay. */
export function recordedDecisions({ header, steps }: JournalRun): Decision[] {
  return steps.flatMap(({ now, noted }) => decisionsOf(now, noted, header.settings));
}
