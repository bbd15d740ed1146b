/**
 * The language of the control socket: one JSON object a line, a request up, an answer down, matched by `id`.
 * Decides what a well-formed request is, from one line of text alone. Must never throw on what a client sends, and
 * never let a line through whose command is not exactly one of those listed here.
 *
 *     > {"id":1,"request":"status"}
 *     < {"id":1,"schema":1,"ok":true,"ageMs":3,"result":{…NodeView…}}
 *     > {"id":2,"request":"command","command":{"kind":"takeover","groups":["web"]}}
 *     < {"id":2,"schema":1,"ok":true,"ageMs":0,"result":{"accepted":true,"message":"…"}}
 *     > nonsense
 *     < {"id":null,"schema":1,"ok":false,"error":{"code":"malformed","message":"…"}}
 */

import { processSettings } from "../config/defaults.ts";
import type { Command } from "../core/inputs.ts";
import type { NodeView } from "../core/view.ts";
// The limit alone: the messages themselves would bring cryptography into the start of every command.
import { probeNumberMax } from "../wire/limits.ts";
import type { ProbeAnswer, ProbeQuestion } from "../wire/probe_message.ts";
import type { ReportLine } from "./report_line.ts";

/** Raised when a field changes its meaning or goes away; new fields do not raise it. */
export const controlSchema = 1;

/** Where a daemon listens unless its settings say otherwise. */
export const defaultControlSocket = processSettings.controlSocket;

/** Everything a client could exhaust. Generous for people and monitoring, small beside the daemon's memory. */
export const controlLimits = {
  /** Longest request line. Too low: a takeover of many long-named groups fails; too high: memory for strangers. */
  lineBytesMax: 64 * 1024,
  /** Connections at once. Too low: dashboards crowd out the operator; too high: descriptors and memory. */
  clientsMax: 32,
  /** Unread answers of one client, beyond which it is dropped. Must hold a few views of 16 nodes. */
  unreadBytesMax: 1024 * 1024,
  /** Unanswered commands of one client. */
  commandsMax: 8,
  /** A client that is silent in the middle of a line, or idle, or does not read, for this long is dropped. */
  idleMsMax: 30_000,
  watchIntervalMsMin: 100,
  watchIntervalMsMax: 60_000,
  /** How long the answer to a command may take. */
  waitMsMax: 600_000,
  waitMsDefault: 5_000,
  groupsMax: 1024,
  /** How long an answer on a link is waited for, and unanswered questions of one client. */
  probeWaitMsMax: 10_000,
  probesMax: 256,
} as const;

/** `shutdown` is left out on purpose: who may end the daemon is decided by the service manager (SIGTERM). */
export type ControlCommand = Exclude<Command, { kind: "shutdown" }>;

export type ControlRequest =
  | { readonly request: "status" }
  /** `status`, again every `intervalMs` under the same id until the client goes away. */
  | { readonly request: "watch"; readonly intervalMs: number }
  | { readonly request: "command"; readonly command: ControlCommand; readonly waitMs: number }
  /** `cluster`: the events of all nodes, in the order that all agree on. */
  | { readonly request: "history"; readonly scope: HistoryScope }
  /** One question over a link of the daemon; the result is a `ProbeResult`, `null`: no answer within the wait. */
  | {
    readonly request: "probe";
    readonly link: string;
    readonly question: ProbeQuestion;
    readonly waitMs: number;
  };

export type HistoryScope = "node" | "cluster";

export type RequestId = number | string | null;

export type ControlErrorCode = "malformed" | "too-long" | "busy" | "timeout" | "internal";

export type ControlAnswer<Result = unknown> =
  | {
    readonly id: RequestId;
    readonly schema: number;
    readonly ok: true;
    readonly ageMs: number;
    readonly result: Result;
  }
  | {
    readonly id: RequestId;
    readonly schema: number;
    readonly ok: false;
    readonly error: { readonly code: ControlErrorCode; readonly message: string };
  };

/** What came back to a question over a link. */
export interface ProbeResult {
  readonly roundTripMs: number;
  /** `others`: pairs of a path and a count. */
  readonly answer: Omit<ProbeAnswer, "others"> & {
    readonly others: ReadonlyArray<readonly [number, number]>;
  };
}

/** What the daemon says to a command at once; whether the move then succeeds is seen in `status`. */
export interface CommandResult {
  readonly accepted: boolean;
  readonly message: string;
}

