/**
 * A plain snapshot of a cluster node, for `status`, metrics and tests. All ages are milliseconds at the moment the
 * snapshot was taken. Taking it changes nothing.
 */

import type { Outcome } from "./inputs.ts";
import type { GroupState, Statement } from "../wire/statement.ts";

export interface NodeView {
  readonly node: string;
  readonly version: string;
  readonly generation: number;
  readonly phase: Statement["phase"];
  readonly uptimeMs: number;
  readonly cluster: string;
  readonly settingsHash: string;
  readonly timing: { readonly keepaliveMs: number; readonly deadTimeMs: number };
  /** The node that alone sends cluster-wide alarms; decides no placement. */
  readonly coordinator: string;
  readonly maintenance: boolean;
  /** No arbiter, and not every other node, has been reached in time; `null`: no arbiter is configured. */
  readonly isolated: boolean | null;
  readonly peers: readonly PeerView[];
  readonly groups: readonly GroupView[];
  readonly arbiters: readonly ArbiterView[];
  readonly alarms: readonly AlarmView[];
  /** What remains unprotected, in plain sentences; empty: nothing known. */
  readonly unprotected: readonly string[];
  /** Messages refused, by reason. */
  readonly refused: Readonly<Record<string, number>>;
}

export interface PeerView {
  readonly node: string;
  /** down: out of view; init: heard, not settled; alive: an ordinary member; left: said goodbye. */
  readonly state: "down" | "init" | "alive" | "left";
  /** Since the last heartbeat, `null`: never heard. */
  readonly heardAgoMs: number | null;
  readonly deadTimeMs: number;
  /** `null`: not a Heartline node, or never heard. */
  readonly version: string | null;
  /** Its settings differ from ours where they must agree. */
  readonly settingsDiffer: boolean;
  /** It has lately told that it hears us. */
  readonly hearsUs: boolean;
  readonly links: readonly LinkView[];
}

/** One (peer, medium) pair. */
export interface LinkView {
  readonly medium: string;
  /** up; late: a heartbeat is overdue; dead: silent for the dead time; one-way: we hear them, they do not hear us. */
  readonly state: "up" | "late" | "dead" | "one-way" | "never";
  readonly heardAgoMs: number | null;
  readonly received: number;
  readonly duplicates: number;
  readonly lost: number;
}

export interface GroupView {
  readonly group: string;
  readonly state: GroupState;
  readonly epoch: number;
  /** Holders by the latest statements, own included. More than one is split brain. */
  readonly holders: readonly string[];
  /** Where the group belongs by the present view; `null`: nowhere. */
  readonly placedOn: string | null;
  /** Why the state is what it is: the last decision, or what is being waited for. */
  readonly reason: string;
  /** Steps of a takeover that is under way, e.g. `suspect`, `delay`, `ask the wire`; empty: none. */
  readonly pending: readonly string[];
  readonly pinnedTo: string | null;
  readonly able: boolean;
  /** Gap of the last planned move as measured here, `null`: none yet. */
  readonly lastGapMs: number | null;
  readonly resources: readonly ResourceView[];
}

export interface ResourceView {
  readonly id: string;
  readonly kind: string;
  readonly state: "stopped" | "starting" | "running" | "stopping" | "failed" | "unknown";
  readonly last: Extract<Outcome, { kind: "resource" }> | null;
}

export interface ArbiterView {
  readonly name: string;
  readonly policy: string;
  readonly answeredAgoMs: number | null;
  readonly reachable: boolean;
}

export interface AlarmView {
  readonly code: string;
  readonly subject: string;
  readonly sentence: string;
  readonly sinceMs: number;
}
