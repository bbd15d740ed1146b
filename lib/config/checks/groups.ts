/** Groups and their addresses: what cannot be, and what a lease covers with these times. */

import { isGuarded } from "../../core/arbitration.ts";
import { awaitedLeaseMs, leaseEndsMs, leaseSlackMs } from "../../core/limits.ts";
import type { GroupSettings, Settings, VipSpec } from "../../core/settings.ts";
import { formatDuration as time } from "../durations.ts";
import type { Place, Places, Say } from "../problem.ts";

/** Measured: the kernel removes an address 0 to 0.25 s after its lease has run out. */
const kernelLatenessMs = 250;

export function checkGroups(settings: Settings, places: Places, say: Say): void {
  if (settings.groups.length === 0) {
    const message = "there is no group: nothing is held by anybody";
    say("warning", places.at("groups"), "no-groups", message, "add one with its resources");
  }
  const holders = new Map<string, string>();
  for (const group of settings.groups) {
    checkGroup(settings, group, places, say);
    for (const [index, { spec }] of group.resources.entries()) {
      if (spec.kind !== "vip") continue;
      const place = places.at("groups", group.name, index);
      const rival = holders.get(spec.address);
      if (rival !== undefined) {
        const message = `the address ${spec.address} is already held by group "${rival}"`;
        say("error", place, "duplicate-address", message, "an address belongs to one group, once");
      }
      holders.set(spec.address, group.name);
      checkVip(settings, group, spec, place, say);
    }
  }
}

function checkGroup(settings: Settings, group: GroupSettings, places: Places, say: Say): void {
  const { name, nodes, resources } = group;
  const place = places.at("groups", name);
  if (resources.length === 0) {
    say("error", place, "empty-group", `group "${name}" has no resource`, "add one, or remove the group");
  }
  if (nodes.length === 1 && settings.nodes.length > 1) {
    const message = `group "${name}" may run on "${nodes[0]}" only: nobody takes it over`;
    say("warning", place, "one-node-group", message, "name more nodes");
  }
  const ids = new Set<string>();
  for (const [index, { id, spec }] of resources.entries()) {
    // A repeated address is told as such.
    if (ids.has(id) && spec.kind !== "vip") {
      const message = `"${id}" stands twice in group "${name}"`;
      say("error", places.at("groups", name, index), "duplicate-resource", message, "keep one");
    }
    ids.add(id);
  }
}

function checkVip(settings: Settings, group: GroupSettings, vip: VipSpec, place: Place, say: Say): void {
  const { address } = vip;
  if (
    settings.media.some((medium) => "peer" in medium && (medium.peer === address || medium.local === address))
  ) {
    const message = `${address} is the address of a node: links use it`;
    say("error", place, "address-of-node", message, "a virtual address must belong to nobody else");
  }
  if (vip.device === null || vip.prefix === null) {
    const missing = vip.device === null
      ? vip.prefix === null ? "interface and no prefix" : "interface"
      : "prefix";
    const source = vip.device === null ? "the route to it" : "the interface's own address in the same subnet";
    const message = `${address} names no ${missing}: found out at start from ${source}`;
    say("note", place, "vip-found-out", message, "write them to be independent of routes");
  }
  if (vip.duplicateCheckMs >= 1000) {
    const message = `the duplicate check adds ${time(vip.duplicateCheckMs)} to every takeover of ${address}`;
    say("note", place, "slow-check", message, "fast (10ms) and careful (250ms) cost less");
  } else if (vip.duplicateCheckMs === 0) {
    const message = `${address} is taken without looking whether a stranger has it`;
    say("warning", place, "no-check", message, "duplicate-check: fast costs 10 ms");
  }
  if (settings.nodes.length > 1) checkLeaseLength(settings, group, vip, place, say);
}

