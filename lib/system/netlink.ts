/**
 * Reads and changes addresses and interfaces through a routing netlink socket of our own.
 *
 * Why not the `ip` command: a request is one system call which the kernel carries out before it returns (tens of
 * microseconds), it needs no process that can be killed, starve or hang, and its answer is a number and not a text.
 * That is what the renewal of an address lease must rest on.
 *
 * It never waits: the kernel's answer is in the socket when the request returns. It decides nothing.
 */

import { Errno, SystemError } from "./errno.ts";
import {
  addressBytes,
  addressFamily,
  addressText,
  canonicalAddress,
  type Family,
  isSameSubnet,
} from "./packets/ip_address.ts";
import {
  addressHeader,
  type AddressInfo,
  type Attribute,
  buildMessage,
  familyNumber,
  foreverSeconds,
  IFA_F,
  type LinkInfo,
  type NetlinkMessage,
  NLM_F,
  NLMSG,
  reachableNeighbour,
  readAddress,
  readError,
  readLink,
  readMessages,
  readRoute,
  type RouteInfo,
  RTM,
  uint32,
} from "./packets/netlink_messages.ts";
import { AF, NativeSocket, SOCK } from "./socket.ts";

export { AddressMonitor } from "./address_monitor.ts";
export type { AddressEvent } from "./address_monitor.ts";
export { IFA_F } from "./packets/netlink_messages.ts";
export type { AddressInfo, LinkInfo } from "./packets/netlink_messages.ts";

export interface AddressRequest {
  /** Of the interface. */
  readonly index: number;
  readonly address: string;
  readonly prefix: number;
  /** IPv4 only, at most 15 bytes; without one the kernel takes the interface's name. */
  readonly label?: string | null;
  /** IPv4 only. */
  readonly broadcast?: string | null;
  /** The kernel removes the address when they have passed; `null`: never. At least 1. */
  readonly validSeconds: number | null;
  /** Past them the address is no source of new connections; left out: as long as it is valid. */
  readonly preferredSeconds?: number | null;
  /** IPv6: usable at once, without duplicate address detection. */
  readonly skipDuplicateDetection?: boolean;
  /** No route for the subnet comes with the address. */
  readonly noPrefixRoute?: boolean;
}

/** Which interface leads to an address. */
export interface AddressDevice {
  readonly index: number;
  readonly name: string;
  /** Of the subnet on that interface which holds the address; `null` when it lies behind a gateway. */
  readonly prefixOfLocalSubnet: number | null;
}

const netlinkRoute = 0;
const routeTypes = { unicast: 1, local: 2 };
const routeFlagFibMatch = 0x2000;
const loopbackIndexName = "lo";

export class Netlink {
  readonly #socket: NativeSocket;
  #sequence = 0;

  private constructor(socket: NativeSocket) {
    this.#socket = socket;
  }

  /** Belongs to the network namespace the thread is in. Needs no permission to read, CAP_NET_ADMIN to change. */
  static open(): Netlink {
    return new Netlink(NativeSocket.open(AF.NETLINK, SOCK.RAW, netlinkRoute, "open a netlink socket"));
  }

