/**
 * `heartline drill partition`: gathers what is known, refuses what would hurt, runs the rehearsal and reports.
 * Answers the exit code.
 */

import { randomBytes } from "node:crypto";
import { readlinkSync, rmSync } from "node:fs";
import process from "node:process";
import type { Settings } from "../../../lib/core/settings.ts";
import { DaemonWatch, vipsOf } from "../../../lib/drill/daemon_watch.ts";
import { type Facts, type Paths, pathsLeft, refusals } from "../../../lib/drill/guards.ts";
import { type DrillPlan, rulesOf, tableName } from "../../../lib/drill/plan.ts";
import { Rehearsal } from "../../../lib/drill/rehearsal.ts";
import { type HeartbeatLoss, heartbeatLoss } from "../../../lib/drill/heartbeats.ts";
import {
  factsFor,
  heartbeatPaths,
  requireLink,
  requirePermission,
  scopeOf,
} from "../../../lib/drill/surroundings.ts";
import { listDrills, removeDrill } from "../../../lib/drill/tables.ts";
import { judge } from "../../../lib/drill/verdict.ts";
import { AddressWatch } from "../../../lib/drill/watch.ts";
import { EnvironmentError } from "../../../lib/errors.ts";
import { acquireLock } from "../../../lib/system/lock_file.ts";
import { type LinkInfo, Netlink } from "../../../lib/system/netlink.ts";
import { hardwareText } from "../../../lib/system/packets/ip_address.ts";
import { printJson } from "../../control.ts";
import { paintFor } from "../../render/paint.ts";
import type { PartitionRequest } from "./options.ts";
import { DrillScreen, planLines, reportJson, reportLines } from "./report.ts";
import { mediaOf, settingsHere } from "./settings.ts";

/** The plan with what decides whether it may be carried out. */
interface Prepared {
  readonly plan: DrillPlan;
  readonly facts: Facts;
  readonly paths: Paths;
  readonly refused: readonly string[];
  readonly notes: readonly string[];
  readonly daemon: DaemonWatch | null;
  /** What becomes of the heartbeats of our daemon, if there is one. */
  readonly heartbeats: HeartbeatLoss;
  readonly vips: readonly string[];
  /** Hardware addresses whose answers do not count as a holder. */
  readonly ignoredHardware: readonly string[];
}

/** ARP hardware type of Ethernet (if_arp.h). */
const ethernetType = 1;

export async function partition(request: PartitionRequest): Promise<number> {
  if (!request.isDryRun) requirePermission();
  const netlink = Netlink.open();
  const lock = request.isDryRun ? null : lockDrills();
  try {
    const prepared = await prepare(request, netlink);
    const isRefused = prepared.refused.length > 0 && !request.isForced;
    if (request.isDryRun) {
      describe(prepared, request);
      return isRefused ? 1 : 0;
    }
    if (isRefused) {
      for (const reason of prepared.refused) process.stderr.write(`heartline: Cannot drill: ${reason}\n`);
      process.stderr.write("heartline: nothing was done; --force does it all the same\n");
      return 1;
    }
    return await rehearse(prepared, request, netlink);
  } finally {
    lock?.release();
    netlink.close();
  }
}

/** One drill at a time: of two that begin together each would count the other's link as the path that is left. */
function lockDrills(): { release(): void } {
  const namespace = /\d+/.exec(readlinkSync("/proc/self/ns/net"))?.[0] ?? "";
  const path = `/run/heartline-drill-${namespace}.lock`;
  const lock = acquireLock(path);
  if (lock.kind === "acquired") {
    return {
      release() {
        rmSync(path, { force: true });
        lock.release();
      },
    };
  }
  throw new EnvironmentError(
    `Cannot drill: another drill runs on this machine (process ${lock.pid ?? "unknown"}); ` +
      `wait for its end, or "heartline drill undo"`,
  );
}

async function prepare(request: PartitionRequest, netlink: Netlink): Promise<Prepared> {
  const link = requireLink(netlink, request.link);
  const drilled = request.isDryRun
    ? await linksWithDrills().catch(() => []) // who only asks need not be allowed to read the filter
    : await linksOfOtherDrills(request.link);
  const [{ watch: daemon, why }, scope] = await Promise.all([
    DaemonWatch.open(request.socket),
    scopeOf(netlink, link, request.peer),
  ]);
  const plan: DrillPlan = {
    id: randomBytes(3).toString("hex"),
    link: request.link,
    ownHardware: link.type === ethernetType ? hardwareText(link.hardware) : null,
    directions: request.directions,
    scope,
    port: request.port,
    lossPermille: request.lossPermille,
    durationMs: request.durationMs,
  };
  const facts = await factsFor(
    netlink,
    { link, scope },
    daemon?.before ?? null,
    drilled,
    request.otherPath,
  );
  const paths = pathsLeft(plan, facts);
  const found = await settingsHere(request, daemon?.before.node ?? null);
  const ignoredHardware = [...found.settings?.ignoreAnswersFrom ?? [], ...request.ignoredHardware];
  const heartbeats = await heartbeatsOf(plan, link, daemon, found.settings, netlink);
  const vips = request.vips.length > 0 ? request.vips : daemon === null ? [] : vipsOf(daemon.before);
  const notes = [...found.notes, ...notesOn(plan, daemon === null ? why : null, vips, netlink)];
  return {
    plan,
    facts,
    paths,
    refused: refusals(plan, facts, paths),
    notes,
    daemon,
    heartbeats,
    vips,
    ignoredHardware,
  };
}