function checkLeaseLength(
  settings: Settings,
  group: GroupSettings,
  vip: VipSpec,
  place: Place,
  say: Say,
): void {
  const { address, leaseSeconds } = vip;
  const { keepaliveMs, deadTimeMs } = settings.timing;
  // Told already; what follows from it would only confuse.
  if (deadTimeMs <= 2 * keepaliveMs) return;
  if (leaseSeconds === null) {
    const message = `${address} has no lease: it stays on a node whose daemon was killed or hangs`;
    say("warning", place, "no-lease", message, "lease: auto lets the kernel take it away in time");
    return;
  }
  const leaseMs = leaseSeconds * 1000;
  const keepalive = time(keepaliveMs);
  if (leaseMs <= keepaliveMs) {
    const message = `the lease of ${address}, ${time(leaseMs)}, is not longer than keepalive ${keepalive}: ` +
      "it would run out before it is renewed";
    const enough = `raise the lease above ${time(2 * keepaliveMs)} and deadtime above ${
      time(2 * keepaliveMs + leaseSlackMs)
    }`;
    say("error", place, "lease-short", message, `${enough}, or lower keepalive`);
    return;
  }
  if (leaseMs < 2 * keepaliveMs) {
    const message = `the lease of ${address}, ${time(leaseMs)}, is less than two renewals of ${keepalive}: ` +
      "one late renewal takes the address away";
    say("warning", place, "lease-tight", message, "lower keepalive, or raise deadtime and the lease");
  }
  if (isGuarded(settings.arbiters)) checkGuardedLease(settings, group, vip, leaseSeconds, place, say);
  else checkLeaseEnd(settings, group, vip, leaseSeconds, place, say);
}

/** Where a node that is cut off lets go: how long it may have the address if its daemon is killed before it does. */
function checkGuardedLease(
  { timing }: Settings,
  group: GroupSettings,
  { address }: VipSpec,
  leaseSeconds: number,
  place: Place,
  say: Say,
): void {
  const { deadTimeMs } = timing;
  if (group.waitForLease) {
    const takeoverMs = awaitedLeaseMs(timing, leaseSeconds);
    if (takeoverMs <= deadTimeMs) return;
    const message =
      `with an arbiter, ${address} is taken ${time(takeoverMs)} after the holder's last heartbeat ` +
      `instead of ${time(deadTimeMs)}: only then is the lease over of one that was cut off, and killed then`;
    const hint =
      "a longer deadtime or a shorter keepalive or lease makes the wait shorter; wait-for-lease: false " +
      "does without it, and without that protection";
    say("note", place, "lease-awaited", message, hint);
    return;
  }
  const lateMs = leaseEndsMs(timing, leaseSeconds) - deadTimeMs;
  if (lateMs <= 0) return;
  const message =
    `if a holder is cut off from everything and its daemon is killed before it lets go, the kernel ` +
    `keeps ${address} there for up to ${time(lateMs)} after another node has taken it`;
  say("warning", place, "lease-long", message, "remove wait-for-lease: false, or shorten the lease");
}

/** Without that: how the end of the lease of a killed daemon and the dead time of the others lie to each other. */
function checkLeaseEnd(
  { timing: { deadTimeMs } }: Settings,
  group: GroupSettings,
  { address }: VipSpec,
  leaseSeconds: number,
  place: Place,
  say: Say,
): void {
  const leaseMs = leaseSeconds * 1000;
  if (leaseMs + leaseSlackMs <= deadTimeMs) return;
  const goneMs = leaseMs + kernelLatenessMs;
  const fitting = time(leaseMs + leaseSlackMs);
  const relation = `the kernel removes ${address} up to ${time(goneMs)} after its last renewal, ` +
    `but another node may act ${time(deadTimeMs)} after the last heartbeat`;
  if (group.waitForLease) {
    const message = `${relation}: takeovers wait for the lease, up to ${time(goneMs - deadTimeMs)} longer`;
    say("note", place, "lease-awaited", message, `deadtime ${fitting} makes this wait unnecessary`);
    return;
  }
  const message =
    `${relation}. Covered: that node asks the network first and waits while the address answers. ` +
    `Not covered: if the network between them is cut too, both hold it for up to ${
      time(goneMs - deadTimeMs)
    }`;
  const shorter = leaseSeconds > 1 ? ", shorten the lease" : "";
  const hint =
    `for full cover raise deadtime to ${fitting}${shorter} or set wait-for-lease: true (in heartline.yaml)`;
  // The kernel counts whole seconds: below 1.3 s no lease fits, and the best choice there is needs no warning.
  say(leaseSeconds === 1 ? "note" : "warning", place, "lease-long", message, hint);
}
