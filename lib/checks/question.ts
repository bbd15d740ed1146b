/**
 * What a check is about: the addresses, the nodes that may hold them, and how they can be reached. Made from flags or
 * from a configuration; every source and the verdict read it. It holds no answer.
 */

import type { Authentication, SerialBaud } from "../core/settings.ts";
import type { SettingDifference } from "./circumstances.ts";

/**
 * What this machine is for the addresses. `standby`: it should not have them; `primary`: it should; `either`: a pair
 * without failback, whoever has them is right; `observer`: a third machine.
 */
export const roles = ["standby", "primary", "either", "observer"] as const;
export type Role = typeof roles[number];

export interface CheckQuestion {
  readonly role: Role;
  readonly vips: readonly CheckedVip[];
  /** The nodes other than this machine. */
  readonly nodes: readonly CheckedNode[];
  /** What the node that should hold the addresses offers; asked at that node's own addresses. */
  readonly services: readonly CheckedService[];
  readonly links: readonly CheckedLink[];
  /** Of a Heartline daemon on this machine; `null`: do not ask one. */
  readonly controlSocket: string | null;
  /** To check heartbeats that are heard; `null`: take them as they come. */
  readonly authentication: Authentication | null;
  /** Hardware addresses that hold nothing, as `02:00:5e:00:00:01`: a router with proxy ARP. */
  readonly ignoredHardware: readonly string[];
  /** How long the network is listened to and asked; 0: only what this machine itself knows. */
  readonly windowMs: number;
  /** What explains a verdict is looked for too: firewall, processes, bridges, packet sizes. */
  readonly isExplained?: boolean;
  /** How long what this machine itself must tell is awaited, where that is longer than the window. */
  readonly localMs?: number;
  /** How this node's settings differ from those of the other one, where both were read. */
  readonly differences?: readonly SettingDifference[];
}

export interface CheckedVip {
  /** Canonical text. */
  readonly address: string;
  readonly family: 4 | 6;
  /** `null`: the interface whose subnet holds it. */
  readonly device: string | null;
  /** Group of a Heartline cluster that it belongs to, where that is known. */
  readonly group: string | null;
  /** VRRP virtual router that it belongs to, where that is known. */
  readonly virtualRouter: number | null;
  /** Where the addresses of one check belong to different nodes: what holds for this one. */
  readonly own?: { readonly role: Role; readonly primary: string };
  /** VRRP elects the holder, and nothing that is known here says who is preferred. */
  readonly isElected?: boolean;
}

export interface CheckedNode {
  /** As configured; `primary` or `standby` where only addresses are known. */
  readonly name: string;
  readonly role: "primary" | "standby";
  /** Its own addresses, canonical, on whatever link. */
  readonly addresses: readonly string[];
}

export type CheckedService =
  /** `address` `null`: at every address of the node. */
  | { readonly kind: "tcp"; readonly address: string | null; readonly port: number }
  | { readonly kind: "http"; readonly url: string; readonly statusMin: number; readonly statusMax: number };

/** A path between this machine and another node, apart from the one that the addresses are on. */
export type CheckedLink =
  /** `peer` `null`: not known, or everybody (broadcast, multicast). `port` `null`: no heartbeats expected. */
  | {
    readonly kind: "network";
    readonly device: string;
    readonly peer: string | null;
    readonly group: string | null;
    readonly port: number | null;
  }
  | { readonly kind: "serial"; readonly tty: string; readonly baud: SerialBaud };

export function serviceText(service: CheckedService): string {
  return service.kind === "http" ? service.url : `tcp:${at(service.address)}${service.port}`;
}

function at(address: string | null): string {
  return address === null ? "" : address.includes(":") ? `[${address}]:` : `${address}:`;
}
