/**
 * Whether settings that are fine one by one fit together, and what follows from them, each with its reason. Looks at
 * typed settings only; where something was written comes from `Places`.
 */

import type { GroupSettings, Settings, VipSpec } from "../core/settings.ts";
import { nodesMax } from "./defaults.ts";
import { formatDuration as time } from "./durations.ts";
import { type Place, type Places, type Problem, problem, type Severity } from "./problem.ts";
import { unprotectedSentences } from "./unprotected.ts";
import { leaseSlackMs } from "./vip_spec.ts";

export { settingsHash } from "./fingerprint.ts";
export { unprotectedSentences } from "./unprotected.ts";

/** Shorter secrets fall to an afternoon of guessing, since every packet is a sample. */
const secretLengthGood = 8;

type Say = (severity: Severity, place: Place, code: string, message: string, hint?: string) => void;

/** `nodeName` null: the settings are read for no node in particular, and links cannot be counted. */
export function checkSettings(settings: Settings, places: Places, nodeName: string | null): Problem[] {
  const problems: Problem[] = [];
  const say: Say = (...found) => problems.push(problem(...found));
  checkTiming(settings, places, say);
  checkNodes(settings, places, say);
  checkLinks(settings, places, nodeName, say);
  checkKeys(settings, places, say);
  checkGroups(settings, places, say);
  for (const sentence of unprotectedSentences(settings)) say("note", places.at(), "unprotected", sentence);
  return problems;
}

function checkTiming({ timing }: Settings, places: Places, say: Say): void {
  const { keepaliveMs, deadTimeMs, warnTimeMs, initDeadMs } = timing;
  const at = (key: string) => places.at("timing", key);
  if (deadTimeMs <= 2 * keepaliveMs) {
    say(
      "error",
      at("deadtime"),
      "deadtime-short",
      `deadtime ${time(deadTimeMs)} is not more than twice keepalive ${
        time(keepaliveMs)
      }: one lost packet would look like a death`,
      `raise deadtime to ${time(5 * keepaliveMs)}, or lower keepalive to ${
        time(Math.max(1, Math.floor(deadTimeMs / 5)))
      }`,
    );
  }
  if (initDeadMs < deadTimeMs) {
    say(
      "error",
      at("initdead"),
      "initdead-short",
      `initdead ${time(initDeadMs)} is less than deadtime ${
        time(deadTimeMs)
      }: a starting node would judge others sooner than a running one`,
      `raise initdead to at least ${time(deadTimeMs)}`,
    );
  }
  if (warnTimeMs >= deadTimeMs) {
    const hint = `lower warntime to about half of deadtime, ${time(Math.floor(deadTimeMs / 2))}`;
    say(
      "warning",
      at("warntime"),
      "warntime-long",
      `warntime ${time(warnTimeMs)} is not less than deadtime ${
        time(deadTimeMs)
      }: no late heartbeat is ever reported`,
      hint,
    );
  } else if (warnTimeMs <= keepaliveMs) {
    const hint = `raise warntime above ${time(keepaliveMs)}`;
    say(
      "warning",
      at("warntime"),
      "warntime-short",
      `warntime ${time(warnTimeMs)} is not more than keepalive ${
        time(keepaliveMs)
      }: every heartbeat is reported as late`,
      hint,
    );
  }
}

function checkNodes(settings: Settings, places: Places, say: Say): void {
  const { nodes } = settings;
  if (nodes.length > nodesMax) {
    say(
      "error",
      places.at("nodes"),
      "too-many-nodes",
      `there are ${nodes.length} nodes`,
      `at most ${nodesMax} are possible`,
    );
  } else if (nodes.length === 1) {
    say(
      "warning",
      places.at("nodes"),
      "one-node",
      `"${nodes[0]}" is the only node: nobody takes over from it`,
      "name the other nodes too",
    );
  }
}

