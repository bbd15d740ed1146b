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
  /** Nodes that are to be fenced, are being fenced, or were fenced and not heard since. */
  readonly fencing: readonly FencingView[];
  /** Pseudo members that are asked by ICMP echo. */
  readonly pings: readonly PingMemberView[];
  readonly alarms: readonly AlarmView[];
  /** What remains unprotected, in plain sentences; empty: nothing known. */
  readonly unprotected: readonly string[];
  /** Filled in by the daemon, for the devices that could fence another node; missing: there is no fencing. */
  readonly fenceDevices?: readonly FenceDeviceView[];
  /** Messages refused, by reason. */
  readonly refused: Readonly<Record<string, number>>;
  /** Filled in by the daemon: what each medium itself has carried, to and from all nodes. */
  readonly traffic?: Readonly<Record<string, TrafficView>>;
}

export interface TrafficView {
  /** With one copy for each peer where a medium sends to each; answers to probes are counted too. */
  readonly sentPackets: number;
  readonly sentBytes: number;
  /** Packets that the medium could not send, or that waited too long. */
  readonly sendErrors: number;
  /** Whoever sent them, refused ones too. */
  readonly receivedPackets: number;
  readonly receivedBytes: number;
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
  /** It has lately told that it hears us; `null`: a Heartbeat daemon, which does not tell. */
  readonly hearsUs: boolean | null;
  /** What a Heartbeat daemon is in the middle of, alone or with this node; `null`: nothing, or not such a daemon. */
  readonly unfinished: string | null;
  readonly links: readonly LinkView[];
  readonly exchange: ExchangeView;
}

/** One (peer, medium) pair. */
export interface LinkView {
  readonly medium: string;
  /** up; late: a heartbeat is overdue; dead: silent for the dead time; one-way: we hear them, they do not hear us. */
  readonly state: "up" | "late" | "dead" | "one-way" | "never";
  readonly heardAgoMs: number | null;
  /** Messages handed to the medium since our start, what was sent again included. */
  readonly sent: number;
  /** Numbered messages that this link has brought. */
  readonly received: number;
  readonly duplicates: number;
  /** Messages that it has not brought, or only when they were sent again. */
  readonly lost: number;
  /** Messages that came after later ones. */
  readonly reordered: number;
  /** Lost messages that it brought when they were sent again. */
  readonly retransmitted: number;
  /** Packets refused on this medium, by reason; of whom they are is not known. */
  readonly refused: Readonly<Record<string, number>>;
  /** Smoothed; good to about a millisecond. `null`: not known, as with a Heartbeat daemon. */
  readonly roundTripMs: number | null;
  /** RFC 3550; good to about a millisecond. */
  readonly jitterMs: number | null;
}

/** Numbered messages to and from one peer, over all links together. */
export interface ExchangeView {
  /** Of its messages those that are missing now. */
  readonly missing: number;
  /** Requests made for its messages. */
  readonly requests: number;
  /** Of its messages those that it could not send again. */
  readonly irretrievable: number;
  /** Of our messages those that were sent again on its request. */
  readonly resent: number;
  /** Of our messages those that it asked for too often to be answered each time: it, or a recording of it, floods. */
  readonly unanswered: number;
  /** Of our messages those that it has not acknowledged; 0 where it does not acknowledge. */
  readonly unacknowledged: number;
}

export interface GroupView {
  readonly group: string;
  /** Who may hold it, most preferred first. */
  readonly nodes: readonly string[];
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

export interface FencingView {
  readonly node: string;
  /** delayed: others go first for a while; failed and unknown: the last attempt, another one follows. */
  readonly state: "delayed" | "under-way" | "failed" | "unknown" | "fenced";
  /** Since the last success. */
  readonly attempts: number;
  readonly sentence: string;
  /** `null`: not since it was last heard. */
  readonly fencedAgoMs: number | null;
}

export interface FenceDeviceView {
  readonly device: string;
  readonly agent: string;
  readonly nodes: readonly string[];
  /** By its last test. silent: it does not tell the power of a node; wrong: what it tells cannot be. */
  readonly state: "untested" | "answers" | "silent" | "wrong";
  readonly reason: string;
  /** What it said of each node: on, off, unknown. */
  readonly power: Readonly<Record<string, string>>;
  readonly testedAgoMs: number | null;
}

export interface PingMemberView {
  readonly name: string;
  readonly targets: readonly string[];
  /** unknown: just started, nothing heard yet. */
  readonly state: "unknown" | "up" | "dead";
  readonly answeredAgoMs: number | null;
}

export interface AlarmView {
  readonly code: string;
  readonly subject: string;
  readonly sentence: string;
  readonly sinceMs: number;
}
