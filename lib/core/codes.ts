/**
 * The short names of everything that the core reports. They are stable: monitoring, scenarios and scripts know them. A
 * name that is not here does not compile.
 */

import type { Command } from "./inputs.ts";

/** Of what is wrong until it is cleared. */
export const alarmCodes = [
  "address-flapping",
  "address-in-use",
  "carrier-lost",
  "confirm",
  "failback-differs",
  "fenced-alive",
  "fencing-failed",
  "foreign-daemon",
  "group-unheld",
  "isolated",
  "link-lost",
  "medium-down",
  "monitor-failed",
  "node-dead",
  "node-missing",
  "not-acknowledged",
  "one-way",
  "ping-dead",
  "reboot-failed",
  "settings-differ",
  "split-brain",
  "start-failed",
  "stop-failed",
  "stray-address",
  "wire-veto",
] as const;

export type AlarmCode = typeof alarmCodes[number];

/** Of what happens and is over. */
const eventCodes = [
  "address-dropped",
  "address-lost",
  "fenced",
  "fencing",
  "goodbye",
  "group-handed-over",
  "group-requested",
  "group-started",
  "group-starting",
  "group-stopped",
  "group-stopping",
  "heartbeat-fenced-us",
  "heartbeat-late",
  "heartbeat-peer",
  "heartbeat-returned",
  "heartbeat-unheard",
  "late-wake",
  "leftover",
  "message-lost",
  "node-heard",
  "node-left",
  "node-restarted",
  "pin-lifted",
  "ping-up",
  "refused",
  "rival-claim",
  "settled",
  "stalled",
  "standby-cancelled",
  "standby-done",
  "standby-ignored",
  "standby-offers",
  "standby-refused",
  "standby-takes",
  "takeover-asked",
  "takeover-asks",
  "takeover-unanswered",
  "unprotected",
] as const;

/** The answer to an operator. */
type CommandCode = `command-${Command["kind"]}`;

const commandCodes: Readonly<Record<CommandCode, true>> = {
  "command-confirm": true,
  "command-maintenance": true,
  "command-rejoin": true,
  "command-release": true,
  "command-shutdown": true,
  "command-standby": true,
  "command-takeover": true,
};

/** An alarm, too, may be told as a mere warning, as of a resource that failed and is restarted at once. */
export type ReportCode = AlarmCode | typeof eventCodes[number] | CommandCode;

export const reportCodes: readonly ReportCode[] = [
  ...alarmCodes,
  ...eventCodes,
  ...Object.keys(commandCodes) as CommandCode[],
];
