/**
 * One socket for the questions and claims of neighbours on one interface: ARP for IPv4, neighbour discovery for IPv6.
 * It asks, it announces, it hands out what others claim. It judges nothing and never waits.
 *
 * Both are packet sockets: ARP has no other, and for IPv6 a raw ICMPv6 socket could not send from the unspecified
 * address. A filter in the kernel lets only neighbour discovery in, so that ordinary IPv6 traffic costs us nothing.
 */

import { readFileSync } from "node:fs";
import { InvariantError } from "../errors.ts";
import { Errno, SystemError } from "./errno.ts";
import { addressOf, libc } from "./libc.ts";
import { Netlink } from "./netlink.ts";
import {
  arpOperation,
  buildArpAnnouncement,
  buildArpProbe,
  ethernetTypeArp,
  readArp,
} from "./packets/arp.ts";
import { addressBytes, type Family, hardwareText } from "./packets/ip_address.ts";
import {
  buildAdvertisement,
  buildSolicitation,
  ethernetTypeIpv6,
  multicastHardware,
  readNd,
  solicitedNodeAddress,
  unspecifiedAddress,
} from "./packets/nd.ts";
import { IFA_F, type LinkInfo } from "./packets/netlink_messages.ts";
import {
  AF,
  linkSocketAddress,
  linkSocketHardware,
  NativeSocket,
  needsNetRaw,
  SO,
  SOCK,
  SOL_SOCKET,
} from "./socket.ts";

/** Somebody said something about an address. */
export interface NeighbourClaim {
  /** The address that the sender claims, or, for a `probe`, wants to take. */
  readonly address: string;
  /** Link-layer address that goes with it: `02:00:5e:00:00:01`. */
  readonly hardware: string;
  /** `probe`: asks without having an address yet (ARP from 0.0.0.0, solicitation from ::). */
  readonly kind: "request" | "reply" | "probe" | "advertisement" | "solicitation";
  /** The address it asks about or answers to. */
  readonly target: string;
  /** Said to everybody, unasked. */
  readonly isGratuitous: boolean;
}

/** One poll never takes longer than this many packets: a flood must not keep the caller from its work. */
const packetsPerPollMax = 1024;

/** What only IPv6 needs: opened at once, so that it belongs to the same network namespace as the socket. */
interface SixExtras {
  /** Member of solicited-node groups. */
  readonly groups: NativeSocket;
  /** Tells our link-local address, which can come and go. */
  readonly netlink: Netlink;
}

export class NeighbourSocket {
  /** Solicited-node groups that were joined, so that a rival's duplicate address detection reaches us. */
  readonly #joined = new Set<string>();

  readonly #socket: NativeSocket;
  readonly #six: SixExtras | null;

  private constructor(
    readonly link: LinkInfo,
    readonly family: Family,
    socket: NativeSocket,
    six: SixExtras | null,
  ) {
    this.#socket = socket;
    this.#six = six;
  }

  /** Throws a SystemError: CAP_NET_RAW is missing, or the interface is gone. */
  static open(link: LinkInfo, family: Family): NeighbourSocket {
    const purpose = `open ${
      family === 4 ? "an ARP" : "a neighbour discovery"
    } socket on interface "${link.name}"`;
    // Protocol 0 receives nothing: the filter is in place before the first packet comes.
    const socket = NativeSocket.open(AF.PACKET, SOCK.DGRAM, 0, purpose, needsNetRaw);
    let six: SixExtras | null = null;
    try {
      if (family === 6) {
        attachNdFilter(socket, purpose);
        six = { groups: NativeSocket.open(AF.INET6, SOCK.DGRAM, 0, purpose), netlink: Netlink.open() };
      }
      const protocol = family === 4 ? ethernetTypeArp : ethernetTypeIpv6;
      socket.bind(linkSocketAddress(link.index, protocol, new Uint8Array()), purpose);
    } catch (error) {
      socket.close();
      six?.groups.close();
      six?.netlink.close();
      throw error;
    }
    return new NeighbourSocket(link, family, socket, six);
  }

