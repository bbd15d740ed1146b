/** Two lists of decisions as one, in order of time: what both made, what only one of them made. Pure. */

import type { Decision } from "./decisions.ts";

export interface Row {
  /** `both`: as recorded, with the other settings at about the same time. */
  readonly side: "both" | "recorded" | "other";
  readonly decision: Decision;
}

/** Decisions nearer than this to each other are the same one: timers and the network are no more exact. */
const sameMs = 60;

export function sideBySide(recorded: readonly Decision[], other: readonly Decision[]): Row[] {
  const free = new Map<string, Decision[]>();
  for (const decision of other) {
    const list = free.get(decision.key);
    if (list === undefined) free.set(decision.key, [decision]);
    else list.push(decision);
  }
  const rows: Row[] = [];
  for (const decision of recorded) {
    const list = free.get(decision.key) ?? [];
    // Both are in order of time: what is too old for this one is too old for all that follow.
    while (list[0] !== undefined && list[0].now < decision.now - sameMs) {
      rows.push({ side: "other", decision: list.shift()! });
    }
    const isSame = list[0] !== undefined && list[0].now <= decision.now + sameMs;
    if (isSame) list.shift();
    rows.push({ side: isSame ? "both" : "recorded", decision });
  }
  for (const list of free.values()) for (const decision of list) rows.push({ side: "other", decision });
  return rows.sort((a, b) => a.decision.now - b.decision.now);
}

/** Instant of the first decision of consequence that only one of them made; `null`: there is none. */
export function firstDifferenceMs(rows: readonly Row[]): number | null {
  const first = rows.find(({ side, decision }) => side !== "both" && decision.level !== "info");
  return first?.decision.now ?? null;
}
