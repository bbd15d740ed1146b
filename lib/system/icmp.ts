/**
 * ICMP echo from a socket of our own: requests out, replies in, no child process. It never waits and judges nothing:
 * whether a reply belongs to a question that still matters is for the caller, by identifier, sequence and payload.
 */

import { randomBytes } from "node:crypto";
import { unixMs } from "./clock.ts";
import { Errno, SystemError } from "./errno.ts";
import { cString } from "./libc.ts";
import { buildEchoRequest, ipv4Payload, readEchoReply } from "./packets/icmp_echo.ts";
import { addressBytes, type Family } from "./packets/ip_address.ts";
import {
  AF,
  int32,
  internetSocketAddress,
  NativeSocket,
  SO,
  SOCK,
  socketAddressText,
  SOL_SOCKET,
} from "./socket.ts";

export interface EchoReply {
  /** Canonical address of the sender. */
  readonly from: string;
  readonly identifier: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
  /** How long ago the kernel received it, in milliseconds; 0 where it does not tell. */
  readonly waitedMs: number;
}

const protocolIcmp: Record<Family, number> = { 4: 1, 6: 58 };
const repliesPerPollMax = 1024;
/** Nobody leaves a socket alone for longer than this and means what is in it. */
const waitedMsMax = 60_000;
const needsPermission = "run it as root, give it the capability CAP_NET_RAW, " +
  "or let its group use ping sockets (sysctl net.ipv4.ping_group_range)";

export class EchoSocket {
  readonly #socket: NativeSocket;
  readonly #isRaw: boolean;
  #lastIdentifier: number = randomBytes(2).readUInt16BE();

  private constructor(socket: NativeSocket, isRaw: boolean, readonly family: Family) {
    this.#socket = socket;
    this.#isRaw = isRaw;
  }

  /**
   * A raw socket or, where that is not allowed, the kernel's ping socket. `device` ties it to an interface;
   * `isWhole`: requests are never fragmented. Throws a SystemError when neither is allowed.
   */
  static open(family: Family, options: { device?: string; isWhole?: boolean } = {}): EchoSocket {
    const purpose = `open an ICMP socket for IPv${family}`;
    const domain = family === 4 ? AF.INET : AF.INET6;
    let socket: NativeSocket;
    let isRaw = true;
    try {
      socket = NativeSocket.open(domain, SOCK.RAW, protocolIcmp[family], purpose, needsPermission);
    } catch (error) {
      if (!(error instanceof SystemError) || error.exitCode !== 77) throw error;
      socket = NativeSocket.open(domain, SOCK.DGRAM, protocolIcmp[family], purpose, needsPermission);
      isRaw = false;
    }
    try {
      if (isRaw) receiveRepliesOnly(socket, family, purpose);
      if (options.device !== undefined) {
        const tie = `tie an ICMP socket to interface "${options.device}"`;
        socket.setOption(SOL_SOCKET, SO.BINDTODEVICE, cString(options.device), tie);
      }
      if (options.isWhole === true) neverFragment(socket, family, purpose);
    } catch (error) {
      socket.close();
      throw error;
    }
    socket.arrivedUnixMs();
    return new EchoSocket(socket, isRaw, family);
  }

  /**
   * Sends one request. `target` may carry a zone (`fe80::1%eth0`). Answers 0, or the number of the error for which
   * the kernel refused it (no route, no buffer): a request that is lost here is as lost as on the wire.
   */
  send(target: string, identifier: number, sequence: number, payload: Uint8Array): number {
    const bytes = addressBytes(target.split("%")[0]!);
    if (bytes === null || (bytes.length === 4) !== (this.family === 4)) return Errno.EINVAL;
    this.#lastIdentifier = identifier & 0xffff;
    const packet = buildEchoRequest(this.family, { identifier, sequence, payload });
    return this.#socket.trySend(packet, internetSocketAddress(target, 0));
  }

  /** The replies that came since the last call, whoever's they are. */
  poll(): EchoReply[] {
    const replies: EchoReply[] = [];
    for (let count = 0; count < repliesPerPollMax; count++) {
      const received = this.#socket.tryReceive();
      if (received === Errno.EAGAIN) break;
      // Anything else is an error that an earlier request met on its way (unreachable…): no reply.
      if (typeof received === "number") continue;
      const hasHeader = this.#isRaw && this.family === 4;
      const message = hasHeader ? ipv4Payload(received.packet) : received.packet;
      const reply = message === null ? null : readEchoReply(this.family, message);
      if (reply === null) continue;
      // A ping socket puts its own number in and hands out answers to that only.
      const identifier = this.#isRaw ? reply.identifier : this.#lastIdentifier;
      const from = socketAddressText(received.from);
      replies.push({ ...reply, identifier, from, waitedMs: this.#waitedMs() });
    }
    return replies;
  }

  close(): void {
    this.#socket.close();
  }

  /** Of the packet received last. The time of day may have been set meanwhile: what cannot be is not believed. */
  #waitedMs(): number {
    const arrivedMs = this.#socket.arrivedUnixMs();
    const waitedMs = arrivedMs === null ? 0 : unixMs() - arrivedMs;
    return waitedMs >= 0 && waitedMs <= waitedMsMax ? waitedMs : 0;
  }
}

/** Also beyond what the kernel has learned about the path: the answer, or its absence, is what is wanted. */
function neverFragment(socket: NativeSocket, family: Family, purpose: string): void {
  const probe = int32(3); // IP_PMTUDISC_PROBE
  if (family === 4) return socket.setOption(0, 10, probe, purpose); // IP_MTU_DISCOVER
  const levelIpv6 = 41;
  socket.setOption(levelIpv6, 23, probe, purpose); // IPV6_MTU_DISCOVER
  socket.setOption(levelIpv6, 62, int32(1), purpose); // IPV6_DONTFRAG
}

/** Every other ICMP message on this machine would wake us for nothing. A set bit blocks a type. */
function receiveRepliesOnly(socket: NativeSocket, family: Family, purpose: string): void {
  const filterOption = 1;
  if (family === 4) {
    const levelRaw = 255;
    socket.setOption(levelRaw, filterOption, int32(~1), purpose);
    return;
  }
  const filter = new Uint8Array(32).fill(0xff);
  const words = new DataView(filter.buffer);
  const word = 129 >> 5;
  words.setUint32(word * 4, ~(1 << (129 & 31)) >>> 0, true);
  socket.setOption(protocolIcmp[6], filterOption, filter, purpose);
}
