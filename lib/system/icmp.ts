/**
 * ICMP echo from a socket of our own: requests out, replies in, no child process. It never waits and judges nothing:
 * whether a reply belongs to a question that still matters is for the caller, by identifier, sequence and payload.
 */

import { randomBytes } from "node:crypto";
import { Errno, SystemError } from "./errno.ts";
import { cString, libc } from "./libc.ts";
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
}

const protocolIcmp: Record<Family, number> = { 4: 1, 6: 58 };
const repliesPerPollMax = 1024;
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
   * A raw socket or, where that is not allowed, the kernel's ping socket. `device` ties it to an interface.
   * Throws a SystemError when neither is allowed.
   */
  static open(family: Family, options: { device?: string } = {}): EchoSocket {
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
    } catch (error) {
      socket.close();
      throw error;
    }
    return new EchoSocket(socket, isRaw, family);
  }

  /**
   * Sends one request. `target` may carry a zone (`fe80::1%eth0`). Answers 0, or the number of the error for which
   * the kernel refused it (no route, no buffer): a request that is lost here is as lost as on the wire.
   */
  send(target: string, identifier: number, sequence: number, payload: Uint8Array): number {
    const [address, zone] = target.split("%") as [string, string | undefined];
    const bytes = addressBytes(address);
    if (bytes === null || (bytes.length === 4) !== (this.family === 4)) return Errno.EINVAL;
    const scope = zone === undefined ? 0 : libc().if_nametoindex(cString(zone));
    this.#lastIdentifier = identifier & 0xffff;
    const packet = buildEchoRequest(this.family, { identifier, sequence, payload });
    return this.#socket.trySend(packet, internetSocketAddress(address, 0, scope));
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
      replies.push({ ...reply, identifier, from: socketAddressText(received.from) });
    }
    return replies;
  }

  close(): void {
    this.#socket.close();
  }
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
