/** Questions and pieces of evidence for tests: what matters is given, the rest is ordinary. */

import type { Evidence, NeighbourHolder, ServiceAnswer } from "../../lib/checks/evidence.ts";
import type { CheckQuestion, Role } from "../../lib/checks/question.ts";
import type { NodeView } from "../../lib/core/view.ts";

export const VIP = "10.0.0.9";
export const PRIMARY = "10.0.0.1";
export const STANDBY = "10.0.0.2";
export const primaryHardware = "02:00:00:00:00:01";
export const standbyHardware = "02:00:00:00:00:02";
export const strangerHardware = "02:00:00:00:00:99";

/** As seen from a machine with this role: the other nodes are known by one address each. */
export function question(role: Role, more: Partial<CheckQuestion> = {}): CheckQuestion {
  const nodes = [
    { name: "node1", role: "primary", addresses: [PRIMARY] } as const,
    { name: "node2", role: "standby", addresses: [STANDBY] } as const,
  ];
  const isSelf = (name: string) =>
    (role === "primary" ? "node1" : role === "observer" ? "" : "node2") === name;
  return {
    role,
    vips: [{ address: VIP, family: 4, device: "eth0", group: null, virtualRouter: null }],
    nodes: nodes.filter((node) => !isSelf(node.name)),
    services: [],
    links: [],
    controlSocket: null,
    authentication: null,
    ignoredHardware: [],
    windowMs: 1000,
    ...more,
  };
}

export function own(isHere: boolean, wasHere = isHere): Evidence {
  const device = "eth0";
  return {
    kind: "own-address",
    source: "host",
    subject: VIP,
    ageMs: 0,
    wasHere,
    isHere,
    device,
    validSeconds: null,
  };
}

type Heard = string | readonly [hardware: string, firstRound: number, lastRound: number];

/** Who answered for an address; by default throughout the window. */
export function answers(address: string, heard: readonly Heard[], questions = 16): Evidence {
  const holders = heard.map((one): NeighbourHolder => {
    const [hardware, firstRound, lastRound] = typeof one === "string" ? [one, 1, questions] as const : one;
    return { hardware, answers: lastRound - firstRound + 1, firstRound, lastRound };
  });
  return {
    kind: "neighbour",
    source: "neighbours",
    subject: address,
    ageMs: 0,
    device: "eth0",
    questions,
    holders,
  };
}

export function echo(address: string, received: number, sent = 16): Evidence {
  const roundTripMs = received > 0 ? 0.2 : null;
  return { kind: "echo", source: "echo", subject: address, ageMs: 0, sent, received, roundTripMs };
}

/** A service of the primary, unless other addresses are given that the name in its URL stands for. */
export function service(
  outcome: ServiceAnswer["outcome"],
  resolved: readonly string[] | null = null,
): Evidence {
  return {
    kind: "service",
    source: "services",
    subject: `tcp:${PRIMARY}:80`,
    ageMs: 0,
    service: { kind: "tcp", address: PRIMARY, port: 80 },
    address: resolved === null ? PRIMARY : null,
    resolved: resolved ?? [],
    outcome,
    detail: outcome,
    attempts: 1,
    tookMs: 1,
  };
}

export function device(hasCarrier: boolean, name = "eth0"): Evidence {
  const hardware = standbyHardware;
  return {
    kind: "interface",
    source: "host",
    subject: name,
    ageMs: 0,
    exists: true,
    isUp: true,
    hasCarrier,
    mtu: 1500,
    hardware,
    addresses: [],
  };
}

/** The daemon of one node speaks: who holds the group of the address, and whether it hears the other. */
export function daemon(
  holders: readonly string[],
  peerState: "alive" | "down" | "left" | "init",
  here: "node1" | "node2" = "node2",
): Evidence {
  const state = holders.includes(here) ? "running" : "stopped";
  const view = {
    node: here,
    alarms: [],
    groups: [{ group: "web", state, holders, resources: [{ id: `IPaddr2::${VIP}/24/eth0` }] }],
    peers: [{ node: here === "node1" ? "node2" : "node1", state: peerState, links: [] }],
  } as unknown as NodeView;
  return { kind: "daemon", source: "daemon", subject: "/run/socket", ageMs: 5, view };
}

/** A master of virtual router 51 for the address, heard `count` times, a second apart, `ageMs` ago at last. */
export function vrrp(from: string, direction: "in" | "out", count: number, ageMs: number): Evidence {
  return {
    ...{ kind: "vrrp", source: "sniffer", subject: "router 51", device: "eth0", version: 2, family: 4 },
    ...{ routerId: 51, priority: 100, intervalMs: 1000, addresses: [VIP], authentication: "none" },
    ...{ secretMark: null, checksum: "plain", isUnicast: false, hops: 255 },
    ...{ from, direction, count, ageMs },
  } as Evidence;
}