function checkLinks(settings: Settings, places: Places, nodeName: string | null, say: Say): void {
  const { media, nodes } = settings;
  if (nodes.length < 2) return;
  const links = Map.groupBy(media, (medium) => medium.device);
  if (links.size === 0) {
    say(
      "error",
      places.at("media"),
      "no-links",
      "there is no link to any other node",
      "add at least one, better two, over separate wires",
    );
    return;
  }
  if (links.size === 1) {
    const [name] = links.keys();
    say(
      "warning",
      places.at("media"),
      "single-link",
      `"${name}" is the only link: when it breaks, the nodes lose each other`,
      "add a second one over another interface, cable and switch",
    );
  }
  for (const [index, medium] of media.entries()) {
    const isIpv6 = (address: string) => address.includes(":");
    if (medium.local !== null && isIpv6(medium.local) !== isIpv6(medium.peer)) {
      say(
        "error",
        places.at("media", index),
        "mixed-families",
        `the link cannot reach "${medium.peer}" from "${medium.local}"`,
        "both ends need the same family of addresses",
      );
    }
    const twin = media.findIndex((other) =>
      other.device === medium.device && other.peer === medium.peer && other.port === medium.port
    );
    if (twin < index) {
      say(
        "warning",
        places.at("media", index),
        "duplicate-link",
        `the link "${medium.device}" to "${medium.peer}" stands twice`,
        "remove one: it only doubles the packets",
      );
    }
  }
  if (nodeName === null) return;
  for (const [name, paths] of links) {
    const peers = new Set(paths.map((path) => path.peer)).size;
    const index = media.findIndex((medium) => medium.device === name);
    if (peers < nodes.length - 1) {
      say(
        "warning",
        places.at("media", index),
        "partial-link",
        `link "${name}" reaches ${peers} of ${nodes.length - 1} other nodes`,
        "add an address for each node",
      );
    }
  }
}

function checkKeys({ authentication }: Settings, places: Places, say: Say): void {
  for (const { index, method, secret } of authentication.keys) {
    const place = places.at("keys", index);
    if (method === "crc") {
      if (authentication.allowCrc) {
        say(
          "warning",
          place,
          "crc",
          `key ${index} is crc: anybody on the network can take part`,
          "use sha256, or sha1 beside Heartbeat daemons",
        );
      } else {
        say(
          "error",
          place,
          "crc-refused",
          `key ${index} is crc, which keeps out noise but nobody: refused over UDP`,
          "use sha1 with a secret (in heartline.yaml, keys.allow-crc: true accepts it)",
        );
      }
    } else if (secret.length < secretLengthGood) {
      say(
        "warning",
        place,
        "weak-secret",
        `the secret of key ${index} has only ${secret.length} characters`,
        `use at least ${secretLengthGood}, better the output of "openssl rand -hex 32"`,
      );
    }
  }
}

function checkGroups(settings: Settings, places: Places, say: Say): void {
  if (settings.groups.length === 0) {
    say(
      "warning",
      places.at("groups"),
      "no-groups",
      "there is no group: nothing is held by anybody",
      "add one with its resources",
    );
  }
  const holders = new Map<string, string>();
  for (const group of settings.groups) {
    const at = (index?: number) =>
      index === undefined ? places.at("groups", group.name) : places.at("groups", group.name, index);
    if (group.resources.length === 0) {
      say(
        "error",
        at(),
        "empty-group",
        `group "${group.name}" has no resource`,
        "add one, or remove the group",
      );
    }
    if (group.nodes.length === 1 && settings.nodes.length > 1) {
      say(
        "warning",
        at(),
        "one-node-group",
        `group "${group.name}" may run on "${group.nodes[0]}" only: nobody takes it over`,
        "name more nodes",
      );
    }
    const ids = new Set<string>();
    for (const [index, { id, spec }] of group.resources.entries()) {
      if (ids.has(id)) {
        say(
          "error",
          at(index),
          "duplicate-resource",
          `"${id}" stands twice in group "${group.name}"`,
          "keep one",
        );
      }
      ids.add(id);
      if (spec.kind !== "vip") continue;
      const rival = holders.get(spec.address);
      if (
        rival !== undefined &&
        !(rival === group.name && ids.has(id) && group.resources.filter((r) => r.id === id).length > 1)
      ) {
        say(
          "error",
          at(index),
          "duplicate-address",
          `the address ${spec.address} is already held by group "${rival}"`,
          "an address belongs to one group, once",
        );
      }
      holders.set(spec.address, group.name);
      checkVip(settings, group, spec, at(index), say);
    }
  }
}

