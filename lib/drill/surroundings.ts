/**
 * The facts about this machine that decide whether and how a drill may run: the link, the peer as a neighbour, the
 * caller's own connections, a second path. Asks; changes nothing.
 */

import { randomBytes } from "node:crypto";
import { suggestion } from "../config/spelling.ts";
import type { MediumSettings } from "../core/settings.ts";
import type { NodeView } from "../core/view.ts";
import { EnvironmentError } from "../errors.ts";
import { monotonicMs } from "../system/clock.ts";
import { EchoSocket } from "../system/icmp.ts";
import { NeighbourSocket } from "../system/neighbour.ts";
import type { LinkInfo, Netlink } from "../system/netlink.ts";
import { addressFamily } from "../system/packets/ip_address.ts";
import { capability, hasCapability } from "../system/privileges.ts";
import type { Facts } from "./guards.ts";
import type { HeartbeatPath } from "./heartbeats.ts";
import type { Scope } from "./plan.ts";
import { type Connection, shellConnections } from "./remote_shell.ts";

/** Too low: a slow or lossy neighbour is not found; too high: the operator waits. */
const neighbourLimitMs = 1_000;
const echoLimitMs = 1_500;
const lookMs = 10;
const askAgainMs = 250;
/** ARP hardware type of a loopback (if_arp.h). */
const loopbackType = 772;

export function requirePermission(): void {
  const missing = ([["netAdmin", "CAP_NET_ADMIN"], ["netRaw", "CAP_NET_RAW"]] as const)
    .filter(([name]) => !hasCapability(capability[name])).map(([, name]) => name);
  if (missing.length === 0) return;
  throw new EnvironmentError(
    `Cannot drill: this process lacks ${missing.join(" and ")}; run it as root, or give it what it lacks`,
    77,
  );
}

export function requireLink(netlink: Netlink, name: string): LinkInfo {
  const links = netlink.links();
  const link = links.find((each) => each.name === name);
  if (link === undefined) {
    const names = links.filter((each) => each.type !== loopbackType).map((each) => each.name);
    throw new EnvironmentError(
      `Cannot cut link "${name}": there is no such interface; ${suggestion(name, names)}`,
    );
  }
  if (link.type === loopbackType) {
    throw new EnvironmentError(
      `Cannot cut link "${name}": it is this machine's loopback; name the interface that leads to the peer`,
    );
  }
  if (!link.isUp || !link.hasCarrier) {
    throw new EnvironmentError(
      `Cannot cut link "${name}": it ${link.isUp ? "has no carrier" : "is down"} already; mend it first`,
    );
  }
  return link;
}

/** The peer's hardware address is asked for: with it all its other addresses are meant too. */
export async function scopeOf(netlink: Netlink, link: LinkInfo, peer: string | null): Promise<Scope> {
  if (peer === null) return { kind: "everything" };
  const device = netlink.deviceForAddress(peer);
  if (device?.name !== link.name) {
    const where = device === null ? "no route leads to it" : `it is reached over ${device.name}`;
    throw new EnvironmentError(
      `Cannot cut ${peer} off on ${link.name}: ${where}; name its address on ${link.name}`,
    );
  }
  const isNeighbour = device.prefixOfLocalSubnet !== null && link.hasNeighbours && link.type === 1;
  const hardware = isNeighbour ? await hardwareOf(link, peer) : null;
  return { kind: "peer", address: peer, family: addressFamily(peer)!, hardware };
}

export async function factsFor(
  netlink: Netlink,
  { link, scope }: { readonly link: LinkInfo; readonly scope: Scope },
  view: NodeView | null,
  drilled: readonly string[],
  otherPath: string | null,
): Promise<Facts> {
  const device = (address: string) => netlink.deviceForAddress(address)?.name ?? null;
  const connections = await Promise.all(
    shellConnections().map(async (connection) => {
      const through = deviceTowards(netlink, link, connection);
      const neighbour = isNeighbourCut(scope) && through === link.name
        ? await neighbourTowards(netlink, link, connection.remote)
        : null;
      return { ...connection, device: through, neighbour };
    }),
  );
  return {
    view,
    connections,
    drilled,
    otherPath: otherPath === null
      ? null
      : { address: otherPath, device: device(otherPath), answers: await answersPing(otherPath) },
  };
}

