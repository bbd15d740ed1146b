/**
 * Why a verdict is as it is: each cause is found by a pure function of its own from the same evidence, in `causes/`,
 * loaded only when an explanation is asked for. A finder that does not see its cause answers `null`; it never guesses
 * without saying so.
 */

import type { Evidence } from "./evidence.ts";
import type { CheckQuestion } from "./question.ts";
import type { Judgement } from "./verdict.ts";

/** certain: seen; likely: everything seen fits, and little else would; possible: cannot be excluded. */
export type Certainty = "certain" | "likely" | "possible";

export interface Cause {
  /** Stable short name: `no-carrier`, `firewall-rule`… */
  readonly code: string;
  readonly certainty: Certainty;
  /** What is the matter, in one sentence. */
  readonly sentence: string;
  /** What it was seen by. */
  readonly evidence: readonly string[];
  /** The next command to type; `null`: there is none. */
  readonly next: string | null;
}

export interface CauseFinder {
  readonly code: string;
  find(
    question: CheckQuestion,
    evidence: readonly Evidence[],
    judgement: Judgement,
  ): Cause | readonly Cause[] | null;
}

const rank: Readonly<Record<Certainty, number>> = { certain: 0, likely: 1, possible: 2 };

/** The causes that were found, the surest first. */
export async function explain(
  question: CheckQuestion,
  evidence: readonly Evidence[],
  judgement: Judgement,
): Promise<Cause[]> {
  const { finders } = await import("./causes/all.ts");
  return finders.flatMap((finder) => finder.find(question, evidence, judgement) ?? [])
    .sort((a, b) => rank[a.certainty] - rank[b.certainty]);
}
