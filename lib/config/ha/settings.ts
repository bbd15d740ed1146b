/** ha.cf, authkeys and haresources together: the settings that a Heartbeat pair runs with. */

import { isGuarded } from "../../core/arbitration.ts";
import { autoLeaseSeconds } from "../../core/limits.ts";
import type {
  ArbiterSettings,
  Failback,
  GroupSettings,
  PingMemberSettings,
  Settings,
} from "../../core/settings.ts";
import { parseAuthKeys } from "../authkeys.ts";
import type { LoadContext } from "../context.ts";
import * as defaults from "../defaults.ts";
import { type HaCf, parseHaBoolean, parseHaCf } from "../ha_cf.ts";
import { parseHaResources } from "../haresources.ts";
import { mediaOf, portOf } from "./media.ts";
import { type Findings, Places, type Problem, type Span } from "../problem.ts";
import { suggestion } from "../spelling.ts";
import { parseAddress } from "../text/addresses.ts";
import { vipDefaults } from "../vip_spec.ts";

/** One file of the directory. */
export interface HaFile {
  readonly file: string;
  readonly text: string;
}

export interface HaFiles {
  readonly haCf: HaFile;
  /** `null`: could not be read; the caller has said so. */
  readonly authkeys: HaFile | null;
  readonly haresources: HaFile | null;
}

export interface HaSettings {
  readonly settings: Settings;
  readonly problems: readonly Problem[];
  readonly places: Places;
  /** Of authkeys. */
  readonly secrets: readonly Span[];
}

export function parseHaDirectory(files: HaFiles, context: LoadContext): HaSettings {
  const { haCf, findings } = parseHaCf(files.haCf.text, files.haCf.file);
  const places = new Places(files.haCf.file);
  const timing = timingOf(haCf, findings, places);
  const nodes = haCf.nodes.map((node) => node.value);
  const [firstNode] = haCf.nodes;
  if (firstNode === undefined) {
    findings.error(null, "no-nodes", `there is no "node" line`, "write node NAME NAME");
  } else places.set(["nodes"], findings.place(firstNode.span));

  const media = mediaOf(haCf.media, findings, places, context);
  const arbiters = arbitersOf(haCf, findings, places, context);
  const failback = failbackOf(haCf, findings);
  noteOddities(haCf, findings);

  const keyed = files.authkeys && parseAuthKeys(files.authkeys.text, files.authkeys.file);
  for (const key of keyed?.authKeys.keys ?? []) {
    places.set(["keys", key.value.index], keyed!.findings.place(key.span));
  }
  const autoSeconds = autoLeaseSeconds(timing, isGuarded(arbiters));
  const options = {
    vip: {
      ...vipDefaults,
      leaseSeconds: autoSeconds,
      autoLeaseSeconds: autoSeconds,
    },
    nativeVip: context.nativeVip,
    scripts: context.scripts,
  };
  const listed = files.haresources &&
    parseHaResources(files.haresources.text, files.haresources.file, options);
  const groups = listed === null
    ? []
    : groupsOf(listed, nodes, { failback, waitForLease: isGuarded(arbiters) }, places);
  const settings: Settings = {
    cluster: haCf.values.get("cluster")?.value ?? "linux-ha",
    nodes,
    timing,
    udpPort: portOf(haCf.media) ?? context.servicesPort ?? defaults.udpPort,
    media,
    maxRexmitDelayMs: Number(haCf.values.get("max_rexmit_delay")?.value ?? defaults.maxRexmitDelayMs),
    alarmRepeatMs: defaults.alarmRepeatMs,
    messageFormat: "netstring",
    authentication: {
      signWith: keyed?.authKeys.signWith?.value ?? 0,
      keys: keyed?.authKeys.keys.map((key) => key.value) ?? [],
      allowCrc: false,
    },
    groups,
    arbiters,
    pingMembers: pingMembersOf(haCf, context),
    deadPingMs: haCf.times.get("deadping")?.value ?? timing.deadTimeMs,
    takeoverDelayMs: 0,
    takeoverConfirm: false,
    ignoreAnswersFrom: [],
    fencing: null,
    process: {
      ...defaults.processSettings,
      realtime: parseHaBoolean(haCf.values.get("realtime")?.value ?? "on") ?? true,
      realtimePriority: Number(haCf.values.get("rtprio")?.value ?? defaults.realtimePriority),
      logFile: haCf.values.get("logfile")?.value ?? null,
      environment: Object.fromEntries(haCf.environment),
    },
  };
  const problems = [
    ...findings.problems,
    ...keyed?.findings.problems ?? [],
    ...listed?.findings.problems ?? [],
  ];
  return { settings, problems, places, secrets: keyed?.authKeys.secrets ?? [] };
}

