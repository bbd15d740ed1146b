/** Settings for simulated clusters, made from a few words; everything else has a sensible value. */

import type {
  ArbiterSettings,
  Failback,
  FencingSettings,
  GroupSettings,
  ResourceSettings,
  Settings,
  Timing,
  UnreachablePolicy,
} from "../core/settings.ts";

export interface GroupOutline {
  readonly name: string;
  readonly nodes?: readonly string[];
  /** In order: a virtual address with its lease in whole seconds (`null`: none), or a script. */
  readonly resources: readonly ({ readonly leaseSeconds: number | null } | "script")[];
  readonly failback?: Failback;
  readonly duplicateCheckMs?: number;
  readonly waitForLease?: boolean;
  readonly retryAfterMs?: number;
  readonly monitorIntervalMs?: number;
  readonly onStopFail?: GroupSettings["onStopFail"];
  readonly operationLimitMs?: number;
}

export interface ClusterOutline {
  readonly nodes: readonly string[];
  /** Number of heartbeat links. */
  readonly links: number;
  readonly timing: Pick<Timing, "keepaliveMs" | "deadTimeMs"> & Partial<Timing>;
  readonly groups: readonly GroupOutline[];
  /** Policy of a ping arbiter; `null`: there is none. */
  readonly arbiter?: UnreachablePolicy | null;
  readonly fencing?: FencingSettings | null;
  readonly pingMembers?: Settings["pingMembers"];
  readonly takeoverDelayMs?: number;
  readonly takeoverConfirm?: boolean;
}

export function clusterSettings(outline: ClusterOutline): Settings {
  const { nodes, timing } = outline;
  const arbiter = outline.arbiter ?? null;
  const arbiters: ArbiterSettings[] = arbiter === null
    ? []
    : [{ kind: "ping", name: "gateway", targets: ["192.0.2.1"], onUnreachable: arbiter }];
  return {
    cluster: "simulated",
    nodes,
    timing: {
      keepaliveMs: timing.keepaliveMs,
      deadTimeMs: timing.deadTimeMs,
      warnTimeMs: timing.warnTimeMs ?? Math.floor(timing.deadTimeMs / 2),
      initDeadMs: timing.initDeadMs ?? 2 * timing.deadTimeMs,
    },
    udpPort: 694,
    media: Array.from({ length: outline.links }, (_, index) => ({
      kind: "ucast" as const,
      device: `hb${index}`,
      peer: "192.0.2.2",
      port: 694,
      local: null,
    })),
    maxRexmitDelayMs: 250,
    alarmRepeatMs: 600_000,
    messageFormat: "netstring",
    authentication: { signWith: 1, keys: [], allowCrc: false },
    groups: outline.groups.map((group, index) => groupSettings(group, nodes, index)),
    arbiters,
    pingMembers: outline.pingMembers ?? [],
    deadPingMs: timing.deadTimeMs,
    takeoverDelayMs: outline.takeoverDelayMs ?? 0,
    takeoverConfirm: outline.takeoverConfirm ?? false,
    ignoreAnswersFrom: [],
    fencing: outline.fencing ?? null,
    process: {
      realtime: false,
      realtimePriority: 1,
      stateDirectory: "",
      controlSocket: "",
      logFile: null,
      journal: null,
      environment: {},
      scriptDirectories: [],
    },
  };
}

function groupSettings(outline: GroupOutline, nodes: readonly string[], number: number): GroupSettings {
  return {
    name: outline.name,
    nodes: outline.nodes ?? nodes,
    failback: outline.failback ?? { kind: "off" },
    resources: outline.resources.map((resource, index) =>
      resourceSettings(outline, resource, 10 * number + index)
    ),
    monitorIntervalMs: outline.monitorIntervalMs ?? 2_000,
    onStopFail: outline.onStopFail ?? "block",
    waitForLease: outline.waitForLease ?? false,
    retryAfterMs: outline.retryAfterMs ?? 3_000,
  };
}

function resourceSettings(
  group: GroupOutline,
  resource: GroupOutline["resources"][number],
  index: number,
): ResourceSettings {
  const limitMs = group.operationLimitMs ?? 500;
  const limits = { startLimitMs: limitMs, stopLimitMs: limitMs, monitorLimitMs: limitMs };
  if (resource === "script") {
    const path = `/sim/${group.name}-${index}`;
    return { id: `exec:${path}`, spec: { kind: "exec", path, args: [] }, ...limits };
  }
  const address = `192.0.2.${100 + index}`;
  return {
    id: `vip:${address}/24`,
    spec: {
      kind: "vip",
      address,
      family: 4,
      prefix: 24,
      device: "service",
      label: null,
      broadcast: null,
      leaseSeconds: resource.leaseSeconds,
      duplicateCheckMs: group.duplicateCheckMs ?? 10,
      announceRefreshMs: 0,
    },
    ...limits,
  };
}
