/**
 * What all our UDP sockets share: how they are bound and closed, and what is to be made of what the runtimes tell.
 * Each is bound to one address of one family, never to the wildcard.
 */

import { createSocket, type Socket } from "node:dgram";
import { DatagramSender, ownSockets } from "../system/datagram_sender.ts";
import { Errno, errnoText } from "../system/errno.ts";
import { familyOf, unscoped } from "./addresses.ts";

/** What waits while the process is busy. Less loses packets in a stall; more only delays the news that we stalled. */
const receiveBufferBytes = 512 * 1024;
/** What the kernel takes at once. Less loses a burst of large packets that are sent again. */
const sendBufferBytes = 1024 * 1024;

/** It receives by the runtime, and sends by itself. */
export interface UdpSocket {
  readonly socket: Socket;
  readonly sender: DatagramSender;
}

/**
 * Without listeners. Rejects with the socket's error, and leaves nothing open. Of an address that is shared one socket
 * at a time: they are told apart by when they appear.
 */
export async function bindSocket(
  address: string,
  port: number,
  options: { readonly reuseAddr?: boolean } = {},
): Promise<UdpSocket> {
  const earlier = ownSockets();
  const type = familyOf(address) === "ipv6" ? "udp6" : "udp4";
  const socket = createSocket({ type, ipv6Only: true, ...options });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", (error) => {
      closeSocket(socket);
      reject(error);
    });
    socket.bind(port, address, resolve);
  });
  socket.removeAllListeners("error");
  try {
    socket.setRecvBufferSize(receiveBufferBytes);
    socket.setSendBufferSize(sendBufferBytes);
  } catch {
    // The kernel's own sizes have to do.
  }
  try {
    const bound = socket.address();
    return {
      socket,
      sender: DatagramSender.of({ address: unscoped(bound.address), port: bound.port }, earlier),
    };
  } catch (error) {
    closeSocket(socket);
    throw error;
  }
}

/** Deno hands over small packets in buffers of 64 KiB, which whoever keeps a part of one would keep whole. */
export function fitted(packet: Uint8Array): Uint8Array {
  return packet.buffer.byteLength > 2 * packet.length ? new Uint8Array(packet) : packet;
}

/** What the kernel says where a firewall, a route that prohibits, or one that is a black hole takes the packet. */
const refusals: readonly number[] = [Errno.EPERM, Errno.EACCES, Errno.EINVAL];

/** The error number of a send in words. */
export function explain(code: number): string {
  return refusals.includes(code)
    ? "refused by this machine itself, by a firewall rule or a route that prohibits it"
    : errnoText(code);
}

export function closeQuietly({ socket, sender }: UdpSocket, done: () => void = () => {}): void {
  sender.close();
  closeSocket(socket, done);
}

/** A socket that failed may be closed already, which closing again reports by throwing. */
function closeSocket(socket: Socket, done: () => void = () => {}): void {
  socket.removeAllListeners("error");
  socket.on("error", () => {});
  try {
    socket.close(done);
  } catch {
    done();
  }
}