function timingOf(haCf: HaCf, findings: Findings, places: Places) {
  for (const [name, { span }] of haCf.times) places.set(["timing", name], findings.place(span));
  const ms = (name: string) => haCf.times.get(name)?.value ?? null;
  const timing = defaults.completeTiming({
    keepaliveMs: ms("keepalive"),
    deadTimeMs: ms("deadtime") ?? defaults.haDeadTimeMs,
    warnTimeMs: ms("warntime"),
    initDeadMs: ms("initdead"),
  });
  const deadping = haCf.times.get("deadping");
  if (deadping !== undefined && deadping.value <= 2 * timing.keepaliveMs) {
    findings.error(deadping.span, "deadping-short", "deadping is not more than twice keepalive", "raise it");
  } else if (deadping !== undefined && deadping.value !== timing.deadTimeMs) {
    findings.note(
      deadping.span,
      "deadping",
      `"deadping" says when a ping node is dead; whether this node is cut off is judged by deadtime`,
    );
  }
  return timing;
}

/** Host names that the loader should resolve before the settings can be made. */
export function hostNamesIn(haCfText: string): string[] {
  const { haCf } = parseHaCf(haCfText, "");
  const named = [
    ...haCf.media.flatMap((medium) => medium.kind === "ucast" ? [medium.peer.value] : []),
    ...haCf.pings.map((ping) => ping.value),
  ];
  return [...new Set(named)].filter((name) =>
    parseAddress(name) === null && /^[A-Za-z0-9_.-]*[A-Za-z][A-Za-z0-9_.-]*$/.test(name)
  );
}

function addressOf(text: string, context: LoadContext): string | null {
  return parseAddress(text)?.text ?? context.hostAddresses.get(text) ?? null;
}

/** All ping nodes together are one arbiter: one answer proves that this node is not cut off. */
function arbitersOf(haCf: HaCf, findings: Findings, places: Places, context: LoadContext): ArbiterSettings[] {
  const targets: string[] = [];
  for (const { value, span } of haCf.pings) {
    const address = addressOf(value, context);
    if (address === null) {
      findings.error(span, "bad-address", `"${value}" cannot be resolved to an address`, "write the address");
    } else if (!targets.includes(address)) targets.push(address);
  }
  const [first] = haCf.pings;
  if (first === undefined) {
    if (haCf.ipfail !== null) {
      const hint = "add ping ADDRESS, the address of a router, or remove ipfail";
      findings.error(haCf.ipfail, "no-ping", "ipfail has no ping node to judge by", hint);
    }
    return [];
  }
  places.set(["arbiters", 0], findings.place(first.span));
  if (haCf.ipfail === null) {
    const message = "ping nodes are watched, but a node that reaches none of them keeps its groups";
    findings.warning(
      first.span,
      "ping-holds",
      message,
      "with ipfail (respawn hacluster …/ipfail) it gives them up",
    );
  } else {
    const message =
      "ipfail is not started: a node that reaches no ping node and no peer gives its groups up by itself";
    findings.note(
      haCf.ipfail,
      "ipfail",
      message,
      "unlike ipfail, the numbers of reachable ping nodes are not compared",
    );
  }
  return targets.length === 0 ? [] : [{
    kind: "ping",
    name: "ping",
    targets,
    onUnreachable: { kind: haCf.ipfail === null ? "hold" : "release" },
  }];
}

