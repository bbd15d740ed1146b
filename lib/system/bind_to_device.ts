/**
 * Options that node:dgram does not offer for the sockets it makes: the one interface whose packets a socket receives,
 * whatever their address, and by which it sends; and those of multicast.
 */

import { succeed } from "./errno.ts";
import { cString, libc } from "./libc.ts";
import { int32, SO, SOL_SOCKET } from "./socket.ts";

/** Throws a SystemError when the kernel refuses. */
export function bindToDevice(descriptor: number, device: string): void {
  const name = cString(device);
  succeed(
    libc().setsockopt(descriptor, SOL_SOCKET, SO.BINDTODEVICE, name, name.length),
    `tie a UDP socket to interface "${device}"`,
    "setsockopt",
    "run it as root, or give it the capability CAP_NET_RAW",
  );
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
