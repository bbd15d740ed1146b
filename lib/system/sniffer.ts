/**
 * Listens on one interface for what high-availability software says: VRRP and CARP, heartbeats over UDP, ARP,
 * neighbour advertisements, and kernels that refuse packets because nobody listens. It hands out packets as they are, judges nothing and never waits.
 *
 * A filter in the kernel lets only these in, so that a busy interface costs nothing; what is not fetched in time the
 * kernel drops, and that is counted. The socket sees packets before a firewall on their way in, and only what the
 * firewall has let through on their way out: which of the two is missing tells where they are dropped.
 */

import { Errno, SystemError } from "./errno.ts";
import { libc } from "./libc.ts";
import {
  attachFilter,
  dropPacket,
  filterCode,
  filterEthernetType,
  type FilterStep,
  keepPacket,
} from "./packet_filter.ts";
import { ethernetTypeArp } from "./packets/arp.ts";
import { addressBytes, hardwareText } from "./packets/ip_address.ts";
import { unreachableType } from "./packets/icmp_unreachable.ts";
import { ipProtocol } from "./packets/ip_packet.ts";
import { ethernetTypeIpv6, ndType } from "./packets/nd.ts";
import type { LinkInfo } from "./packets/netlink_messages.ts";
import { vrrpGroups } from "./packets/vrrp.ts";
import { AF, int32, linkSocketAddress, linkSocketHardware, NativeSocket, needsNetRaw } from "./socket.ts";
import { SO, SOCK, SOL_SOCKET } from "./socket.ts";

export interface SniffedPacket {
  readonly device: string;
  readonly direction: "in" | "out";
  /** Of the frame's sender; empty on a loopback. */
  readonly hardware: string;
  readonly ethernetType: number;
  /** Without the link-layer header. The caller's own. */
  readonly bytes: Uint8Array;
}

export interface SnifferOptions {
  /** UDP destination ports whose datagrams are wanted. */
  readonly udpPorts: readonly number[];
  /** Multicast groups that heartbeats are sent to, so that a switch with snooping sends them here. */
  readonly groups?: readonly string[];
}

/** One poll never takes longer than this many packets: a flood must not keep the caller from its work. */
const packetsPerPollMax = 1024;
/** Ports of one filter: its jumps reach 255 steps. */
const udpPortsMax = 32;
/** Too low loses heartbeats while the caller is busy; too high keeps as much kernel memory. */
const receiveBufferBytes = 1 << 20;

const ethernetTypeAll = 3;
const ethernetTypeIpv4 = 0x0800;
const packetTypeOutgoing = 4;
const levelPacket = 263;
const packetOption = { addMembership: 1, statistics: 6 } as const;
const membershipMulticast = 0;

export class Sniffer {
  readonly #socket: NativeSocket;
  /** Member of multicast groups. */
  readonly #member: NativeSocket | null;
  #droppedCount = 0;

  private constructor(readonly link: LinkInfo, socket: NativeSocket, member: NativeSocket | null) {
    this.#socket = socket;
    this.#member = member;
  }

  /** Throws a SystemError: CAP_NET_RAW is missing, or the interface is gone. */
  static open(link: LinkInfo, options: SnifferOptions): Sniffer {
    const purpose = `listen on interface "${link.name}"`;
    // Protocol 0 receives nothing: the filter is in place before the first packet comes.
    const socket = NativeSocket.open(AF.PACKET, SOCK.DGRAM, 0, purpose, needsNetRaw);
    let member: NativeSocket | null = null;
    try {
      attachFilter(socket, snifferFilter(options.udpPorts.slice(0, udpPortsMax)), purpose);
      socket.setOption(SOL_SOCKET, SO.RCVBUF, int32(receiveBufferBytes), purpose);
      // As well as it goes: an interface without multicast has none to let through.
      for (const hardware of multicastHardwares) {
        libc().setsockopt(
          socket.descriptor,
          levelPacket,
          packetOption.addMembership,
          packetMembership(link.index, hardware),
          16,
        );
      }
      if (options.groups !== undefined && options.groups.length > 0) {
        member = NativeSocket.open(AF.INET, SOCK.DGRAM, 0, purpose);
        for (const group of options.groups) joinGroup(member, link.index, group);
      }
      socket.bind(linkSocketAddress(link.index, ethernetTypeAll, new Uint8Array()), purpose);
    } catch (error) {
      socket.close();
      member?.close();
      throw error;
    }
    return new Sniffer(link, socket, member);
  }

  /** Packets that came since the last call. An interface that is down has none. */
  poll(): SniffedPacket[] {
    const packets: SniffedPacket[] = [];
    for (let count = 0; count < packetsPerPollMax; count++) {
      const received = this.#socket.tryReceive();
      if (received === Errno.EAGAIN) break;
      // Told once when the interface goes down; the socket works again when it comes up.
      if (received === Errno.ENETDOWN || received === Errno.EINTR) continue;
      if (typeof received === "number") {
        throw new SystemError(`listen on interface "${this.link.name}"`, "recvfrom", received);
      }
      const { from, packet } = received;
      packets.push({
        device: this.link.name,
        direction: from[10] === packetTypeOutgoing ? "out" : "in",
        hardware: hardwareText(linkSocketHardware(from)),
        ethernetType: (from[2]! << 8) | from[3]!,
        bytes: packet.slice(),
      });
    }
    return packets;
  }