/** What cannot be resolved has been told where the arbiter is made of it. */
function pingMembersOf(haCf: HaCf, context: LoadContext): PingMemberSettings[] {
  return haCf.pingMembers.flatMap(({ name, hosts }) => {
    const targets = hosts.map(({ value }) => addressOf(value, context)).filter((address) => address !== null);
    return targets.length === 0 ? [] : [{ name, targets }];
  });
}

function failbackOf(haCf: HaCf, findings: Findings): Failback {
  const written = haCf.values.get("auto_failback");
  const nice = haCf.values.get("nice_failback");
  if (nice !== undefined) {
    findings.warning(
      nice.span,
      "obsolete",
      `"nice_failback" is obsolete and not used`,
      "write auto_failback on or off",
    );
  }
  const value = written?.value.toLowerCase() ?? "legacy";
  if (value === "legacy") {
    const message = written === undefined
      ? `"auto_failback" is not set`
      : `"auto_failback legacy" is obsolete`;
    findings.note(
      written?.span ?? null,
      "legacy-failback",
      `${message}: as on, and beside a Heartbeat daemon its old requests`,
      "write auto_failback on or off, the same on all nodes",
    );
    return { kind: "legacy" };
  }
  return { kind: parseHaBoolean(value) === true ? "on" : "off" };
}

function noteOddities(haCf: HaCf, findings: Findings): void {
  const autojoin = haCf.values.get("autojoin");
  if (autojoin !== undefined && autojoin.value !== "none") {
    const message = `"autojoin ${autojoin.value}" is not possible with haresources`;
    findings.error(
      autojoin.span,
      "not-available",
      message,
      "name all nodes with node, and write autojoin none",
    );
  }
  for (const [name, kept] of [["uuidfrom", "file"], ["hbgenmethod", "file"]] as const) {
    const written = haCf.values.get(name);
    if (written === undefined || written.value === kept) continue;
    findings.note(
      written.span,
      "no-effect",
      `"${name} ${written.value}" is not used: it is always kept in a file`,
    );
  }
  if (haCf.values.get("msgfmt")?.value === "classic") {
    const span = haCf.values.get("msgfmt")!.span;
    findings.note(
      span,
      "no-effect",
      `"msgfmt classic": netstring is sent, as Heartbeat does since cluster-glue 1.0.10; both are read`,
    );
  }
}

function groupsOf(
  listed: ReturnType<typeof parseHaResources>,
  nodes: readonly string[],
  common: Pick<GroupSettings, "failback" | "waitForLease">,
  places: Places,
): GroupSettings[] {
  const { findings } = listed;
  places.set(["groups"], { ...findings.place(null) });
  const groups: GroupSettings[] = [];
  for (const { node, resources, name } of listed.groups) {
    places.set(["groups", name], findings.place(node.span));
    if (!nodes.includes(node.value)) {
      findings.error(
        node.span,
        "unknown-node",
        `"${node.value}" is not one of the nodes of ha.cf`,
        suggestion(node.value, nodes),
      );
    }
    for (const [index, resource] of resources.entries()) {
      places.set(["groups", name, index], findings.place(resource.span));
    }
    groups.push({
      name,
      nodes: [node.value, ...nodes.filter((other) => other !== node.value)],
      ...common,
      resources: resources.map(({ value: { id, spec } }) => ({
        id,
        spec,
        startLimitMs: defaults.startLimitMs,
        stopLimitMs: defaults.stopLimitMs,
        monitorLimitMs: defaults.monitorLimitMs,
      })),
      monitorIntervalMs: defaults.monitorIntervalMs,
      onStopFail: "block",
      retryAfterMs: defaults.retryAfterMs,
    });
  }
  return groups;
}
