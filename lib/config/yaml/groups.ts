/** The `groups` of heartline.yaml: who may hold what, in which order of preference. */

import type { Failback, GroupSettings, ResourceSettings } from "../../core/settings.ts";
import * as defaults from "../defaults.ts";
import { parseDuration } from "../durations.ts";
import type { Parsed, Places } from "../problem.ts";
import type { SpecOptions } from "../resource_spec.ts";
import { suggestion } from "../spelling.ts";
import type { Value, YamlReader } from "./reader.ts";
import { limitKeys, readLimits, readResource } from "./resources.ts";

const groupKeys = [
  "nodes",
  "failback",
  "resources",
  "monitor-interval",
  "on-stop-fail",
  "wait-for-lease",
  "retry-after",
  ...limitKeys,
];

const standardLimits = {
  startLimitMs: defaults.startLimitMs,
  stopLimitMs: defaults.stopLimitMs,
  monitorLimitMs: defaults.monitorLimitMs,
};

/** What is so for a group unless it says otherwise. */
interface GroupOptions extends SpecOptions {
  readonly waitForLease: boolean;
}

export function readGroups(
  reader: YamlReader,
  value: Value,
  nodes: readonly string[],
  options: GroupOptions,
  places: Places,
): GroupSettings[] {
  const groups: GroupSettings[] = [];
  for (const { key, value: body } of reader.openMapping(value, `"groups"`)?.values() ?? []) {
    if (/[\s,]/.test(key.value) || key.value.length > 255) {
      const hint = "use at most 255 characters without blanks and commas";
      reader.findings.error(key.span, "bad-name", `"${key.value}" cannot name a group`, hint);
      continue;
    }
    places.set(["groups", key.value], reader.findings.place(key.span));
    groups.push(readGroup(reader, key.value, body, nodes, options, places));
  }
  return groups;
}

function readGroup(
  reader: YamlReader,
  name: string,
  value: Value,
  nodes: readonly string[],
  options: GroupOptions,
  places: Places,
): GroupSettings {
  const what = `group "${name}"`;
  const entries = reader.mapping(value, {
    what,
    keys: groupKeys,
    required: ["resources"],
    refused: {
      fencing: 'it is a section of its own and covers all groups: write it beside "groups"',
      priority: `the order of "nodes" is the preference`,
    },
  });
  const [members, failback, list, interval, stopFail, wait, retry] = groupKeys.map((key) =>
    entries?.get(key)
  );
  const limits = entries === null ? standardLimits : readLimits(reader, entries, standardLimits);
  const resources: ResourceSettings[] = [];
  for (const item of list === undefined ? [] : reader.list(list.value, `"resources"`)) {
    const resource = readResource(reader, item, limits, options);
    if (resource === null) continue;
    places.set(["groups", name, resources.length], reader.findings.place(item.span));
    resources.push(resource);
  }
  return {
    name,
    nodes: members === undefined ? nodes : readMembers(reader, members.value, what, nodes),
    failback: readFailback(reader, failback?.value),
    resources,
    monitorIntervalMs: (interval && reader.duration(interval.value, `"monitor-interval"`, 100)) ??
      defaults.monitorIntervalMs,
    onStopFail: readStopFail(reader, stopFail?.value),
    waitForLease: (wait && reader.boolean(wait.value, `"wait-for-lease"`)) ?? options.waitForLease,
    retryAfterMs: (retry && reader.duration(retry.value, `"retry-after"`, 0)) ?? defaults.retryAfterMs,
  };
}

function readMembers(reader: YamlReader, value: Value, what: string, nodes: readonly string[]): string[] {
  const members: string[] = [];
  for (const item of reader.list(value, `"nodes" of ${what}`)) {
    const written = reader.text(item, "a node");
    if (written === null) continue;
    const node = written.toLowerCase();
    if (!nodes.includes(node)) {
      reader.findings.error(
        item.span,
        "unknown-node",
        `"${written}" is not one of the nodes`,
        suggestion(node, nodes),
      );
    } else if (members.includes(node)) {
      reader.findings.error(item.span, "duplicate-node", `"${written}" stands twice`, "keep one");
    } else members.push(node);
  }
  if (members.length === 0) {
    reader.findings.error(
      value.span,
      "no-nodes",
      `${what} has no node that may hold it`,
      "name at least one",
    );
  }
  return members;
}

function readFailback(reader: YamlReader, value: Value | undefined): Failback {
  const off: Failback = { kind: "off" };
  if (value === undefined) return off;
  if (reader.isMapping(value)) {
    const after = reader.mapping(value, { what: `"failback"`, keys: ["after"], required: ["after"] })?.get(
      "after",
    );
    const ms = after && reader.duration(after.value, `"after"`, 0);
    return ms === null || ms === undefined ? off : { kind: "after", ms };
  }
  return reader.parsed(value, `"failback"`, parseFailback) ?? off;
}

function parseFailback(text: string): Parsed<Failback> {
  if (/^(on|true|yes)$/i.test(text)) return { ok: true, value: { kind: "on" } };
  if (/^(off|false|no)$/i.test(text)) return { ok: true, value: { kind: "off" } };
  const after = /^after[ :]+(.+)$/.exec(text)?.[1];
  const parsed = after === undefined ? null : parseDuration(after, "yaml");
  if (parsed?.ok) return { ok: true, value: { kind: "after", ms: parsed.value } };
  return { ok: false, message: `"${text}" is not known`, hint: "write on, off or {after: 60s}" };
}

function readStopFail(reader: YamlReader, value: Value | undefined): GroupSettings["onStopFail"] {
  if (value === undefined) return "block";
  const chosen = reader.choice(value, `"on-stop-fail"`, ["block", "fence", "reboot"]);
  if (chosen === "fence") {
    const hint =
      "write block (wait for a person) or reboot (this machine); a node is fenced by the others only";
    reader.findings.error(value.span, "not-available", `"fence" is not available here`, hint);
  }
  return chosen ?? "block";
}
