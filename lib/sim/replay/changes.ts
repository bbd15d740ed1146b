/** `--set deadtime=4s`: other settings for a recorded run. Pure; all problems at once. */

import { parseDuration } from "../../config/durations.ts";
import { suggestion } from "../../config/spelling.ts";
import type { Failback, Settings, Timing } from "../../core/settings.ts";
import { autoLease, withLeases } from "./leases.ts";

type Change = (settings: Settings, value: string) => Settings | string;

const times: Readonly<Record<string, keyof Timing>> = {
  keepalive: "keepaliveMs",
  deadtime: "deadTimeMs",
  warntime: "warnTimeMs",
  initdead: "initDeadMs",
};

const changes: Readonly<Record<string, Change>> = {
  ...Object.fromEntries(
    Object.entries(times).map(([name, key]) => [
      name,
      withDuration((settings, ms) => ({ ...settings, timing: { ...settings.timing, [key]: ms } })),
    ]),
  ),
  "takeover-delay": withDuration((settings, takeoverDelayMs) => ({ ...settings, takeoverDelayMs })),
  "takeover-confirm": withBoolean((settings, takeoverConfirm) => ({ ...settings, takeoverConfirm })),
  "wait-for-lease": withBoolean((settings, waitForLease) => ({
    ...settings,
    groups: settings.groups.map((group) => ({ ...group, waitForLease })),
  })),
  failback: (settings, value) => {
    const failback = failbackOf(value);
    if (typeof failback === "string") return failback;
    return { ...settings, groups: settings.groups.map((group) => ({ ...group, failback })) };
  },
  arbiters: (settings, value) =>
    value === "none" ? { ...settings, arbiters: [] } : `"${value}": only "none" can be tried on a recording`,
};

/** What can be changed, for the help. */
export const changeable: readonly string[] = Object.keys(changes);

export type Changed =
  | {
    readonly ok: true;
    readonly settings: Settings;
    /** What is assumed of settings that were not named. */
    readonly premises: readonly string[];
  }
  | { readonly ok: false; readonly problems: readonly string[] };

/**
 * `wishes` as `name=value`. A warntime that does not fit any more follows the deadtime, unless it was set; a lease that
 * was "auto" follows too.
 */
export function withChanges(settings: Settings, wishes: readonly string[]): Changed {
  const problems: string[] = [];
  let result = settings;
  const names = new Set<string>();
  for (const wish of wishes) {
    const at = wish.indexOf("=");
    const [name, value] = at < 0 ? [wish, ""] : [wish.slice(0, at), wish.slice(at + 1)];
    const change = Object.hasOwn(changes, name) ? changes[name] : undefined;
    if (change === undefined) {
      problems.push(`--set "${wish}": "${name}" cannot be changed; ${suggestion(name, changeable)}`);
      continue;
    }
    const changed = change(result, value);
    if (typeof changed === "string") problems.push(`--set ${name}: ${changed}`);
    else result = changed;
    names.add(name);
  }
  const { deadTimeMs, keepaliveMs } = result.timing;
  if (!names.has("warntime") && deadTimeMs !== settings.timing.deadTimeMs) {
    result = { ...result, timing: { ...result.timing, warnTimeMs: Math.max(1, Math.floor(deadTimeMs / 2)) } };
  }
  if (deadTimeMs <= 2 * keepaliveMs) {
    problems.push(
      `deadtime ${deadTimeMs} ms is not more than twice keepalive ${keepaliveMs} ms: set both, or another`,
    );
  }
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, ...withLeases(result, autoLease(settings, result)) };
}

function withDuration(apply: (settings: Settings, ms: number) => Settings): Change {
  return (settings, value) => {
    const parsed = parseDuration(value, "yaml");
    return parsed.ok ? apply(settings, parsed.value) : `${parsed.message}: ${parsed.hint}`;
  };
}

function withBoolean(apply: (settings: Settings, is: boolean) => Settings): Change {
  return (settings, value) => {
    if (value === "on" || value === "true") return apply(settings, true);
    if (value === "off" || value === "false") return apply(settings, false);
    return `"${value}" is neither "on" nor "off"`;
  };
}

function failbackOf(value: string): Failback | string {
  if (value === "on" || value === "off") return { kind: value };
  const parsed = parseDuration(value, "yaml");
  return parsed.ok
    ? { kind: "after", ms: parsed.value }
    : `"${value}" is neither "on", "off" nor a length of time`;
}