async function heartbeatsOf(
  plan: DrillPlan,
  link: LinkInfo,
  daemon: DaemonWatch | null,
  settings: Settings | null,
  netlink: Netlink,
): Promise<HeartbeatLoss> {
  if (daemon === null) return { kind: "unknown", why: "no daemon here is watched" };
  const media = mediaOf(daemon.before, settings);
  const paths = media === null ? null : await heartbeatPaths(netlink, { link, scope: plan.scope }, media);
  return heartbeatLoss(plan, daemon.before, paths);
}

/** What the operator should know before the cut. `why`: why no daemon is watched. */
function notesOn(plan: DrillPlan, why: string | null, vips: readonly string[], netlink: Netlink): string[] {
  const { scope, directions } = plan;
  return [
    ...(why !== null ? [`no daemon here is watched: ${why}`] : []),
    ...(vips.length === 0 ? ["no address is watched; name one with --vip"] : []),
    ...vips.filter((vip) => plan.scope.kind === "everything" && deviceOf(netlink, vip) === plan.link)
      .map((vip) =>
        `${plan.link} carries ${vip}: its clients on ${plan.link} are cut off from this machine too`
      ),
    ...(scope.kind === "peer" && scope.hardware !== null && directions.includes("out")
      ? [`broadcasts and multicasts of this machine still reach ${scope.address}`]
      : []),
    ...(plan.ownHardware === null && directions.includes("out")
      ? [
        `${plan.link} is no Ethernet: programs here are told that what they send is dropped, as no cable does`,
      ]
      : []),
    ...(scope.kind === "peer" && scope.hardware === null
      ? [
        `only packets with the address ${scope.address} itself are dropped: its hardware address is not known`,
      ]
      : []),
  ];
}

function deviceOf(netlink: Netlink, address: string): string | null {
  return netlink.deviceForAddress(address)?.name ?? null;
}

async function linksWithDrills(): Promise<string[]> {
  return (await listDrills()).flatMap(({ link }) => link ?? []);
}

/** A second drill on the link is refused. What is left of one whose helper was killed is tidied up on the way. */
async function linksOfOtherDrills(link: string): Promise<string[]> {
  const others: string[] = [];
  for (const drill of await listDrills()) {
    if (!drill.isActive && drill.endsAtUnixSeconds * 1000 < Date.now()) await removeDrill(drill.table);
    else if (drill.link === link) {
      throw new EnvironmentError(
        `Cannot drill: drill ${drill.id} runs on ${link} already; wait for its end, or "heartline drill undo ${drill.id}"`,
      );
    } else if (drill.link !== null) others.push(drill.link);
  }
  return others;
}

/** The last look before the cut: a path that was there when the command began may have died while it watched. */
async function recheck({ plan, daemon, facts }: Prepared): Promise<void> {
  if (facts.otherPath !== null || daemon === null) return;
  const now = { ...facts, view: await daemon.view() };
  const [reason] = refusals(plan, now, pathsLeft(plan, now));
  if (reason !== undefined) throw new EnvironmentError(`Cannot drill: ${reason}; nothing was done`);
}

function describe({ plan, paths, refused, notes, vips }: Prepared, { isJson }: PartitionRequest): void {
  const table = tableName(plan.id, Math.ceil((Date.now() + plan.durationMs) / 1000));
  const rules = rulesOf(plan, table);
  if (isJson) return printJson({ schema: 1, plan, paths, refused, notes, vips, rules });
  for (
    const line of [
      ...planLines(plan, paths, notes, widthOf()),
      ...refused.map((why) => `Refused: ${why}`),
    ]
  ) {
    console.log(line);
  }
  console.log(`\n${rules.trimEnd()}`);
}

async function rehearse(prepared: Prepared, request: PartitionRequest, netlink: Netlink): Promise<number> {
  const { plan, paths, notes, daemon } = prepared;
  const warnings = [...notes, ...prepared.refused.map((why) => `forced although ${why}`)];
  if (!request.isJson) { for (const line of planLines(plan, paths, warnings, widthOf())) console.log(line); }
  const watches = prepared.vips.map((vip) => new AddressWatch(vip, netlink, prepared.ignoredHardware));
  const screen = new DrillScreen(!request.isJson, process.stdout, plan);
  const { signal, stopListening } = untilSignal();
  try {
    const rehearsal = new Rehearsal(
      plan,
      paths,
      watches,
      daemon,
      signal,
      (progress) => screen.show(progress),
      () => request.isForced ? Promise.resolve() : recheck(prepared),
    );
    const { account, how } = await rehearsal.run();
    screen.close();
    const judgement = judge(account, prepared.heartbeats);
    if (request.isJson) printJson(reportJson(account, how, judgement, warnings));
    else {
      const paint = await paintFor(process.stdout);
      const style = { width: process.stdout.columns || 80, paint };
      for (const line of reportLines(account, how, judgement, style)) console.log(line);
    }
    return how === "whole" && judgement.verdict === "passed" ? 0 : 1;
  } finally {
    screen.close();
    stopListening();
    for (const watch of watches) watch.close();
  }
}

function widthOf(): number {
  return process.stdout.columns ?? 80;
}

const endSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Any of them undoes the drill; a closed terminal too. */
function untilSignal(): { readonly signal: AbortSignal; stopListening(): void } {
  const controller = new AbortController();
  const abort = () => controller.abort();
  for (const name of endSignals) process.on(name, abort);
  return {
    signal: controller.signal,
    stopListening: () => endSignals.forEach((name) => process.off(name, abort)),
  };
}