/**
 * Interface over which a connection comes. A link-local address is on every link: only its zone tells on which, and
 * without one it may be the link that is to be cut.
 */
export function deviceTowards(
  netlink: Netlink,
  link: LinkInfo,
  { remote, zone }: Pick<Connection, "remote" | "zone">,
): string | null {
  if (isLinkLocal(remote)) return zone ?? link.name;
  return netlink.deviceForAddress(remote)?.name ?? null;
}

/** `fe80::/10`, of a canonical text. */
function isLinkLocal(address: string): boolean {
  return /^fe[89ab]/.test(address);
}

/** The media of the settings on the link, without those that lead to this machine itself. */
export function heartbeatPaths(
  netlink: Netlink,
  { link, scope }: { readonly link: LinkInfo; readonly scope: Scope },
  media: readonly MediumSettings[],
): Promise<HeartbeatPath[]> {
  const own = new Set(netlink.addresses().map(({ address }) => address));
  const here = media.filter((medium) => medium.kind !== "serial")
    .filter((medium) => medium.device === link.name && !("peer" in medium && own.has(medium.peer)));
  return Promise.all(here.map(async (medium) => {
    const isAsked = isNeighbourCut(scope) && "peer" in medium;
    return { medium, neighbour: isAsked ? await neighbourTowards(netlink, link, medium.peer) : null };
  }));
}

/** Only then it matters who brings what others send. */
function isNeighbourCut(scope: Scope): boolean {
  return scope.kind === "peer" && scope.hardware !== null;
}

/** Hardware address of the next hop on the link; `null`: it lies elsewhere, or nobody answers for it. */
export async function neighbourTowards(
  netlink: Netlink,
  link: LinkInfo,
  remote: string,
): Promise<string | null> {
  const hop = isLinkLocal(remote) ? { index: link.index, address: remote } : netlink.nextHop(remote);
  return hop === null || hop.index !== link.index ? null : await hardwareOf(link, hop.address);
}

/** `null`: nobody answers for it. */
async function hardwareOf(link: LinkInfo, address: string): Promise<string | null> {
  const socket = NeighbourSocket.open(link, addressFamily(address)!);
  try {
    return await repeat(
      neighbourLimitMs,
      () => socket.ask(address),
      () =>
        socket.poll().find((claim) => claim.address === address && claim.kind !== "probe")?.hardware ?? null,
    );
  } finally {
    socket.close();
  }
}

async function answersPing(address: string): Promise<boolean> {
  const socket = EchoSocket.open(addressFamily(address)!);
  const identifier = randomBytes(2).readUInt16BE();
  let sequence = 0;
  try {
    const ask = () => void socket.send(address, identifier, ++sequence, new Uint8Array(8));
    const reply = await repeat(
      echoLimitMs,
      ask,
      () => socket.poll().find((reply) => reply.identifier === identifier && reply.from === address) ?? null,
    );
    return reply !== null;
  } finally {
    socket.close();
  }
}

/** Asks now and then until there is an answer or the limit has passed. */
async function repeat<Answer>(
  limitMs: number,
  ask: () => void,
  look: () => Answer | null,
): Promise<Answer | null> {
  const endMs = monotonicMs() + limitMs;
  let askAtMs = 0;
  while (monotonicMs() < endMs) {
    if (monotonicMs() >= askAtMs) {
      ask();
      askAtMs = monotonicMs() + askAgainMs;
    }
    const answer = look();
    if (answer !== null) return answer;
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
  return null;
}
