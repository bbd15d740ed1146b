/**
 * Ties a socket of node:dgram to one network interface, which its own interface does not offer: what arrives on
 * another interface is not received, whatever its address, and what is sent leaves by this one. The descriptor is
 * found among the process's own by the address that the socket was bound to.
 */

import { readdirSync, readlinkSync } from "node:fs";
import { EnvironmentError } from "../errors.ts";
import { succeed } from "./errno.ts";
import { cString, libc } from "./libc.ts";
import { AF, int32, SO, socketAddressText, SOL_SOCKET } from "./socket.ts";

/**
 * All sockets of this process by the kernel's name for each, to tell a new one from them. Numbers of descriptors do
 * not do: one that is being closed at this moment gives its number to the next socket.
 */
export function ownSockets(): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const name of readdirSync("/proc/self/fd")) {
    try {
      const target = readlinkSync(`/proc/self/fd/${name}`);
      if (target.startsWith("socket:")) found.set(target, Number(name));
    } catch {
      // Closed since, as the directory's own descriptor.
    }
  }
  return found;
}

export interface BoundSocket {
  /** Canonical, without a scope. */
  readonly address: string;
  readonly port: number;
}

/**
 * Answers the descriptor. `earlier`: the sockets from before this one was made. Throws an environment error when the
 * kernel refuses, or when the socket is not found, which no supported runtime should ever let happen.
 */
export function bindToDevice(
  bound: BoundSocket,
  device: string,
  earlier: ReadonlyMap<string, number>,
): number {
  const purpose = `tie UDP ${bound.address} port ${bound.port} to interface "${device}"`;
  const descriptor = [...ownSockets()].find(([name, each]) => !earlier.has(name) && isBoundTo(each, bound))
    ?.[1];
  if (descriptor === undefined) {
    throw new EnvironmentError(`Cannot ${purpose}: its descriptor is not found`, 69);
  }
  const name = cString(device);
  succeed(
    libc().setsockopt(descriptor, SOL_SOCKET, SO.BINDTODEVICE, name, name.length),
    purpose,
    "setsockopt",
    "run it as root, or give it the capability CAP_NET_RAW",
  );
  return descriptor;
}

/** Level, and the options for TTL (hops) and loop. */
const multicastOptions = { 4: [0, 33, 34], 6: [41, 18, 19] } as const;

/** Of packets that the socket sends to a group. Not by node:dgram: Deno 2.9.6 leaves those of IPv6 as they were. */
export function setMulticast(descriptor: number, family: 4 | 6, ttl: number, loop: boolean): void {
  const [level, ttlOption, loopOption] = multicastOptions[family];
  for (const [option, value] of [[ttlOption, ttl], [loopOption, loop ? 1 : 0]] as const) {
    const bytes = int32(value);
    succeed(
      libc().setsockopt(descriptor, level, option, bytes, bytes.length),
      "set up a multicast socket",
      "setsockopt",
    );
  }
}

const addressBytesMax = 28;

function isBoundTo(descriptor: number, { address, port }: BoundSocket): boolean {
  const name = new Uint8Array(new ArrayBuffer(addressBytesMax));
  const length = new Uint8Array(new ArrayBuffer(4));
  new DataView(length.buffer).setUint32(0, addressBytesMax, true);
  if (libc().getsockname(descriptor, name, length) !== 0) return false;
  const view = new DataView(name.buffer);
  const family = view.getUint16(0, true);
  return (family === AF.INET || family === AF.INET6) && view.getUint16(2, false) === port &&
    socketAddressText(name) === address;
}
