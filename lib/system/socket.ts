/**
 * What all our native sockets share: the numbers and structs of the kernel's socket interface, and a small class that
 * owns one descriptor. Every socket is non-blocking and closed on exec. It decides nothing and never waits.
 */

import { Errno, succeed, SystemError } from "./errno.ts";
import { cString, errno, libc } from "./libc.ts";
import { addressBytes, addressText } from "./packets/ip_address.ts";

export const AF = { UNIX: 1, INET: 2, INET6: 10, NETLINK: 16, PACKET: 17 } as const;
export const SOCK = { DGRAM: 2, RAW: 3, NONBLOCK: 0x800, CLOEXEC: 0x80000 } as const;
export const MSG = { TRUNC: 0x20, DONTWAIT: 0x40, NOSIGNAL: 0x4000 } as const;
export const SOL_SOCKET = 1;
export const SO = { TYPE: 3, RCVBUF: 8, BINDTODEVICE: 25, ATTACH_FILTER: 26 } as const;

/** What tells a person how to get a raw socket. */
export const needsNetRaw = "run it as root, or give it the capability CAP_NET_RAW";

/** Largest packet that any of our sockets is ever handed. */
const packetBytesMax = 65536;
/** sockaddr_ll with a hardware address of 32 bytes is the longest address we meet. */
const addressBytesMax = 64;

/** `ioctl` for the arrival time of the last packet (socket(7)), and its struct timeval of two 64-bit numbers. */
const SIOCGSTAMP = 0x8906;
const stampBuffer = new Uint8Array(new ArrayBuffer(16));
const stamp = new DataView(stampBuffer.buffer);

/** One packet in the shared receive buffer: valid until the next `receive` of any socket. */
export interface Received {
  readonly packet: Uint8Array;
  /** The raw sockaddr of the sender. */
  readonly from: Uint8Array;
}

// One buffer for all sockets: a receive is read out before the next one, and JavaScript has one thread.
const packetBuffer = new Uint8Array(new ArrayBuffer(packetBytesMax));
const fromBuffer = new Uint8Array(new ArrayBuffer(addressBytesMax));
const fromLength = new Uint8Array(new ArrayBuffer(4));
const fromLengthValue = new DataView(fromLength.buffer);

/** Owner of one socket descriptor. `purpose` completes "Cannot …" in errors: `open an ARP socket on "eth0"`. */
export class NativeSocket {
  #descriptor: number;

  private constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** Throws a SystemError. */
  static open(domain: number, type: number, protocol: number, purpose: string, next?: string): NativeSocket {
    const descriptor = libc().socket(domain, type | SOCK.NONBLOCK | SOCK.CLOEXEC, protocol);
    return new NativeSocket(succeed(descriptor, purpose, "socket", next));
  }

  get descriptor(): number {
    return this.#descriptor;
  }

  bind(address: Uint8Array, purpose: string, next?: string): void {
    succeed(libc().bind(this.#descriptor, address, address.length), purpose, "bind", next);
  }

  setOption(level: number, name: number, value: Uint8Array, purpose: string, next?: string): void {
    succeed(
      libc().setsockopt(this.#descriptor, level, name, value, value.length),
      purpose,
      "setsockopt",
      next,
    );
  }

  /** Hands a packet to the kernel. Throws a SystemError when it is refused. */
  send(packet: Uint8Array, to: Uint8Array | null, purpose: string): void {
    const result = this.trySend(packet, to);
    if (result !== 0) throw new SystemError(purpose, "sendto", result);
  }

  /** Like `send`, without an exception: 0, or the error number. */
  trySend(packet: Uint8Array, to: Uint8Array | null): number {
    return sendTo(this.#descriptor, packet, to);
  }

  /** The next packet that waits; `null` when there is none. Throws a SystemError for anything else. */
  receive(purpose: string): Received | null {
    const result = this.tryReceive();
    if (typeof result !== "number") return result;
    if (result === Errno.EAGAIN || result === Errno.EINTR) return null;
    throw new SystemError(purpose, "recvfrom", result);
  }

  /** Like `receive`, but an error (EAGAIN: nothing waits) comes back as its number. */
  tryReceive(): Received | number {
    fromLengthValue.setUint32(0, addressBytesMax, true);
    const length = libc().recvfrom(
      this.#descriptor,
      packetBuffer,
      packetBytesMax,
      MSG.DONTWAIT,
      fromBuffer,
      fromLength,
    );
    if (length < 0) return errno();
    return {
      packet: packetBuffer.subarray(0, length),
      from: fromBuffer.subarray(0, Math.min(fromLengthValue.getUint32(0, true), addressBytesMax)),
    };
  }

  /**
   * When the packet that was received last came in, by the kernel: Unix time in milliseconds; `null`: not known. The
   * first call only asks the kernel to note it from now on.
   */
  arrivedUnixMs(): number | null {
    if (libc().ioctl(this.#descriptor, SIOCGSTAMP, stampBuffer) !== 0) return null;
    const [seconds, microseconds] = [stamp.getUint32(0, true), stamp.getUint32(8, true)];
    return seconds * 1000 + microseconds / 1000;
  }

  /** Idempotent: a descriptor number may belong to somebody else by the second call. */
  close(): void {
    if (this.#descriptor < 0) return;
    libc().close(this.#descriptor);
    this.#descriptor = -1;
  }
}

/** Hands a packet to the kernel, which never waits: 0, or the error number. `to` is a struct sockaddr. */
export function sendTo(descriptor: number, packet: Uint8Array, to: Uint8Array | null): number {
  const flags = MSG.DONTWAIT | MSG.NOSIGNAL;
  const sent = libc().sendto(descriptor, packet, packet.length, flags, to, to?.length ?? 0);
  return sent < 0 ? errno() : 0;
}

/** A 32-bit value for `setOption`. */
export function int32(value: number): Uint8Array {
  const bytes = new Uint8Array(new ArrayBuffer(4));
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
}

/** struct sockaddr_in or sockaddr_in6 of an address that may have a zone: `10.0.0.2`, `fe80::1%hb0`. */
export function internetSocketAddress(address: string, port: number): Uint8Array {
  const [plain, zone] = address.split("%") as [string, string?];
  const bytes = addressBytes(plain)!;
  const isFour = bytes.length === 4;
  const result = new Uint8Array(isFour ? 16 : 28);
  const view = new DataView(result.buffer);
  view.setUint16(0, isFour ? AF.INET : AF.INET6, true);
  view.setUint16(2, port, false);
  result.set(bytes, isFour ? 4 : 8);
  if (!isFour && zone !== undefined) view.setUint32(24, libc().if_nametoindex(cString(zone)), true);
  return result;
}

/** The address in a sockaddr_in or sockaddr_in6. */
export function socketAddressText(from: Uint8Array): string {
  return addressText(from[0] === AF.INET ? from.slice(4, 8) : from.slice(8, 24));
}

/** struct sockaddr_ll (packet(7)): protocol is an Ethernet type, hardware the peer's link-layer address. */
export function linkSocketAddress(index: number, protocol: number, hardware: Uint8Array): Uint8Array {
  const result = new Uint8Array(12 + Math.max(8, hardware.length));
  const view = new DataView(result.buffer);
  view.setUint16(0, AF.PACKET, true);
  view.setUint16(2, protocol, false);
  view.setInt32(4, index, true);
  result[11] = hardware.length;
  result.set(hardware, 12);
  return result;
}

/** The sender's link-layer address in a sockaddr_ll. */
export function linkSocketHardware(from: Uint8Array): Uint8Array {
  return from.slice(12, 12 + (from[11] ?? 0));
}
