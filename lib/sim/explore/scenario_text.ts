/**
 * Writes a plan of faults as a scenario file that `heartline simulate run` plays (`scenario/actions.ts` reads it). Times
 * are whole milliseconds there, so a plan whose violation hangs on a fraction of one may not show it again.
 */

import { stringify } from "yaml";
import { formatDuration } from "../../config/durations.ts";
import { type FencingSettings, linkName, type ResourceSettings, type Settings } from "../../core/settings.ts";
import type { Fault, PlannedFault } from "../faults.ts";
import type { LinkQuality } from "../link_quality.ts";
import { goodScript } from "../scripts.ts";
import type { ArbiterSegment } from "../service_network.ts";

export interface ScenarioOutline {
  readonly about: string;
  readonly seed: number;
  readonly durationMs: number;
  readonly settings: Settings;
  /** Path of the configuration; `null`: a simulated cluster, whose configuration is written into the file. */
  readonly config: string | null;
  readonly startAtMs: Readonly<Record<string, number>>;
  readonly faults: readonly PlannedFault[];
  readonly expectations: readonly string[];
}

export function scenarioText(outline: ScenarioOutline): string {
  const { settings, startAtMs, faults } = outline;
  const isSpread = Object.values(startAtMs).some((atMs) => atMs !== 0);
  const start = Object.entries(startAtMs).map(([node, atMs]) => [node, time(atMs)]);
  return stringify({
    ...(outline.about !== "" && { about: outline.about }),
    seed: outline.seed,
    duration: time(Math.ceil(outline.durationMs)),
    config: outline.config ?? configOf(settings),
    ...(isSpread && { start: Object.fromEntries(start) }),
    events: [...faults].sort((a, b) => a.atMs - b.atMs)
      .map(({ atMs, fault }) => ({ at: time(atMs), ...eventOf(fault, settings) })),
    ...(outline.expectations.length > 0 && { expect: outline.expectations }),
  }, { lineWidth: 110, flowCollectionPadding: true });
}

function time(ms: number): string {
  return formatDuration(Math.round(ms));
}

function share(rate: number): string {
  return `${Number((100 * rate).toFixed(3))}%`;
}

/** The word for a fault, with its value. */
function eventOf(fault: Fault, settings: Settings): Record<string, unknown> {
  switch (fault.kind) {
    case "link":
      return linkEvent(pathsOf(fault), fault.quality);
    case "restore-link":
      return { heal: pathsOf(fault) };
    case "heal-links":
      return { heal: "all" };
    case "heal-service":
      return { heal: "service" };
    case "heal-scripts":
      return { heal: "scripts" };
    case "segment":
      return { "service-network": { [fault.node]: segmentName(fault.segment) } };
    case "service-loss":
      return { "service-loss": share(fault.lossRate) };
    case "arbiter-segment":
      return { arbiter: segmentName(fault.segment) };
    case "arbiter-quality":
      return {
        arbiter: { latency: time(fault.quality.latencyMs), loss: share(fault.quality.lossRate) },
      };
    case "kill":
      return { crash: fault.node };
    case "start":
    case "pause":
    case "resume":
    case "freeze":
    case "thaw":
    case "power-off":
    case "power-on":
    case "blind":
      return { [fault.kind]: fault.node };
    case "command":
      return { operator: { [fault.node]: commandInWords(fault.command) } };
    case "script":
      return { script: scriptValue(fault, settings) };
    case "fence-device": {
      const { result, takesMs } = fault.behaviour ?? { result: "works", takesMs: null };
      return {
        fencing: { device: fault.devices, result, ...(takesMs !== null && { takes: time(takesMs) }) },
      };
    }
    case "management":
      return fault.isCut
        ? { "cut-management": { from: fault.nodes, to: fault.devices } }
        : { heal: "fencing" };
    case "heal-fencing":
      return { heal: "fencing" };
    case "reboots":
      return {
        reboots: {
          node: fault.node,
          result: fault.behaviour.isVain ? "fails" : "works",
          takes: time(fault.behaviour.afterMs),
        },
      };
    case "clock":
      return { clock: { [fault.node]: `${fault.byMs < 0 ? "-" : ""}${time(Math.abs(fault.byMs))}` } };
    case "remove-address":
      return { "remove-address": { node: fault.node, group: fault.group } };
    case "replay":
      return { replay: { to: fault.to, age: share(fault.age) } };
  }
}

type Paths = { readonly from: string | null; readonly medium: string | null; readonly to: string | null };

function pathsOf({ from, medium, to }: Paths): Record<string, string> | "all" {
  if (from === null && medium === null && to === null) return "all";
  return {
    ...(medium !== null && { link: medium }),
    ...(from !== null && { from }),
    ...(to !== null && { to }),
  };
}

