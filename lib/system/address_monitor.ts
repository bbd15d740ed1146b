/**
 * Watches the kernel's announcements of addresses and interfaces that come, change and go, whoever changed them: how
 * the daemon learns that an address was taken off by hand, or that a cable was pulled.
 *
 * It never waits: `poll` hands out what has been announced since the last call. When more was announced than the
 * socket holds, it says `overrun`, and the reader must look at the tables again.
 */

import { Errno, SystemError } from "./errno.ts";
import {
  type AddressInfo,
  type LinkInfo,
  readAddress,
  readLink,
  readMessages,
  RTM,
} from "./packets/netlink_messages.ts";
import { AF, int32, NativeSocket, SO, SOCK, SOL_SOCKET } from "./socket.ts";

export type AddressEvent =
  /** Added, or renewed: each renewal of a lease announces itself in this way. */
  | { readonly kind: "address-set"; readonly address: AddressInfo }
  /** Removed by anybody, or its life ran out. */
  | { readonly kind: "address-removed"; readonly address: AddressInfo }
  /** Something about an interface changed: up, carrier, name. Also announced without a change. */
  | { readonly kind: "link-set"; readonly link: LinkInfo }
  | { readonly kind: "link-removed"; readonly link: LinkInfo }
  /** Announcements were lost. */
  | { readonly kind: "overrun" };

const groups = { link: 0x1, ipv4Address: 0x10, ipv6Address: 0x100 };

/** Room for some thousand announcements between two polls. */
const receiveBufferBytes = 1 << 20;

export class AddressMonitor {
  readonly #socket: NativeSocket;

  private constructor(socket: NativeSocket) {
    this.#socket = socket;
  }

  /** Of the network namespace the thread is in. Needs no permission. */
  static open(): AddressMonitor {
    const purpose = "watch the addresses of this machine";
    const socket = NativeSocket.open(AF.NETLINK, SOCK.RAW, 0, purpose);
    try {
      socket.setOption(SOL_SOCKET, SO.RCVBUF, int32(receiveBufferBytes), purpose);
      const address = new Uint8Array(12);
      const view = new DataView(address.buffer);
      view.setUint16(0, AF.NETLINK, true);
      view.setUint32(8, groups.link | groups.ipv4Address | groups.ipv6Address, true);
      socket.bind(address, purpose);
    } catch (error) {
      socket.close();
      throw error;
    }
    return new AddressMonitor(socket);
  }

  /** What was announced since the last call, in order. */
  poll(): AddressEvent[] {
    const events: AddressEvent[] = [];
    while (true) {
      const received = this.#socket.tryReceive();
      if (received === Errno.EAGAIN || received === Errno.EINTR) return events;
      if (received === Errno.ENOBUFS) {
        events.push({ kind: "overrun" });
      } else if (typeof received === "number") {
        throw new SystemError("read the kernel's announcements", "recvfrom", received);
      } else if (isFromKernel(received.from)) {
        for (const message of readMessages(received.packet)) {
          const event = readEvent(message.type, message.body);
          if (event !== null) events.push(event);
        }
      }
    }
  }

  close(): void {
    this.#socket.close();
  }
}

/** Any local process may send to a netlink socket; only the kernel has port 0. */
function isFromKernel(from: Uint8Array): boolean {
  return from.length >= 8 && new DataView(from.buffer, from.byteOffset).getUint32(4, true) === 0;
}

function readEvent(type: number, body: Uint8Array): AddressEvent | null {
  switch (type) {
    case RTM.NEWADDR:
    case RTM.DELADDR: {
      const address = readAddress(body);
      if (address === null) return null;
      return { kind: type === RTM.NEWADDR ? "address-set" : "address-removed", address };
    }
    case RTM.NEWLINK:
    case RTM.DELLINK: {
      const bridgeFamily = 7; // a port's bridge settings changed: not about the interface itself
      if (body[0] === bridgeFamily) return null;
      const link = readLink(body);
      if (link === null) return null;
      return { kind: type === RTM.NEWLINK ? "link-set" : "link-removed", link };
    }
    default:
      return null;
  }
}
