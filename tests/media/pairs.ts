/**
 * Two ends of each medium for the conformance suite, on the interface `hb0` of a network namespace (see
 * `namespace.ts`) or on what needs none. Under either runtime.
 */

import { createSocket, type Socket } from "node:dgram";
import { Serial } from "../../lib/media/serial.ts";
import type { MediumSettings } from "../../lib/core/settings.ts";
import type { Medium } from "../../lib/media/medium.ts";
import { createMedia } from "../../lib/media/registry.ts";
import type { MediumConformance, MediumPair } from "./conformance.ts";
import { OWN_ADDRESS } from "./namespace.ts";
import { hasSocat, PseudoLine, textPacket } from "./pseudo_line.ts";

const port = 6940;
const group = "225.0.0.1";
const group6 = "ff12::694";

export const conformances: readonly MediumConformance[] = [
  {
    name: "bcast",
    makePair: () => groupPair({ kind: "bcast", device: "hb0", port }, "10.199.8.255"),
  },
  {
    name: "mcast over IPv4",
    makePair: () => groupPair({ kind: "mcast", device: "hb0", group, port, ttl: 1, loop: true }, group),
  },
  {
    name: "mcast over IPv6",
    makePair: () =>
      groupPair({ kind: "mcast", device: "hb0", group: group6, port, ttl: 1, loop: true }, `${group6}%hb0`),
  },
  { name: "serial", makePair: serialPair, packet: textPacket, ignore: !hasSocat },
  { name: "tcp over IPv4, listening", makePair: () => tcpPair("10.199.8.1", "10.199.8.2") },
  { name: "tcp over IPv4, dialling", makePair: () => tcpPair("10.199.8.2", "10.199.8.1") },
  { name: "tcp over IPv6", makePair: () => tcpPair("fd00:8::1", "fd00:8::2") },
];

export function medium(settings: MediumSettings): Medium {
  return createMedia([settings])[0]!;
}

/** Both ends on one interface: the wire hands each what the other sends, and its own, which it must leave out. */
function groupPair(settings: MediumSettings, to: string): Promise<MediumPair> {
  const make = () => medium(settings);
  return Promise.resolve({
    a: make(),
    b: make(),
    anotherB: make,
    inject: async (packet) => closed(await sentToGroup(packet, to, OWN_ADDRESS)),
    ask: async (packet) => {
      const socket = await sentToGroup(packet, to, OWN_ADDRESS);
      const answer = await new Promise<Uint8Array>((resolve) => socket.once("message", resolve));
      await closed(socket);
      return Uint8Array.from(answer);
    },
  });
}

async function sentToGroup(packet: Uint8Array, to: string, local: string): Promise<Socket> {
  const isSix = to.includes(":");
  const socket = createSocket(isSix ? "udp6" : "udp4");
  await new Promise<void>((resolve) => socket.bind(0, isSix ? "::" : local, () => resolve()));
  if (!isSix) {
    socket.setBroadcast(true);
    socket.setMulticastInterface(local);
  }
  await new Promise<void>((resolve, reject) =>
    socket.send(packet, port, to, (error) => error ? reject(error) : resolve())
  );
  return socket;
}

function closed(socket: Socket): Promise<void> {
  return new Promise<void>((resolve) => void socket.close(() => resolve()));
}

async function serialPair(): Promise<MediumPair> {
  const line = await PseudoLine.open();
  const end = (tty: string) =>
    new Serial({ kind: "serial", tty, baud: 460_800 }, { lockDirectory: line.directory });
  return {
    a: end(line.a),
    b: end(line.b),
    anotherB: () => end(line.b),
    inject: null,
    dispose: () => line.close(),
  };
}

function tcpPair(a: string, b: string): Promise<MediumPair> {
  const end = (local: string, peer: string) => medium({ kind: "tcp", device: "hb0", peer, port, local });
  const makeB = () => end(b, a);
  return Promise.resolve({ a: end(a, b), b: makeB(), anotherB: makeB, inject: null });
}
