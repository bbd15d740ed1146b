/**
 * What differs between the settings of two nodes that must be alike, setting by setting, in operators' words. Pure.
 * Secrets are compared and never shown. What may rightly differ (links, own addresses, paths, delays) is left out.
 */

import type { GroupSettings, Settings } from "../core/settings.ts";
import { formatDuration } from "../config/durations.ts";
import type { SettingDifference } from "./circumstances.ts";

type Row = readonly [subject: string, here: string, there: string];

export function settingDifferences(here: Settings, there: Settings): SettingDifference[] {
  const groups = new Set([...here.groups, ...there.groups].map((group) => group.name));
  const rows: Row[] = [
    ["node", here.nodes.toSorted().join(" "), there.nodes.toSorted().join(" ")],
    ...timingRows(here, there),
    ["udpport", `${here.udpPort}`, `${there.udpPort}`],
    ...keyRows(here, there),
    ...[...groups].flatMap((name) =>
      groupRows(
        name,
        here.groups.find((group) => group.name === name),
        there.groups.find((group) => group.name === name),
      )
    ),
  ];
  return rows.filter(([, own, other]) => own !== other).map(([subject, own, other]) => ({
    ...{ kind: "setting", source: "compare", ageMs: 0, subject },
    here: own,
    there: other,
  }));
}

function timingRows(here: Settings, there: Settings): Row[] {
  const names = {
    keepaliveMs: "keepalive",
    deadTimeMs: "deadtime",
    warnTimeMs: "warntime",
    initDeadMs: "initdead",
  };
  return (Object.keys(names) as Array<keyof typeof names>).map((
    key,
  ) => [names[key], formatDuration(here.timing[key]), formatDuration(there.timing[key])]);
}

/** Each node must be able to verify what the other one signs. */
function keyRows(here: Settings, there: Settings): Row[] {
  const [own, other] = [here.authentication, there.authentication];
  const indices = new Set([...own.keys, ...other.keys].map((key) => key.index));
  const keys = [...indices].sort((a, b) => a - b).flatMap((index): Row[] => {
    const [a, b] = [own, other].map(({ keys }) => keys.find((key) => key.index === index));
    const name = `key ${index}`;
    if (a === undefined || b === undefined) {
      return [[name, a?.method ?? "none", b?.method ?? "none"]];
    }
    if (a.method !== b.method) return [[name, a.method, b.method]];
    return a.secret === b.secret ? [] : [[name, "one secret", "another secret"]];
  });
  return [...keys, ["auth", `${own.signWith}`, `${other.signWith}`]];
}

function groupRows(name: string, here: GroupSettings | undefined, there: GroupSettings | undefined): Row[] {
  const subject = `group "${name}"`;
  if (here === undefined || there === undefined) {
    const word = (group: GroupSettings | undefined) => group === undefined ? "missing" : "present";
    return [[subject, word(here), word(there)]];
  }
  const failback = ({ failback }: GroupSettings) =>
    failback.kind === "after" ? `after ${formatDuration(failback.ms)}` : failback.kind;
  const resources = (group: GroupSettings) => group.resources.map((resource) => resource.id).join(" ");
  return [
    [`nodes of ${subject}`, here.nodes.join(" "), there.nodes.join(" ")],
    [`failback of ${subject}`, failback(here), failback(there)],
    [`resources of ${subject}`, resources(here), resources(there)],
  ];
}