  links(): LinkInfo[] {
    return this.#dump(RTM.GETLINK, new Uint8Array(16), [[attribute.linkMask, uint32(skipStatistics)]], {
      type: RTM.NEWLINK,
      read: readLink,
    }, "list the interfaces");
  }

  /** One interface by name; `null` when there is none of that name. */
  link(name: string): LinkInfo | null {
    const nameBytes = new TextEncoder().encode(`${name}\0`);
    if (nameBytes.length > interfaceNameBytesMax) return null;
    const attributes: Attribute[] = [[attribute.linkMask, uint32(skipStatistics)], [
      attribute.linkName,
      nameBytes,
    ]];
    const answer = this.#request(RTM.GETLINK, 0, new Uint8Array(16), attributes);
    if (answer.error === Errno.ENODEV) return null;
    if (answer.error !== 0) throw new SystemError(`look up interface "${name}"`, "netlink", answer.error);
    for (const message of answer.messages) if (message.type === RTM.NEWLINK) return readLink(message.body);
    return null;
  }

  /** All addresses of both families, or of one. */
  addresses(family?: Family): AddressInfo[] {
    const fixed = new Uint8Array(8);
    if (family !== undefined) fixed[0] = familyNumber[family];
    return this.#dump(
      RTM.GETADDR,
      fixed,
      [],
      { type: RTM.NEWADDR, read: readAddress },
      "list the addresses",
    );
  }

  /**
   * Adds the address or, where it is already there, renews its life. Idempotent. The label and broadcast of an
   * address that is there are not changed: the kernel takes them when it is added only.
   */
  setAddress(request: AddressRequest): void {
    const purpose = `set address "${request.address}/${request.prefix}" on interface ${request.index}`;
    const { family, bytes } = requireAddress(request.address, purpose);
    const flags = (request.skipDuplicateDetection === true && family === 6 ? IFA_F.NODAD : 0) |
      (request.noPrefixRoute === true ? IFA_F.NOPREFIXROUTE : 0);
    const valid = request.validSeconds ?? foreverSeconds;
    const preferred = Math.min(
      valid,
      request.preferredSeconds === undefined ? valid : request.preferredSeconds ?? foreverSeconds,
    );
    const life = new Uint8Array(16);
    life.set(uint32(preferred), 0);
    life.set(uint32(valid), 4);
    const attributes: Attribute[] = [
      [attribute.local, bytes],
      [attribute.address, bytes],
      [attribute.cacheInfo, life],
      [attribute.flags, uint32(flags)],
    ];
    if (family === 4 && request.broadcast != null) {
      attributes.push([attribute.broadcast, requireAddress(request.broadcast, purpose).bytes]);
    }
    if (family === 4 && request.label != null) {
      attributes.push([attribute.label, new TextEncoder().encode(`${request.label}\0`)]);
    }
    const answer = this.#request(
      RTM.NEWADDR,
      NLM_F.CREATE | NLM_F.REPLACE | NLM_F.ACK,
      addressHeader(family, request.prefix, flags, 0, request.index),
      attributes,
    );
    if (answer.error !== 0) throw new SystemError(purpose, "netlink", answer.error, adviceFor(answer.error));
  }

  /** Removes the address; `false` when it was not there (or its interface is gone). */
  removeAddress(index: number, address: string, prefix: number): boolean {
    const purpose = `remove address "${address}/${prefix}" from interface ${index}`;
    const { family, bytes } = requireAddress(address, purpose);
    const answer = this.#request(RTM.DELADDR, NLM_F.ACK, addressHeader(family, prefix, 0, 0, index), [
      [attribute.local, bytes],
      [attribute.address, bytes],
    ]);
    const absent: number[] = [Errno.EADDRNOTAVAIL, Errno.ENODEV, Errno.ENXIO];
    if (absent.includes(answer.error)) return false;
    if (answer.error !== 0) throw new SystemError(purpose, "netlink", answer.error, adviceFor(answer.error));
    return true;
  }

  /**
   * Tells the kernel that a neighbour has just been reached at the hardware address that it knows, as MSG_CONFIRM does
   * (sendto(2)): it need not ask for it. Answers 0, or the number of the error: ENOENT where it knows no such neighbour,
   * EINVAL where it knows no hardware address. It never makes one known.
   */
  confirmNeighbour(index: number, address: string): number {
    const { family, bytes } = requireAddress(address, `confirm neighbour "${address}"`);
    const flags = NLM_F.ACK | NLM_F.REPLACE;
    const destination = 1; // NDA_DST
    return this.#request(RTM.NEWNEIGH, flags, reachableNeighbour(family, index), [[destination, bytes]])
      .error;
  }

  /**
   * The interface with a subnet that holds the address, the smallest subnet first; else the interface that the
   * routing table names for it; `null` when neither exists. An address that this machine holds itself is found
   * where it is.
   */
  deviceForAddress(address: string): AddressDevice | null {
    const canonical = canonicalAddress(address);
    const bytes = addressBytes(address);
    if (canonical === null || bytes === null) return null;
    const names = new Map(this.links().map((link) => [link.index, link]));
    const isHostPrefix = (own: AddressInfo) => own.prefix === bytes.length * 8;
    const bySubnet = this.addresses(bytes.length === 4 ? 4 : 6)
      .filter((own) => own.address !== canonical && !isHostPrefix(own) && names.get(own.index)?.isUp === true)
      .filter((own) => isSameSubnet(addressBytes(own.address)!, bytes, own.prefix))
      .sort((a, b) => b.prefix - a.prefix)[0];
    if (bySubnet !== undefined) {
      return {
        index: bySubnet.index,
        name: names.get(bySubnet.index)!.name,
        prefixOfLocalSubnet: bySubnet.prefix,
      };
    }
    const held = this.addresses().find((own) => own.address === canonical);
    const heldOn = held === undefined ? undefined : names.get(held.index);
    if (held !== undefined && heldOn !== undefined) {
      const prefixOfLocalSubnet = isHostPrefix(held) ? null : held.prefix;
      return { index: heldOn.index, name: heldOn.name, prefixOfLocalSubnet };
    }
    const route = this.#route(bytes, routeFlagFibMatch);
    const link = route?.index == null ? undefined : names.get(route.index);
    if (route === null || link === undefined) return null;
    if (route.type !== routeTypes.unicast && link.name !== loopbackIndexName) return null;
    const prefixOfLocalSubnet = route.gateway !== null || route.prefix === 0 ? null : route.prefix;
    return { index: link.index, name: link.name, prefixOfLocalSubnet };
  }

  /** The neighbour to whom the kernel hands packets for the address: a gateway, or the address itself. */
  nextHop(address: string): { readonly index: number; readonly address: string } | null {
    const bytes = addressBytes(address);
    const route = bytes === null ? null : this.#route(bytes, 0);
    if (route?.type !== routeTypes.unicast || route.index === null) return null;
    return { index: route.index, address: route.gateway === null ? address : addressText(route.gateway) };
  }

  close(): void {
    this.#socket.close();
  }

  #route(address: Uint8Array, flags: number): RouteInfo | null {
    const fixed = new Uint8Array(12);
    fixed[0] = familyNumber[address.length === 4 ? 4 : 6];
    fixed[1] = address.length * 8;
    new DataView(fixed.buffer).setUint32(8, flags, true);
    const answer = this.#request(RTM.GETROUTE, 0, fixed, [[attribute.routeDestination, address]]);
    const unreachable: number[] = [Errno.ENETUNREACH, Errno.EHOSTUNREACH, Errno.EACCES, Errno.EINVAL];
    if (unreachable.includes(answer.error)) return null;
    if (answer.error !== 0) {
      throw new SystemError(`find the route to "${addressText(address)}"`, "netlink", answer.error);
    }
    for (const message of answer.messages) if (message.type === RTM.NEWROUTE) return readRoute(message.body);
    return null;
  }

  #dump<Info>(
    type: number,
    fixed: Uint8Array,
    attributes: readonly Attribute[],
    wanted: { type: number; read(body: Uint8Array): Info | null },
    purpose: string,
  ): Info[] {
    // A table that changes while it is listed gives a list with holes: ask again, a few times.
    for (let attempt = 1;; attempt++) {
      const answer = this.#request(type, NLM_F.DUMP, fixed, attributes);
      if (answer.error !== 0) throw new SystemError(purpose, "netlink", answer.error);
      if (answer.isInterrupted && attempt < dumpAttemptsMax) continue;
      return answer.messages
        .filter((message) => message.type === wanted.type)
        .map((message) => wanted.read(message.body))
        .filter((info) => info !== null);
    }
  }

  #request(type: number, flags: number, fixed: Uint8Array, attributes: readonly Attribute[]): Answer {
    const sequence = this.#sequence = (this.#sequence + 1) >>> 0;
    const request = buildMessage(type, flags | NLM_F.REQUEST, sequence, fixed, attributes);
    this.#socket.send(request, null, "ask the kernel through netlink");
    const answer: Answer = { error: 0, isInterrupted: false, messages: [] };
    const isDump = (flags & NLM_F.DUMP) === NLM_F.DUMP;
    while (true) {
      const received = this.#socket.receive("read the kernel's netlink answer");
      // Nothing more waits although the answer is not complete: only a kernel that broke its promise gets here.
      if (received === null) {
        throw new SystemError("read the kernel's netlink answer", "recvfrom", Errno.EAGAIN);
      }
      for (const message of readMessages(received.packet)) {
        if (message.sequence !== sequence) continue; // the rest of an answer that was abandoned
        if ((message.flags & NLM_F.DUMP_INTERRUPTED) !== 0) answer.isInterrupted = true;
        if (message.type === NLMSG.DONE) return answer;
        if (message.type === NLMSG.ERROR) return { ...answer, error: readError(message.body) };
        // The receive buffer is shared: what is kept must be copied.
        answer.messages.push({ ...message, body: message.body.slice() });
      }
      if (!isDump && answer.messages.length > 0) return answer;
    }
  }
}

