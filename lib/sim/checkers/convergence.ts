/**
 * What must be so again once all faults are healed and some time has passed: every node in view of each other, one
 * holder of every group, on the node where all say it belongs, and no alarm left. Judges only; healing is a plan.
 */

import type { NodeView } from "../../core/view.ts";
import type { Simulation } from "../simulation.ts";

/** What is not as it should be, one sentence each; empty: all is well. */
export function shortcomings(simulation: Simulation): string[] {
  const found: string[] = [];
  const views: NodeView[] = [];
  for (const { name } of simulation.machines) {
    const view = simulation.view(name);
    if (view === null) found.push(`no daemon runs on ${name}`);
    else views.push(view);
  }
  for (const view of views) found.push(...shortcomingsOf(view));
  for (const { name } of simulation.settings.groups) {
    const holders = simulation.holders(name);
    const placed = new Set(views.map((view) => view.groups.find(({ group }) => group === name)?.placedOn));
    if (holders.length !== 1) {
      const reasons = views.map((view) => {
        const group = view.groups.find((each) => each.group === name)!;
        return `${view.node} ${group.state}: ${group.reason}`;
      });
      found.push(`${name} has ${holders.length} holders (${holders.join(", ")}): ${reasons.join("; ")}`);
    } else if (placed.size !== 1 || !placed.has(holders[0]!)) {
      found.push(`${name} is held by ${holders[0]}, but belongs on ${[...placed].join(" or ")}`);
    }
    for (const view of views) {
      const group = view.groups.find((each) => each.group === name)!;
      if (group.state === "running" !== holders.includes(view.node)) {
        found.push(`${view.node} says that ${name} is ${group.state} there, held by ${holders.join(", ")}`);
      }
    }
  }
  return found;
}

function shortcomingsOf(view: NodeView): string[] {
  const found: string[] = [];
  if (view.phase !== "settled") found.push(`${view.node} is ${view.phase}`);
  if (view.isolated === true) found.push(`${view.node} is isolated`);
  for (const { code, subject, sentence } of view.alarms) {
    found.push(`${view.node} still has the alarm ${code} ${subject}: ${sentence}`);
  }
  for (const peer of view.peers) {
    if (peer.state !== "alive") found.push(`${view.node} sees ${peer.node} as ${peer.state}`);
    for (const link of peer.links) {
      if (link.state !== "up" && link.state !== "late") {
        found.push(`${view.node} sees link ${link.medium} to ${peer.node} as ${link.state}`);
      }
    }
  }
  return found;
}
