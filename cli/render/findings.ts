/**
 * Whether all is well, from a view alone: what makes `heartline status` end with 1. Each finding is a sentence.
 * Must never be empty while an alarm is active.
 */

import type { NodeView } from "../../lib/core/view.ts";

export function findings(view: NodeView): string[] {
  const found = view.alarms.map((alarm) => alarm.sentence);
  const isTold = (subject: string) => view.alarms.some((alarm) => alarm.subject.includes(subject));
  for (const { group, holders, state, resources } of view.groups) {
    if (isTold(group)) continue;
    if (holders.length > 1) found.push(`${group}: held by ${holders.join(" and ")}`);
    if (state === "blocked") found.push(`${group}: blocked, because a resource could not be stopped`);
    const failed = resources.filter((resource) => resource.state === "failed").map((resource) => resource.id);
    if (failed.length > 0) found.push(`${group}: failed here: ${failed.join(", ")}`);
  }
  if (view.isolated === true && !view.alarms.some((alarm) => alarm.code.includes("isolated"))) {
    found.push(`${view.node}: isolated, neither a peer nor an arbiter answers`);
  }
  return found;
}
