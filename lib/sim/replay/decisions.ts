/**
 * What of a step's effects is a decision, for people and for comparison: what was reported, and what was done to
 * groups and others. Heartbeats, leases and answers to packets are no decisions: they go on all the time. Pure.
 */

import type { Effect, ReportLevel } from "../../core/effects.ts";
import type { Settings } from "../../core/settings.ts";

export interface Decision {
  readonly now: number;
  /** `info`: of no consequence for others, and nothing that two runs are compared by. */
  readonly level: ReportLevel | "action";
  /** The same for the same decision, whatever figures its sentence has. */
  readonly key: string;
  readonly sentence: string;
}

export function decisionsOf(now: number, effects: readonly Effect[], settings: Settings): Decision[] {
  return effects.flatMap((effect) => {
    const decision = decisionOf(effect, settings);
    return decision === null ? [] : [{ now, ...decision }];
  });
}

function decisionOf(effect: Effect, settings: Settings): Omit<Decision, "now"> | null {
  const action = (key: string, sentence: string) => ({ key, level: "action", sentence } as const);
  switch (effect.kind) {
    case "report": {
      const { level, code, sentence, fields } = effect;
      const about = fields.subject ?? fields.group ?? fields.node ?? "";
      return { key: `${level} ${code} ${about}`, level, sentence: `${code}: ${sentence}` };
    }
    case "run": {
      if (effect.operation === "monitor") return null;
      const { group, resource, operation } = effect;
      const id = settings.groups.find(({ name }) => name === group)?.resources[resource]?.id ?? `${resource}`;
      return action(`${operation} ${group} ${resource}`, `${operation} ${id} of ${group}`);
    }
    case "ask-wire":
      return action(
        `ask-wire ${effect.group}`,
        `ask the service network who has the addresses of ${effect.group}`,
      );
    case "drop":
      return action(`drop ${effect.group}`, `take the addresses of ${effect.group} off at once`);
    case "fence":
      return action(`fence ${effect.node}`, `fence ${effect.node}: ${effect.reason}`);
    case "exit":
      return action("exit", "end");
    case "reboot":
      return action("reboot", `reboot: ${effect.reason}`);
    default:
      return null;
  }
}

/** Names what a numbered effect asks for, the same for the same question; `null`: it has no outcome. */
export function questionOf(effect: Effect): string | null {
  switch (effect.kind) {
    case "run":
      return `${effect.operation} ${effect.group} ${effect.resource}`;
    case "ask-wire":
      return `ask-wire ${effect.group}`;
    case "fence":
      return `fence ${effect.node}`;
    default:
      return null;
  }
}