function checkVip(settings: Settings, group: GroupSettings, vip: VipSpec, place: Place, say: Say): void {
  const { address } = vip;
  const ownName = settings.media.some((medium) => medium.peer === address || medium.local === address);
  if (ownName) {
    say(
      "error",
      place,
      "address-of-node",
      `${address} is the address of a node: links use it`,
      "a virtual address must belong to nobody else",
    );
  }
  const missing = [vip.device === null ? "interface" : null, vip.prefix === null ? "prefix" : null].filter((
    part,
  ) => part !== null);
  if (missing.length > 0) {
    const source = vip.device === null ? "the route to it" : "the interface's own address in the same subnet";
    say(
      "note",
      place,
      "vip-found-out",
      `${address} names no ${missing.join(" and no ")}: found out at start from ${source}`,
      "write them to be independent of routes",
    );
  }
  if (vip.duplicateCheckMs >= 1000) {
    say(
      "note",
      place,
      "slow-check",
      `the duplicate check adds ${time(vip.duplicateCheckMs)} to every takeover of ${address}`,
      "fast (10ms) and careful (250ms) cost less",
    );
  }
  if (vip.duplicateCheckMs === 0) {
    say(
      "warning",
      place,
      "no-check",
      `${address} is taken without looking whether a stranger has it`,
      "duplicate-check: fast costs 10 ms",
    );
  }
  if (settings.nodes.length > 1) checkLease(settings, group, vip, place, say);
}

function checkLease({ timing }: Settings, group: GroupSettings, vip: VipSpec, place: Place, say: Say): void {
  const { address, leaseSeconds } = vip;
  const { keepaliveMs, deadTimeMs } = timing;
  if (leaseSeconds === null) {
    say(
      "warning",
      place,
      "no-lease",
      `${address} has no lease: it stays on a node whose daemon was killed or hangs`,
      "lease: auto lets the kernel take it away in time",
    );
    return;
  }
  const leaseMs = leaseSeconds * 1000;
  if (leaseMs <= keepaliveMs) {
    say(
      "error",
      place,
      "lease-short",
      `the lease of ${address}, ${time(leaseMs)}, is not longer than keepalive ${
        time(keepaliveMs)
      }: it would run out before it is renewed`,
      `raise the lease above ${time(2 * keepaliveMs)} and deadtime above ${
        time(2 * keepaliveMs + leaseSlackMs)
      }, or lower keepalive`,
    );
    return;
  }
  if (leaseMs < 2 * keepaliveMs) {
    say(
      "warning",
      place,
      "lease-tight",
      `the lease of ${address}, ${time(leaseMs)}, is less than two renewals of ${
        time(keepaliveMs)
      }: one late renewal takes the address away`,
      "lower keepalive or raise the lease",
    );
  }
  if (leaseMs + leaseSlackMs <= deadTimeMs) return;
  const overlapMs = leaseMs + 250 - deadTimeMs;
  const covered = `The kernel removes ${address} up to ${
    time(leaseMs + 250)
  } after the last renewal, another node may act after ${time(deadTimeMs)}`;
  if (group.waitForLease) {
    const message = `${covered}: takeovers wait for it, up to ${time(overlapMs)} longer than deadtime`;
    say(
      "note",
      place,
      "lease-awaited",
      message,
      `deadtime ${time(leaseMs + leaseSlackMs)} makes this wait unnecessary`,
    );
    return;
  }
  const message =
    `${covered}. Covered: the other node asks the network first and waits while the address still answers. ` +
    `Not covered: if the network between them is cut too, both hold it for up to ${time(overlapMs)}`;
  const hint = `for full cover raise deadtime to ${time(leaseMs + leaseSlackMs)}${
    leaseSeconds > 1 ? " or shorten the lease" : ""
  }, or set wait-for-lease: true`;
  // The kernel counts whole seconds: below 1.3 s no lease fits, and a good choice needs no warning.
  say(leaseSeconds === 1 ? "note" : "warning", place, "lease-long", message, hint);
}
