/** What holds where the operator says nothing. Each value with what raising and lowering it costs. */

import type { ProcessSettings, Timing } from "../core/settings.ts";

/** Port of Heartbeat since ever. */
export const udpPort = 694;

/** Lower: more packets and wakes. Higher: the death of a node is noticed later, as deadtime must follow. */
export const keepaliveMs = 1000;

/** heartline.yaml. Lower: a stall of network or host moves groups needlessly. Higher: longer outage. */
export const deadTimeMs = 10_000;

/** ha.cf, as in Heartbeat. */
export const haDeadTimeMs = 30_000;

/** As in Heartbeat. Lower: what is only late is asked for too. Higher: what is lost comes later. */
export const maxRexmitDelayMs = 250;

/** Longest that may be asked for; a lost message would hold up those behind it for longer. */
export const maxRexmitDelayMsMax = 60_000;

/** Lower: an operator learns to overlook it. Higher: a lost backup link is forgotten until the other one fails. */
export const alarmRepeatMs = 600_000;

/** Lower: slow but healthy starts fail. Higher: a hanging start keeps the group down longer. */
export const startLimitMs = 60_000;

/** Lower: a slow stop counts as failed, which blocks the group. Higher: a hanging stop delays the hand-over. */
export const stopLimitMs = 60_000;

/** Lower: a busy service is thought failed. Higher: a hanging one is noticed later. */
export const monitorLimitMs = 20_000;

/** Lower: more processes started by the minute. Higher: a failure is noticed later. */
export const monitorIntervalMs = 10_000;

/** Lower: a broken service flaps between nodes. Higher: a repaired node stays a poor refuge for longer. */
export const retryAfterMs = 60_000;

/** One attempt to fence. Lower: a slow management board counts as dead. Higher: the next device is tried later. */
export const fenceLimitMs = 60_000;
/** Lower: no agent has even started by then. */
export const fenceLimitMsMin = 1_000;
/** Higher: the services stay down for that long before anybody hears why. */
export const fenceLimitMsMax = 600_000;

/** Lower: a device that has just failed is asked again before it can have recovered. Higher: the outage is longer. */
export const fenceRetryMs = 30_000;
export const fenceRetryMsMin = 1_000;

/** SCHED_RR. 1 stands above every ordinary process and below all kernel threads that matter. */
export const realtimePriority = 1;

/** Lower: the beginning of a run, without which nothing can be replayed, is lost sooner. Higher: disk. */
const journalBytesMax = 64 * 1024 * 1024;

export const processSettings: ProcessSettings = {
  realtime: true,
  realtimePriority,
  stateDirectory: "/var/lib/heartline",
  controlSocket: "/run/heartline/heartline.sock",
  logFile: null,
  journal: { file: null, bytesMax: journalBytesMax },
  environment: {},
  scriptDirectories: ["/etc/ha.d/resource.d", "/etc/init.d"],
};

export const nodesMax = 16;

/** Fills in what was not said, as Heartbeat does. */
export function completeTiming(
  given: {
    keepaliveMs?: number | null;
    deadTimeMs: number;
    warnTimeMs?: number | null;
    initDeadMs?: number | null;
  },
): Timing {
  const { deadTimeMs } = given;
  return {
    keepaliveMs: given.keepaliveMs ?? keepaliveMs,
    deadTimeMs,
    warnTimeMs: given.warnTimeMs ?? Math.max(1, Math.floor(deadTimeMs / 2)),
    initDeadMs: given.initDeadMs ?? initDeadMs(deadTimeMs),
  };
}

/** Never below 12 s: a switch may take that long to let packets through after its port comes up. */
function initDeadMs(deadTimeMs: number): number {
  if (deadTimeMs > 10_000) return deadTimeMs;
  return deadTimeMs < 6000 ? 12_000 : 2 * deadTimeMs;
}