interface Answer {
  readonly error: number;
  isInterrupted: boolean;
  readonly messages: NetlinkMessage[];
}

const dumpAttemptsMax = 5;
const interfaceNameBytesMax = 16;
const skipStatistics = 8;

/** Numbers of the attributes we send (if_addr.h, if_link.h, rtnetlink.h). */
const attribute = {
  address: 1,
  local: 2,
  label: 3,
  broadcast: 4,
  cacheInfo: 6,
  flags: 8,
  linkName: 3,
  linkMask: 29,
  routeDestination: 1,
} as const;

function requireAddress(text: string, purpose: string): { family: Family; bytes: Uint8Array } {
  const family = addressFamily(text);
  if (family === null) throw new SystemError(purpose, "parse", Errno.EINVAL, `"${text}" is no IP address`);
  return { family, bytes: addressBytes(text)! };
}

function adviceFor(error: number): string | undefined {
  switch (error) {
    case Errno.EPERM:
      return "run it as root, or give it the capability CAP_NET_ADMIN";
    case Errno.EINVAL:
      return "check prefix and label, and for IPv6 that the interface's MTU is at least 1280";
    case Errno.EACCES:
      return "IPv6 is switched off on the interface (sysctl net.ipv6.conf.*.disable_ipv6)";
    case Errno.ENODEV:
    case Errno.ENXIO:
      return "the interface is gone";
    default:
      return undefined;
  }
}
