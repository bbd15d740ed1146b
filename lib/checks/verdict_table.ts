/**
 * The verdict for every combination of role, place of the address, life of the other node and its service: all pairs,
 * so that a forgotten one does not compile. Pure data. Nothing is CRITICAL because an answer did not come: each
 * CRITICAL cell rests on something that was seen.
 *
 * "The other node" is the primary for a standby and an observer, the standby for a primary.
 */

import type { Alive, Place, Serves } from "./facts.ts";
import type { Role } from "./question.ts";

export type Severity = "ok" | "warning" | "critical" | "unknown";

export type VerdictCode =
  | "not-here"
  | "held-by-primary"
  | "held-by-one"
  | "held-here"
  | "held-here-by-right"
  | "moving"
  | "taken-over"
  | "taken-over-unverified"
  | "held-by-standby"
  | "held-by-stranger"
  | "held-by-observer"
  | "no-holder"
  | "not-seen"
  | "split-brain-likely"
  | "split-brain";

export const severityOf: Readonly<Record<VerdictCode, Severity>> = {
  "not-here": "ok",
  "held-by-primary": "ok",
  "held-by-one": "ok",
  "held-here": "ok",
  "held-here-by-right": "ok",
  "moving": "warning",
  "taken-over": "warning",
  "taken-over-unverified": "warning",
  "held-by-standby": "warning",
  "held-by-stranger": "warning",
  "held-by-observer": "warning",
  "no-holder": "warning",
  "not-seen": "unknown",
  "split-brain-likely": "critical",
  "split-brain": "critical",
};

type ByService = VerdictCode | Readonly<Record<Serves, VerdictCode>>;
type Cell = VerdictCode | Readonly<Record<Alive, ByService>>;

/** The address on the standby: the core of the table (DESIGN, section 6). A service that answers is a sign of life. */
const onStandby: Cell = {
  silent: { silent: "taken-over", unknown: "taken-over", answers: "split-brain" },
  unknown: {
    silent: "taken-over-unverified",
    unknown: "taken-over-unverified",
    answers: "split-brain",
  },
  alive: { silent: "split-brain-likely", unknown: "split-brain-likely", answers: "split-brain" },
};

/** The other node is back and states that it has not the address; while it is away a person should look. */
const onStandbyByRight: Cell = {
  silent: "taken-over",
  unknown: "taken-over",
  alive: "held-here-by-right",
};

const table: Readonly<Record<Role, Readonly<Record<Place, Cell>>>> = {
  standby: {
    "here": onStandby,
    "here-by-right": onStandbyByRight,
    "primary": "held-by-primary",
    "standby": "held-by-standby",
    "unattributed": "not-here",
    "stranger": "held-by-stranger",
    "several": "split-brain",
    "moving": "moving",
    "nobody": "not-here",
    "unseen": "not-here",
    "unaskable": "not-seen",
  },
  primary: {
    "here": "held-here",
    "here-by-right": "held-here",
    "primary": "held-by-primary",
    "standby": "held-by-standby",
    "unattributed": "held-by-standby",
    "stranger": "held-by-stranger",
    "several": "split-brain",
    "moving": "moving",
    "nobody": "no-holder",
    "unseen": "no-holder",
    "unaskable": "no-holder",
  },
  either: {
    "here": "held-here",
    "here-by-right": "held-here",
    "primary": "held-by-one",
    "standby": "held-by-one",
    "unattributed": "held-by-one",
    "stranger": "held-by-stranger",
    "several": "split-brain",
    "moving": "moving",
    "nobody": "no-holder",
    "unseen": "not-here",
    "unaskable": "not-seen",
  },
  observer: {
    "here": "held-by-observer",
    "here-by-right": "held-by-observer",
    "primary": "held-by-primary",
    "standby": "held-by-standby",
    "unattributed": "held-by-one",
    "stranger": "held-by-stranger",
    "several": "split-brain",
    "moving": "moving",
    "nobody": "no-holder",
    "unseen": "not-seen",
    "unaskable": "not-seen",
  },
};

export function verdictCode(role: Role, place: Place, alive: Alive, serves: Serves): VerdictCode {
  const cell = table[role][place];
  const byService = typeof cell === "string" ? cell : cell[alive];
  return typeof byService === "string" ? byService : byService[serves];
}
