/**
 * What all our UDP sockets share: how they are bound and closed, and what is to be made of what the runtimes tell.
 * Each is bound to one address of one family, never to the wildcard.
 */

import { createSocket, type Socket } from "node:dgram";
import { familyOf } from "./addresses.ts";

/** What waits while the process is busy. Less loses packets in a stall; more only delays the news that we stalled. */
const receiveBufferBytes = 512 * 1024;

/** Without listeners. Rejects with the socket's error, and leaves nothing open. */
export async function bindSocket(
  address: string,
  port: number,
  options: { readonly reuseAddr?: boolean } = {},
): Promise<Socket> {
  const type = familyOf(address) === "ipv6" ? "udp6" : "udp4";
  const socket = createSocket({ type, ipv6Only: true, ...options });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", (error) => {
      closeQuietly(socket);
      reject(error);
    });
    socket.bind(port, address, resolve);
  });
  socket.removeAllListeners("error");
  try {
    socket.setRecvBufferSize(receiveBufferBytes);
  } catch {
    // The kernel's own size has to do.
  }
  return socket;
}

/** Deno hands over small packets in buffers of 64 KiB, which whoever keeps a part of one would keep whole. */
export function fitted(packet: Uint8Array): Uint8Array {
  return packet.buffer.byteLength > 2 * packet.length ? new Uint8Array(packet) : packet;
}

/** Deno tells neither EPERM nor EACCES of a send, only `UNKNOWN`. */
export function explain(error: Error): string {
  const code = (error as { code?: string }).code ?? "";
  return ["EPERM", "EACCES", "UNKNOWN"].includes(code)
    ? "refused by this machine itself, by a firewall rule or a route that prohibits it"
    : error.message;
}

/** A socket that failed may be closed already, which closing again reports by throwing. */
export function closeQuietly(socket: Socket, done: () => void = () => {}): void {
  socket.removeAllListeners("error");
  socket.on("error", () => {});
  try {
    socket.close(done);
  } catch {
    done();
  }
}
