/**
 * What the evidence means for one address: who holds it, whether the other node lives, whether its service answers.
 * Pure. Silence becomes a fact only where a question was put and could have been answered; everything else is
 * `unknown`.
 */

import type { Evidence } from "./evidence.ts";
import { aliveness, serving } from "./life.ts";
import { placeOf } from "./place.ts";
import type { CheckedVip, CheckQuestion } from "./question.ts";

/**
 * Where the address is. `here-by-right`: here, and the daemons of all nodes agree that it belongs here, or this machine
 * is the master that VRRP has elected; `unattributed`:
 * at one other machine, which the evidence does not tell apart; `stranger`: at a machine that is none of the nodes;
 * `moving`: at one machine first, then at another; `nobody`: nobody answered; `unseen`: nobody could be asked;
 * `unaskable`: nor will it ever be so, because no interface of this machine leads there, or the one that was named is
 * not there.
 */
export type Place =
  | "here"
  | "here-by-right"
  | "primary"
  | "standby"
  | "unattributed"
  | "stranger"
  | "several"
  | "moving"
  | "nobody"
  | "unseen"
  | "unaskable";

export type Alive = "alive" | "silent" | "unknown";
export type Serves = "answers" | "silent" | "unknown";

export interface Facts {
  readonly place: Place;
  readonly alive: Alive;
  readonly serves: Serves;
  /** Holders as a person reads them: `this machine`, `02:00:… (node1)`. */
  readonly holders: readonly string[];
  /** It is here, and nobody else answered for it although neighbours were asked often enough. */
  readonly isAloneOnWire: boolean;
  /** Why it is here by right; `null`: it is not, as far as can be seen. */
  readonly right: string | null;
  /** One sentence for each thing that led here. */
  readonly why: readonly string[];
}

export function factsOf(question: CheckQuestion, vip: CheckedVip, evidence: readonly Evidence[]): Facts {
  const place = placeOf(question, vip, evidence);
  const alive = aliveness(question, evidence);
  const serves = serving(question, evidence);
  return {
    place: place.place,
    alive: alive.alive,
    serves: serves.serves,
    holders: place.holders,
    isAloneOnWire: place.isAloneOnWire === true,
    right: place.right ?? null,
    why: [...place.why, ...alive.why, ...serves.why],
  };
}