/** What the control server needs from the daemon. */
export interface ControlTarget {
  view(): { readonly view: NodeView; readonly ageMs: number };
  command(command: Command): Promise<CommandResult>;
  history(scope: HistoryScope): readonly ReportLine[];
  /** Rejects with a sentence where it is not asked. */
  probe(link: string, question: ProbeQuestion, waitMs: number): Promise<ProbeResult | null>;
}

export type ParsedRequest =
  | { readonly ok: true; readonly id: RequestId; readonly request: ControlRequest }
  | { readonly ok: false; readonly id: RequestId; readonly message: string };

/** Reads one line; never throws. */
export function parseRequest(line: string): ParsedRequest {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return refuse(null, "this line is no JSON; send one JSON object a line");
  }
  if (!isRecord(value)) return refuse(null, "this line is no JSON object");
  const id = typeof value.id === "number" || typeof value.id === "string" ? value.id : null;
  switch (value.request) {
    case "status":
      return { ok: true, id, request: { request: "status" } };
    case "history": {
      const scope = value.scope ?? "node";
      if (scope !== "node" && scope !== "cluster") return refuse(id, `"scope" must be node or cluster`);
      return { ok: true, id, request: { request: "history", scope } };
    }
    case "watch": {
      const { watchIntervalMsMin: min, watchIntervalMsMax: max } = controlLimits;
      const intervalMs = value.intervalMs ?? 1000;
      if (!isWithin(intervalMs, min, max)) {
        return refuse(id, `"intervalMs" must be a number from ${min} to ${max}`);
      }
      return { ok: true, id, request: { request: "watch", intervalMs } };
    }
    case "command": {
      const waitMs = value.waitMs ?? controlLimits.waitMsDefault;
      if (!isWithin(waitMs, 1, controlLimits.waitMsMax)) {
        return refuse(id, `"waitMs" must be a number from 1 to ${controlLimits.waitMsMax}`);
      }
      const command = parseCommand(value.command);
      if (typeof command === "string") return refuse(id, command);
      return { ok: true, id, request: { request: "command", command, waitMs } };
    }
    case "probe": {
      const { link, waitMs } = value;
      if (typeof link !== "string") return refuse(id, `"link" must be the name of a link`);
      if (!isWithin(waitMs, 1, controlLimits.probeWaitMsMax)) {
        return refuse(id, `"waitMs" must be a number from 1 to ${controlLimits.probeWaitMsMax}`);
      }
      const question = parseQuestion(value.question);
      if (typeof question === "string") return refuse(id, question);
      return { ok: true, id, request: { request: "probe", link, question, waitMs } };
    }
    default:
      return refuse(id, `"request" must be one of status, watch, command, history, probe`);
  }
}

function parseQuestion(value: unknown): ProbeQuestion | string {
  if (!isRecord(value)) return `"question" must be an object with "session", "number" and "to"`;
  const { session, number, to } = value;
  if (typeof session !== "string" || !/^[0-9a-f]{16}$/.test(session)) {
    return `"question.session" must be 16 hexadecimal digits`;
  }
  if (!isWithin(number, 0, probeNumberMax) || !Number.isInteger(number)) {
    return `"question.number" must be a whole number from 0 to ${probeNumberMax}`;
  }
  if (to !== null && (typeof to !== "string" || !/^[a-z0-9._-]{1,64}$/.test(to))) {
    return `"question.to" must be null or the name of a node`;
  }
  return { session, number, to };
}

function parseCommand(value: unknown): ControlCommand | string {
  if (!isRecord(value)) return `"command" must be an object with "kind"`;
  switch (value.kind) {
    case "maintenance":
      if (typeof value.on !== "boolean") return `"command.on" must be true or false`;
      return { kind: "maintenance", on: value.on };
    case "takeover":
    case "standby":
    case "release":
    case "rejoin":
    case "confirm": {
      const groups = value.groups ?? [];
      const isNames = Array.isArray(groups) && groups.length <= controlLimits.groupsMax &&
        groups.every((group) => typeof group === "string");
      if (!isNames) {
        return `"command.groups" must be an array of at most ${controlLimits.groupsMax} group names`;
      }
      return { kind: value.kind, groups: [...groups] };
    }
    case "shutdown":
      return `"shutdown" is not taken from the control socket; stop the service, or send SIGTERM`;
    default:
      return `"command.kind" must be one of takeover, standby, release, rejoin, confirm, maintenance`;
  }
}

function refuse(id: RequestId, message: string): ParsedRequest {
  return { ok: false, id, message };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isWithin(value: unknown, min: number, max: number): value is number {
  return typeof value === "number" && value >= min && value <= max;
}
