/**
 * The leases of a recorded run under other settings. `lease: auto` was resolved when the configuration was read, from
 * times that are now to be others; the recording holds only the seconds that came of it, of this node in its settings
 * and of the others in what they state. A lease as long as "auto" was is taken for it, and follows. Pure.
 */

import { isGuarded } from "../../core/arbitration.ts";
import { autoLeaseSeconds } from "../../core/limits.ts";
import type { ResourceSpec, Settings } from "../../core/settings.ts";
import type { Statement } from "../../wire/statement.ts";

export interface AutoLease {
  /** What it came to when the run was recorded, in seconds. */
  readonly recorded: number;
  readonly now: number;
}

export function autoLease(recorded: Settings, now: Settings): AutoLease {
  return { recorded: autoSeconds(recorded), now: autoSeconds(now) };
}

function autoSeconds({ timing, arbiters }: Settings): number {
  return autoLeaseSeconds(timing, isGuarded(arbiters));
}

export interface Leased {
  readonly settings: Settings;
  /** What is assumed of the leases, a sentence for each group that has any; none where "auto" comes to the same. */
  readonly premises: readonly string[];
}

export function withLeases(settings: Settings, auto: AutoLease): Leased {
  if (auto.recorded === auto.now) return { settings, premises: [] };
  const groups = settings.groups.map((group) => ({
    ...group,
    resources: group.resources.map((resource) => ({ ...resource, spec: withLease(resource.spec, auto) })),
  }));
  const premises = settings.groups.flatMap(({ name, resources }) =>
    [...new Set(resources.map(({ spec }) => leaseOf(spec)))].flatMap((seconds) =>
      seconds === null ? [] : [premise(name, seconds, auto)]
    )
  );
  return { settings: { ...settings, groups }, premises };
}

function withLease(spec: ResourceSpec, auto: AutoLease): ResourceSpec {
  return spec.kind === "vip" && spec.leaseSeconds === auto.recorded
    ? { ...spec, leaseSeconds: auto.now }
    : spec;
}

/** `null`: it has none. */
function leaseOf(spec: ResourceSpec): number | null {
  return spec.kind === "vip" ? spec.leaseSeconds : null;
}

function premise(group: string, seconds: number, { recorded, now }: AutoLease): string {
  return seconds === recorded
    ? `the lease of ${group}, ${recorded} s as "auto" was, is ${now} s as "auto" would be, on all nodes`
    : `the lease of ${group} stays at ${seconds} s: "auto" was ${recorded} s`;
}

/** What another node states, with the lease that it would have. */
export function statedWith(statement: Statement, auto: AutoLease): Statement {
  if (auto.recorded === auto.now) return statement;
  const groups = Object.entries(statement.groups).map(([name, group]) =>
    [name, group.leaseSeconds === auto.recorded ? { ...group, leaseSeconds: auto.now } : group] as const
  );
  return { ...statement, groups: Object.fromEntries(groups) };
}