function linkEvent(
  paths: Record<string, string> | "all",
  quality: Partial<LinkQuality>,
): Record<string, unknown> {
  const { isCut, latencyMs, jitterMs, lossRate, copyRate } = quality;
  if (isCut !== undefined) return isCut ? { cut: paths } : { heal: paths };
  return {
    degrade: {
      ...(paths === "all" ? {} : paths),
      ...(latencyMs !== undefined && { latency: time(latencyMs) }),
      ...(jitterMs !== undefined && { jitter: time(jitterMs) }),
      ...(lossRate !== undefined && { loss: share(lossRate) }),
      ...(copyRate !== undefined && { duplicate: share(copyRate) }),
    },
  };
}

function segmentName(segment: ArbiterSegment): string {
  if (typeof segment === "string") return segment;
  return segment === null ? "none" : segment === 0 ? "main" : `part${segment}`;
}

function commandInWords(command: Extract<Fault, { kind: "command" }>["command"]): string {
  if (command.kind === "maintenance") return `maintenance ${command.on ? "on" : "off"}`;
  return [command.kind, ..."groups" in command ? command.groups : []].join(" ");
}

function scriptValue(
  { node, group, resource, behaviour }: Extract<Fault, { kind: "script" }>,
  settings: Settings,
): Record<string, string> {
  const id = settings.groups.find(({ name }) => name === group)!.resources[resource]!.id;
  const value: Record<string, string> = { node, group, resource: id };
  for (const operation of ["start", "stop", "monitor"] as const) {
    const ms = behaviour[`${operation}Ms`];
    if (behaviour.fails.includes(operation)) value[operation] = "fails";
    else if (behaviour.hangs.includes(operation)) value[operation] = "hangs";
    else if (ms !== goodScript[`${operation}Ms`]) value[operation] = time(ms);
  }
  return value;
}

/** A simulated cluster (`cluster_settings.ts`) as a heartline.yaml would say it. */
function configOf(settings: Settings): Record<string, unknown> {
  const { nodes, timing, media, arbiters } = settings;
  return {
    nodes,
    keepalive: time(timing.keepaliveMs),
    deadtime: time(timing.deadTimeMs),
    warntime: time(timing.warnTimeMs),
    initdead: time(timing.initDeadMs),
    links: media.map((medium) => ({ bcast: { dev: linkName(medium) } })),
    groups: Object.fromEntries(settings.groups.map((group) => [group.name, {
      nodes: group.nodes,
      failback: group.failback.kind === "after" ? { after: time(group.failback.ms) } : group.failback.kind,
      "monitor-interval": time(group.monitorIntervalMs),
      "on-stop-fail": group.onStopFail,
      "wait-for-lease": group.waitForLease,
      "retry-after": time(group.retryAfterMs),
      resources: group.resources.map(resourceOf),
    }])),
    ...(arbiters.length > 0 && {
      arbiters: arbiters.map(({ name, targets, onUnreachable }) => ({
        ping: targets,
        name,
        "on-unreachable": onUnreachable.kind === "hold-for"
          ? { "hold-for": time(onUnreachable.ms) }
          : onUnreachable.kind,
      })),
    }),
    ...(settings.fencing !== null && { fencing: fencingOf(settings.fencing) }),
    ...(settings.takeoverDelayMs > 0 && { takeover: { delay: time(settings.takeoverDelayMs) } }),
  };
}

function fencingOf({ action, retryMs, delayMs, devices }: FencingSettings): Record<string, unknown> {
  return {
    action,
    retry: time(retryMs),
    delay: Object.fromEntries(Object.entries(delayMs).map(([node, ms]) => [node, time(ms)])),
    devices: devices.map(({ name, agent, ports, options, limitMs }) => ({
      name,
      agent,
      nodes: Object.values(ports).every((port) => port === null) ? Object.keys(ports) : ports,
      limit: time(limitMs),
      ...(Object.keys(options).length > 0 && { options }),
    })),
  };
}

function resourceOf(resource: ResourceSettings): Record<string, unknown> {
  const { spec } = resource;
  const limits = {
    "start-limit": time(resource.startLimitMs),
    "stop-limit": time(resource.stopLimitMs),
    "monitor-limit": time(resource.monitorLimitMs),
  };
  if (spec.kind !== "vip") return { exec: spec.kind === "exec" ? spec.path : resource.id, ...limits };
  return {
    vip: `${spec.address}/${spec.prefix}`,
    dev: spec.device,
    lease: spec.leaseSeconds === null ? "off" : `${spec.leaseSeconds}s`,
    "duplicate-check": time(spec.duplicateCheckMs),
    "announce-refresh": "0s",
    ...limits,
  };
}