  /**
   * Asks who has the address, out of curiosity. Throws a SystemError when the interface does not take the packet.
   */
  ask(address: string): void {
    if (this.family === 4) this.probe(address);
    else this.#solicit(this.#linkLocalAddress(), address);
  }

  /**
   * Asks who has the address, about to take it: others that are about to take it see a `probe`, and a kernel whose
   * duplicate address detection for it goes on gives up. Throws a SystemError as `ask` does.
   */
  probe(address: string): void {
    if (this.family === 6) return this.#solicit(unspecifiedAddress, address);
    const packet = buildArpProbe(this.link.type, this.link.hardware, this.#bytesOf(address));
    this.#send(packet, this.link.broadcast, address);
  }

  /**
   * Tells everybody that the address is here. IPv6 has one form for both. Throws a SystemError when the interface
   * does not take the packet.
   */
  announce(address: string, form: "request" | "reply"): void {
    const bytes = this.#bytesOf(address);
    if (this.family === 4) {
      const packet = buildArpAnnouncement(this.link.type, this.link.hardware, bytes, form);
      this.#send(packet, this.link.broadcast, address);
      return;
    }
    const { packet, destination } = buildAdvertisement(this.link.hardware, bytes, this.#isForwarding());
    this.#send(packet, multicastHardware(destination, this.link.broadcast), address);
  }

  /** Claims that came since the last call, our own left out. An interface that is down has none. */
  poll(): NeighbourClaim[] {
    const own = hardwareText(this.link.hardware);
    const claims: NeighbourClaim[] = [];
    for (let count = 0; count < packetsPerPollMax; count++) {
      const received = this.#socket.tryReceive();
      if (received === Errno.EAGAIN) break;
      // Told once when the interface goes down; the socket works again when it comes up.
      if (received === Errno.ENETDOWN || received === Errno.EINTR) continue;
      if (typeof received === "number") {
        throw new SystemError(`listen on interface "${this.link.name}"`, "recvfrom", received);
      }
      const claim = this.family === 4
        ? arpClaim(received.packet)
        : ndClaim(received.packet, linkSocketHardware(received.from));
      if (claim !== null && claim.hardware !== own) claims.push(claim);
    }
    return claims;
  }

  /**
   * IPv6: joins the group to which others ask about the address, so that a rival's probes for it reach us. Done as
   * well as it goes: without it only these probes are missed. No-op for IPv4.
   */
  listenFor(address: string): void {
    if (this.family === 4) return;
    const group = solicitedNodeAddress(this.#bytesOf(address));
    const key = hardwareText(group);
    if (this.#joined.has(key)) return;
    const request = new Uint8Array(20);
    request.set(group);
    new DataView(request.buffer).setInt32(16, this.link.index, true);
    const levelIpv6 = 41;
    const joinGroup = 20;
    libc().setsockopt(this.#six!.groups.descriptor, levelIpv6, joinGroup, request, request.length);
    this.#joined.add(key);
  }

  close(): void {
    this.#six?.groups.close();
    this.#six?.netlink.close();
    this.#socket.close();
  }

  #solicit(source: Uint8Array, address: string): void {
    this.listenFor(address);
    const { packet, destination } = buildSolicitation(source, this.link.hardware, this.#bytesOf(address));
    this.#send(packet, multicastHardware(destination, this.link.broadcast), address);
  }

  #send(packet: Uint8Array, hardware: Uint8Array, address: string): void {
    const protocol = this.family === 4 ? ethernetTypeArp : ethernetTypeIpv6;
    const to = linkSocketAddress(this.link.index, protocol, hardware);
    this.#socket.send(packet, to, `send for address "${address}" on interface "${this.link.name}"`);
  }

  #bytesOf(address: string): Uint8Array {
    const bytes = addressBytes(address);
    if (bytes === null || (bytes.length === 4) !== (this.family === 4)) {
      throw new SystemError(
        `use address "${address}" on interface "${this.link.name}"`,
        "parse",
        Errno.EINVAL,
        `an IPv${this.family} address is expected`,
      );
    }
    return bytes;
  }

  /** The source of our questions; the unspecified address while there is none that may be used. */
  #linkLocalAddress(): Uint8Array {
    const unusable = IFA_F.TENTATIVE | IFA_F.DADFAILED;
    const own = this.#six!.netlink.addresses(6).find((info) =>
      info.index === this.link.index && info.address.startsWith("fe80:") && (info.flags & unusable) === 0
    );
    return own === undefined ? unspecifiedAddress : addressBytes(own.address)!;
  }

  /** R=0 from a router makes hosts drop it as their default router. */
  #isForwarding(): boolean {
    try {
      return readFileSync(`/proc/sys/net/ipv6/conf/${this.link.name}/forwarding`, "utf8").trim() === "1";
    } catch {
      return false;
    }
  }
}