  /** How many packets were lost because they were not fetched in time, since the socket was opened. */
  droppedCount(): number {
    const statistics = new Uint8Array(new ArrayBuffer(8));
    const length = int32(statistics.length);
    const { descriptor } = this.#socket;
    if (libc().getsockopt(descriptor, levelPacket, packetOption.statistics, statistics, length) === 0) {
      // Reading sets the kernel's counters back.
      this.#droppedCount += new DataView(statistics.buffer).getUint32(4, true);
    }
    return this.#droppedCount;
  }

  close(): void {
    this.#socket.close();
    this.#member?.close();
  }
}

/** Ethernet addresses of VRRP's groups: an interface hands up the multicast that it was asked for only. */
const multicastHardwares: readonly Uint8Array[] = [
  Uint8Array.of(0x01, 0x00, 0x5e, ...vrrpGroups[4].subarray(1)),
  Uint8Array.of(0x33, 0x33, ...vrrpGroups[6].subarray(12)),
];

/** struct packet_mreq: interface, kind, length of the address, address. */
function packetMembership(index: number, hardware: Uint8Array): Uint8Array {
  const request = new Uint8Array(16);
  const view = new DataView(request.buffer);
  view.setInt32(0, index, true);
  view.setUint16(4, membershipMulticast, true);
  view.setUint16(6, hardware.length, true);
  request.set(hardware, 8);
  return request;
}

/** struct ip_mreqn: group, own address (any), interface. Groups of IPv6 are left out. As well as it goes. */
function joinGroup(member: NativeSocket, index: number, group: string): void {
  const bytes = addressBytes(group);
  if (bytes === null || bytes.length !== 4) return;
  const request = new Uint8Array(12);
  request.set(bytes);
  new DataView(request.buffer).setInt32(8, index, true);
  const [levelIp, addMembership] = [0, 35];
  libc().setsockopt(member.descriptor, levelIp, addMembership, request, request.length);
}

/** Exported for its test. */
export function snifferFilter(udpPorts: readonly number[]): readonly FilterStep[] {
  const { loadByte, loadHalf, loadWord, loadByteIndexed, loadHalfIndexed, loadHeaderLength } = filterCode;
  const { jumpIfEqual, jumpIfAnyBit } = filterCode;
  const keepPorts: FilterStep[] = udpPorts.map((port) => ({
    code: jumpIfEqual,
    operand: port,
    ifTrue: "keep",
  }));
  return [
    { code: loadWord, operand: filterEthernetType },
    { code: jumpIfEqual, operand: ethernetTypeArp, ifTrue: "keep" },
    { code: jumpIfEqual, operand: ethernetTypeIpv6, ifTrue: "six" },
    { code: jumpIfEqual, operand: ethernetTypeIpv4, ifFalse: "drop" },
    { code: loadByte, operand: 9 }, // protocol
    { code: jumpIfEqual, operand: ipProtocol.vrrp, ifTrue: "keep" },
    { code: jumpIfEqual, operand: ipProtocol.authenticationHeader, ifTrue: "keep" },
    { code: jumpIfEqual, operand: ipProtocol.icmp, ifTrue: "icmp" },
    { code: jumpIfEqual, operand: ipProtocol.udp, ifFalse: "drop" },
    { code: loadHalf, operand: 6 }, // flags and fragment offset
    { code: jumpIfAnyBit, operand: 0x1fff, ifTrue: "drop" },
    { code: loadHeaderLength, operand: 0 },
    { code: loadHalfIndexed, operand: 2 }, // destination port
    ...keepPorts,
    { code: jumpIfEqual, operand: 0x10000, ifTrue: "keep", ifFalse: "drop" }, // no port is that high
    { name: "icmp", code: loadHeaderLength, operand: 0 },
    { code: loadByteIndexed, operand: 0 }, // type
    { code: jumpIfEqual, operand: unreachableType[4], ifTrue: "keep", ifFalse: "drop" },
    { name: "six", code: loadByte, operand: 6 }, // next header
    { code: jumpIfEqual, operand: ipProtocol.vrrp, ifTrue: "keep" },
    { code: jumpIfEqual, operand: ipProtocol.authenticationHeader, ifTrue: "keep" },
    { code: jumpIfEqual, operand: ipProtocol.icmp6, ifTrue: "icmp6" },
    { code: jumpIfEqual, operand: ipProtocol.udp, ifFalse: "drop" },
    { code: loadHalf, operand: 42 }, // destination port
    ...keepPorts,
    { code: jumpIfEqual, operand: 0x10000, ifTrue: "keep", ifFalse: "drop" },
    { name: "icmp6", code: loadByte, operand: 40 }, // type
    { code: jumpIfEqual, operand: unreachableType[6], ifTrue: "keep" },
    { code: jumpIfEqual, operand: ndType.advertisement, ifFalse: "drop" },
    keepPacket,
    dropPacket,
  ];
}
