/** The event `operator`: what somebody types on a node, in the words of the command line: `{n2: takeover web}`. */

import type { Parsed } from "../../config/problem.ts";
import { suggestion } from "../../config/spelling.ts";
import type { Value } from "../../config/yaml/reader.ts";
import type { Command } from "../../core/inputs.ts";
import type { Change } from "./actions.ts";
import type { Cast } from "./cast.ts";

const verbs = ["takeover", "standby", "release", "rejoin", "confirm"] as const;
const words = [...verbs, "maintenance on", "maintenance off", "shutdown"];

export function readOperator(cast: Cast, value: Value): Change[] {
  const changes: Change[] = [];
  for (const entry of cast.reader.openMapping(value, `"operator"`)?.values() ?? []) {
    const node = cast.node(entry.key.value, entry.key.span);
    const command = cast.reader.parsed(entry.value, "a command", parseCommand);
    if (node === null || command === null) continue;
    const groups = "groups" in command ? command.groups : [];
    if (groups.some((group) => cast.group(group, entry.value.span) === null)) continue;
    changes.push({ fault: { kind: "command", node, command }, undo: null });
  }
  return changes;
}

function parseCommand(text: string): Parsed<Command> {
  const [verb = "", ...rest] = text.trim().split(/\s+/);
  const kind = verbs.find((known) => known === verb);
  if (kind !== undefined) return { ok: true, value: { kind, groups: rest } };
  if (text === "shutdown") return { ok: true, value: { kind: "shutdown" } };
  if (verb === "maintenance" && (rest[0] === "on" || rest[0] === "off")) {
    return { ok: true, value: { kind: "maintenance", on: rest[0] === "on" } };
  }
  const hint = verb === "maintenance" ? "write maintenance on or maintenance off" : suggestion(verb, words);
  return { ok: false, message: `"${text}" is no command`, hint };
}