function arpClaim(bytes: Uint8Array): NeighbourClaim | null {
  const packet = readArp(bytes);
  if (packet === null) return null;
  const hardware = hardwareText(packet.senderHardware);
  const target = packet.targetAddress;
  const isRequest = packet.operation === arpOperation.request;
  if (!isRequest && packet.operation !== arpOperation.reply) return null;
  if (packet.senderAddress === "0.0.0.0") {
    // A reply from nobody claims nothing.
    return isRequest ? { address: target, hardware, kind: "probe", target, isGratuitous: false } : null;
  }
  const isGratuitous = packet.senderAddress === target;
  const kind = isRequest ? "request" : "reply";
  return { address: packet.senderAddress, hardware, kind, target, isGratuitous };
}

function ndClaim(bytes: Uint8Array, frameSource: Uint8Array): NeighbourClaim | null {
  const packet = readNd(bytes);
  if (packet === null) return null;
  const hardware = hardwareText(packet.hardware ?? frameSource);
  const { target } = packet;
  if (packet.kind === "advertisement") {
    return { address: target, hardware, kind: "advertisement", target, isGratuitous: !packet.isSolicited };
  }
  const isProbe = packet.source === "::";
  const address = isProbe ? target : packet.source;
  return { address, hardware, kind: isProbe ? "probe" : "solicitation", target, isGratuitous: false };
}

/**
 * A classic BPF program for a packet that begins with its IPv6 header: next header ICMPv6, hop limit 255, type 135 or
 * 136. Each line: operation, jump if true, jump if false, operand.
 */
const ndFilter: ReadonlyArray<readonly [code: number, ifTrue: number, ifFalse: number, operand: number]> = [
  [0x30, 0, 0, 6], // load byte: next header
  [0x15, 0, 6, 58], // is ICMPv6, else drop
  [0x30, 0, 0, 7], // load byte: hop limit
  [0x15, 0, 4, 255], // is 255, else drop
  [0x30, 0, 0, 40], // load byte: ICMPv6 type
  [0x15, 1, 0, 135], // is a solicitation: keep
  [0x15, 0, 1, 136], // is an advertisement: keep, else drop
  [0x06, 0, 0, 0xffff], // keep
  [0x06, 0, 0, 0], // drop
];

function attachNdFilter(socket: NativeSocket, purpose: string): void {
  const program = new Uint8Array(new ArrayBuffer(ndFilter.length * 8));
  const view = new DataView(program.buffer);
  ndFilter.forEach(([code, ifTrue, ifFalse, operand], index) => {
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, ifTrue);
    view.setUint8(index * 8 + 3, ifFalse);
    view.setUint32(index * 8 + 4, operand, true);
  });
  const header = new Uint8Array(16); // struct sock_fprog: length and pointer
  const headerView = new DataView(header.buffer);
  headerView.setUint16(0, ndFilter.length, true);
  headerView.setBigUint64(8, addressOf(program), true);
  socket.setOption(SOL_SOCKET, SO.ATTACH_FILTER, header, purpose);
  // Read again after the call, so that no engine frees the program while the kernel copies it.
  if (program.length === 0) throw new InvariantError("the neighbour discovery filter is empty");
}
