/**
 * One socket for the questions and claims of neighbours on one interface: ARP for IPv4, neighbour discovery for IPv6.
 * It asks, it announces, it hands out what others claim. It judges nothing and never waits.
 *
 * Both are packet sockets: ARP has no other, and for IPv6 a raw ICMPv6 socket could not send from the unspecified
 * address. A filter in the kernel lets only neighbour discovery in, so that ordinary IPv6 traffic costs us nothing.
 */

import { readFileSync } from "node:fs";
import { Errno, SystemError } from "./errno.ts";
import { libc } from "./libc.ts";
import { Netlink } from "./netlink.ts";
import { attachFilter, dropPacket, filterCode, type FilterStep, keepPacket } from "./packet_filter.ts";
import { buildArpAnnouncement, buildArpProbe, buildArpRequest, ethernetTypeArp } from "./packets/arp.ts";
import { addressBytes, type Family, hardwareText } from "./packets/ip_address.ts";
import { ipProtocol } from "./packets/ip_packet.ts";
import {
  buildAdvertisement,
  buildSolicitation,
  ethernetTypeIpv6,
  multicastHardware,
  ndType,
  solicitedNodeAddress,
  unspecifiedAddress,
} from "./packets/nd.ts";
import { arpClaim, ndClaim, type NeighbourClaim } from "./packets/neighbour_claim.ts";
import { IFA_F, type LinkInfo } from "./packets/netlink_messages.ts";
import { AF, linkSocketAddress, linkSocketHardware, NativeSocket, needsNetRaw, SOCK } from "./socket.ts";

export type { NeighbourClaim } from "./packets/neighbour_claim.ts";

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
        attachFilter(socket, ndFilter, purpose);
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
   * Asks as an ordinary host does, from an address of ours, so that nobody who is about to take the address takes the
   * question for a rival's. IPv6 always asks so. Throws a SystemError as `ask` does.
   */
  askFrom(sender: string, address: string): void {
    if (this.family === 6) return this.ask(address);
    const { type, hardware, broadcast } = this.link;
    const packet = buildArpRequest(type, hardware, this.#bytesOf(sender), this.#bytesOf(address));
    this.#send(packet, broadcast, address);
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

/** For a packet that begins with its IPv6 header: next header ICMPv6, hop limit 255, type 135 or 136. */
const ndFilter: readonly FilterStep[] = [
  { code: filterCode.loadByte, operand: 6 },
  { code: filterCode.jumpIfEqual, operand: ipProtocol.icmp6, ifFalse: "drop" },
  { code: filterCode.loadByte, operand: 7 },
  { code: filterCode.jumpIfEqual, operand: 255, ifFalse: "drop" },
  { code: filterCode.loadByte, operand: 40 },
  { code: filterCode.jumpIfEqual, operand: ndType.solicitation, ifTrue: "keep" },
  { code: filterCode.jumpIfEqual, operand: ndType.advertisement, ifFalse: "drop" },
  keepPacket,
  dropPacket,
];
