/**
 * Everything a cluster node can want done. The driver carries effects out in order; those with an `id` come back as
 * an `outcome` input, exactly once, in any order.
 */

import type { ClusterEvent } from "./messaging/cluster_events.ts";
import type { Statement } from "../wire/statement.ts";

declare const effectIdBrand: unique symbol;
export type EffectId = number & { readonly [effectIdBrand]: never };

export type Effect =
  | SendEffect
  /** Send a message of ours again, byte by byte as it was, on every medium; one that is not kept any more is left. */
  | { readonly kind: "resend"; readonly sequence: number }
  | RunEffect
  /** Extend the kernel lease of all addresses of the group, at once. Always precedes the heartbeat that tells of it. */
  | { readonly kind: "renew"; readonly group: string }
  /** Take all addresses of the group off this machine, now, before anything else: others may be about to take them. */
  | { readonly kind: "drop"; readonly group: string }
  /** Repeat the announcement of the group's addresses: a rival may have poisoned the neighbours' tables. */
  | { readonly kind: "announce"; readonly group: string }
  /** Ask the service network who has the group's addresses; the question is open for `windowMs`. */
  | { readonly kind: "ask-wire"; readonly id: EffectId; readonly group: string; readonly windowMs: number }
  | { readonly kind: "fence"; readonly id: EffectId; readonly node: string; readonly reason: string }
  /** Keep, across restarts, the highest epoch seen of a group. Durable before the next `run` in the same batch. */
  | { readonly kind: "keep-epoch"; readonly group: string; readonly epoch: number }
  | ReportEffect
  /** An event of the cluster is in its place: add it to the history that is the same on all nodes. */
  | { readonly kind: "event"; readonly event: ClusterEvent }
  /** The answer to the command of this step. */
  | { readonly kind: "answer"; readonly accepted: boolean; readonly message: string }
  /** Everything is handed over or stopped: end the process. */
  | { readonly kind: "exit" }
  | RebootEffect;

/** Reboot this machine, the last resort of `on-stop-fail: reboot`. Where it still runs comes `reboot-failed` back. */
export interface RebootEffect {
  readonly kind: "reboot";
  readonly group: string;
  readonly reason: string;
}

/** Send on every medium. The driver adds src, srcuuid, hg, ts, ld and ttl, and signs. */
export interface SendEffect {
  readonly kind: "send";
  readonly type: string;
  /** Number in our run; `null` for the `NS_` types. */
  readonly sequence: number | null;
  /** Field `dest`: node that it is for; `null`: for everyone. */
  readonly destination: string | null;
  /** String fields in wire order, after `t` and `dest`. */
  readonly fields: ReadonlyArray<readonly [name: string, value: string]>;
  /** Of a heartbeat: written as the last field when it is packed. */
  readonly statement: Statement | null;
}

/** Operate one resource of a group; the outcome is a `ResourceOutcome`. */
export interface RunEffect {
  readonly kind: "run";
  readonly id: EffectId;
  readonly group: string;
  /** Index into `GroupSettings.resources`. */
  readonly resource: number;
  readonly operation: "start" | "stop" | "monitor";
  /** Hard time limit: then its whole process group is killed and the outcome is `unknown`. */
  readonly limitMs: number;
  /** Fencing token, handed to scripts as HEARTLINE_EPOCH. */
  readonly epoch: number;
}

/** Alarms stay active until a `clear` with the same code and subject. */
export type ReportLevel = "info" | "notice" | "warning" | "alarm" | "clear";

/** One sentence for people, with the same facts for machines. */
export interface ReportEffect {
  readonly kind: "report";
  readonly level: ReportLevel;
  /** Stable short name: `node-dead`, `link-lost`, `wire-veto`, `group-started`… */
  readonly code: string;
  /** What was decided or seen, and from which evidence. */
  readonly sentence: string;
  readonly fields: Readonly<Record<string, string | number | boolean>>;
}

/** Only a heartbeat keeps others from taking over: no other message may date our right to an address. */
export function isHeartbeat(effect: Effect): boolean {
  return effect.kind === "send" && effect.type === "status";
}
