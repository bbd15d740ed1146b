/**
 * Pieces of evidence that are gathered for an explanation only: what this machine's firewall does with heartbeats,
 * which high-availability software runs here, how the bridges treat multicast, whether large packets pass, whether
 * anybody listens at the far end, how the nodes' settings differ. They judge nothing.
 */

import type { Flow } from "./firewall/ruleset.ts";

interface Circumstance {
  readonly subject: string;
  readonly ageMs: number;
}

/** A rule of this machine's firewall that drops some traffic; `subject` is the traffic. */
export interface FirewallDrop extends Circumstance {
  readonly kind: "firewall-drop";
  readonly source: "firewall";
  readonly flow: Flow;
  /** What the traffic is of. */
  readonly traffic: "heartbeats" | "vrrp" | "arp";
  /** `table inet filter, chain input, handle 7` */
  readonly place: string;
  /** The rule as the tool prints it; `null`: the chain's policy. */
  readonly rule: string | null;
  /** What the rule's own counter says; `null`: it has none. */
  readonly packets: number | null;
  /** `possible`: the rule, or one before it, has conditions that could not be judged. */
  readonly certainty: "certain" | "possible";
  /** Command that lets the traffic pass. */
  readonly remedy: string;
}

/** High-availability software that runs on this machine; `subject` is `this machine`. */
export interface LocalSoftware extends Circumstance {
  readonly kind: "software";
  readonly source: "processes";
  readonly processes: ReadonlyArray<{
    readonly name: string;
    readonly pid: number;
    /** It stands still: stopped by a signal, or traced. */
    readonly isStopped: boolean;
  }>;
}

/** A bridge of this machine; `subject` is its name. */
export interface BridgeState extends Circumstance {
  readonly kind: "bridge";
  readonly source: "bridges";
  /** Forwards multicast only to where it was asked for. */
  readonly isSnooping: boolean;
  /** Asks for members itself: without any querier they are forgotten. */
  readonly isQuerier: boolean;
  /** Ports that unknown multicast is not forwarded to. */
  readonly portsWithoutMulticast: readonly string[];
}

/** Whether packets as large as the interface allows pass unfragmented; `subject` is the address. */
export interface PacketSizes extends Circumstance {
  readonly kind: "packet-sizes";
  readonly source: "packet-sizes";
  readonly device: string;
  readonly mtu: number;
  readonly smallAnswers: number;
  readonly largeAnswers: number;
  readonly questions: number;
  /** Largest IP packet that came through; `null`: none did. */
  readonly bytesPassed: number | null;
}

/** Whether anybody listens for heartbeats at an address; `subject` is `10.0.0.1, UDP port 694`. */
export interface Knock extends Circumstance {
  readonly kind: "knock";
  readonly source: "sniffer";
  readonly address: string;
  readonly traffic: "heartbeats" | "vrrp";
  /** closed: its kernel said that nobody listens. Silence is no proof of anything. */
  readonly outcome: "closed" | "silent";
}

/** A setting that differs between the nodes; `subject` is its name. */
export interface SettingDifference extends Circumstance {
  readonly kind: "setting";
  readonly source: "compare";
  readonly here: string;
  readonly there: string;
}

export type CircumstancePiece =
  | FirewallDrop
  | LocalSoftware
  | BridgeState
  | PacketSizes
  | Knock
  | SettingDifference;
