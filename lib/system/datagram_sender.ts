/**
 * Sends datagrams on a socket that the runtime made, by the system call itself: in the very step that decides to send,
 * and in order. Sent by node:dgram under Deno 2.9.6, a packet leaves in a later turn of the event loop, on an overloaded
 * machine a second later: the daemon takes for sent what its peers have not heard. (It also hands sends that are under
 * way at the same time to the kernel in reverse order.)
 *
 * The descriptor is found among the process's own by the address that the socket was bound to.
 */

import { readdirSync, readlinkSync } from "node:fs";
import { EnvironmentError } from "../errors.ts";
import { Errno } from "./errno.ts";
import { libc } from "./libc.ts";
import { AF, sendTo, SO, SOCK, socketAddressText, SOL_SOCKET } from "./socket.ts";

/** By the kernel's name for each: numbers of descriptors are given again as soon as they are closed. */
export type OwnSockets = ReadonlyMap<string, number>;

/** All sockets of this process, to tell a new one from them. */
export function ownSockets(): OwnSockets {
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

/** What ICMP has told of an earlier packet comes back from the next call, which has then sent nothing. */
const isOfEarlier: readonly number[] = [Errno.ECONNREFUSED, Errno.EHOSTUNREACH, Errno.ENETUNREACH];

export class DatagramSender {
  #descriptor: number;

  private constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /**
   * `earlier`: the sockets from before this one was made. Throws an environment error when it is not found, which no
   * supported runtime should ever let happen where /proc is mounted.
   */
  static of(bound: BoundSocket, earlier: OwnSockets): DatagramSender {
    const found = [...ownSockets()].find(([name, each]) => !earlier.has(name) && isBoundTo(each, bound));
    if (found !== undefined) return new DatagramSender(found[1]);
    const place = `${bound.address} port ${bound.port}`;
    throw new EnvironmentError(`Cannot send from UDP ${place}: its descriptor is not in /proc/self/fd`, 69);
  }

  /** -1 once closed. */
  get descriptor(): number {
    return this.#descriptor;
  }

  /** `to` is a struct sockaddr. Never waits. 0, or the error number. */
  send(packet: Uint8Array, to: Uint8Array): number {
    const code = this.#send(packet, to);
    return isOfEarlier.includes(code) ? this.#send(packet, to) : code;
  }

  /** To be called before the runtime closes the socket: its number may then be somebody else's. */
  close(): void {
    this.#descriptor = -1;
  }

  #send(packet: Uint8Array, to: Uint8Array): number {
    return this.#descriptor < 0 ? Errno.EBADF : sendTo(this.#descriptor, packet, to);
  }
}

const addressBytesMax = 28;

function isBoundTo(descriptor: number, { address, port }: BoundSocket): boolean {
  const [name, length] = [bytes(addressBytesMax), bytes(4)];
  new DataView(length.buffer).setUint32(0, addressBytesMax, true);
  if (!isDatagram(descriptor) || libc().getsockname(descriptor, name, length) !== 0) return false;
  const view = new DataView(name.buffer);
  const family = view.getUint16(0, true);
  return (family === AF.INET || family === AF.INET6) && view.getUint16(2, false) === port &&
    socketAddressText(name) === address;
}

function isDatagram(descriptor: number): boolean {
  const [type, length] = [bytes(4), bytes(4)];
  new DataView(length.buffer).setUint32(0, 4, true);
  return libc().getsockopt(descriptor, SOL_SOCKET, SO.TYPE, type, length) === 0 && type[0] === SOCK.DGRAM;
}

function bytes(length: number) {
  return new Uint8Array(new ArrayBuffer(length));
}
