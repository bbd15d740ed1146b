/**
 * Neighbour discovery packets of IPv6 (RFC 4861, RFC 4862) to and from bytes, with the IPv6 header. Pure.
 *
 * We build the header ourselves because a solicitation from the unspecified address cannot be sent in another way.
 */

import { icmp6Checksum } from "./checksum.ts";
import { addressText } from "./ip_address.ts";

export const ethernetTypeIpv6 = 0x86dd;
const nextHeaderIcmp6 = 58;
/** A router lowers the hop limit: 255 proves that the sender is on this link (RFC 4861, 7.1). */
const hopLimit = 255;
const headerBytes = 40;
/** Type, code, checksum, flags or reserved, target address. */
const bodyBytes = 24;
export const ndType = { solicitation: 135, advertisement: 136 } as const;
const option = { sourceLinkAddress: 1, targetLinkAddress: 2 } as const;
const advertisementFlag = { router: 0x80, solicited: 0x40, override: 0x20 } as const;

export const unspecifiedAddress: Uint8Array = new Uint8Array(16);
/** ff02::1 */
export const allNodesAddress: Uint8Array = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);

export interface NdPacket {
  readonly kind: "solicitation" | "advertisement";
  readonly source: string;
  readonly destination: string;
  readonly target: string;
  /** From the option; `null` where there is none. */
  readonly hardware: Uint8Array | null;
  /** Flag S of an advertisement: it answers a solicitation. */
  readonly isSolicited: boolean;
}

/** The group that a holder of the address listens on: ff02::1:ffXX:XXXX (RFC 4291, 2.7.1). */
export function solicitedNodeAddress(address: Uint8Array): Uint8Array {
  const group = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 0);
  group.set(address.subarray(13), 13);
  return group;
}

/**
 * The link-layer address of a multicast group: 33:33 and its last four bytes on Ethernet (RFC 2464, 7). Other links
 * map otherwise: there, everybody is addressed (`broadcast`).
 */
export function multicastHardware(group: Uint8Array, broadcast: Uint8Array): Uint8Array {
  if (broadcast.length !== 6) return broadcast;
  return Uint8Array.of(0x33, 0x33, ...group.subarray(12));
}

/**
 * "Who has this address?" From a link-local address the answer comes straight back; from the unspecified address
 * (no link-local address yet) it goes to all nodes, and no hardware address may be told.
 */
export function buildSolicitation(
  source: Uint8Array,
  own: Uint8Array,
  address: Uint8Array,
): { packet: Uint8Array; destination: Uint8Array } {
  const isUnspecified = source.every((byte) => byte === 0);
  const destination = solicitedNodeAddress(address);
  const tail = isUnspecified ? null : linkAddressOption(option.sourceLinkAddress, own);
  return { packet: build(ndType.solicitation, 0, source, destination, address, tail), destination };
}

/** "This address is mine", to all nodes, unasked (RFC 4861, 7.2.6): O=1, S=0, R as told. */
export function buildAdvertisement(
  own: Uint8Array,
  address: Uint8Array,
  isRouter: boolean,
): { packet: Uint8Array; destination: Uint8Array } {
  const flags = advertisementFlag.override | (isRouter ? advertisementFlag.router : 0);
  const tail = linkAddressOption(option.targetLinkAddress, own);
  const packet = build(ndType.advertisement, flags, address, allNodesAddress, address, tail);
  return { packet, destination: allNodesAddress };
}

/** `null` for anything but a valid solicitation or advertisement (RFC 4861, 7.1). */
export function readNd(packet: Uint8Array): NdPacket | null {
  if (packet.length < headerBytes + bodyBytes) return null;
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const payloadBytes = view.getUint16(4);
  if (packet[0]! >> 4 !== 6 || packet[6] !== nextHeaderIcmp6 || packet[7] !== hopLimit) return null;
  if (payloadBytes < bodyBytes || packet.length < headerBytes + payloadBytes) return null;
  const message = packet.subarray(headerBytes, headerBytes + payloadBytes);
  const source = packet.subarray(8, 24);
  const destination = packet.subarray(24, 40);
  const type = message[0]!;
  if (type !== ndType.solicitation && type !== ndType.advertisement) return null;
  if (message[1] !== 0 || message[8] === 0xff) return null; // a code, or a multicast target
  if (icmp6Checksum(source, destination, message) !== 0) return null;
  const isSolicitation = type === ndType.solicitation;
  const wanted = isSolicitation ? option.sourceLinkAddress : option.targetLinkAddress;
  const hardware = readLinkAddressOption(message.subarray(bodyBytes), wanted);
  if (hardware === undefined) return null;
  return {
    kind: isSolicitation ? "solicitation" : "advertisement",
    source: addressText(source),
    destination: addressText(destination),
    target: addressText(message.subarray(8, 24)),
    hardware,
    isSolicited: !isSolicitation && (message[4]! & advertisementFlag.solicited) !== 0,
  };
}

function build(
  type: number,
  flags: number,
  source: Uint8Array,
  destination: Uint8Array,
  target: Uint8Array,
  tail: Uint8Array | null,
): Uint8Array {
  const payloadBytes = bodyBytes + (tail?.length ?? 0);
  const packet = new Uint8Array(headerBytes + payloadBytes);
  const view = new DataView(packet.buffer);
  packet[0] = 0x60;
  view.setUint16(4, payloadBytes);
  packet[6] = nextHeaderIcmp6;
  packet[7] = hopLimit;
  packet.set(source, 8);
  packet.set(destination, 24);
  const message = packet.subarray(headerBytes);
  message[0] = type;
  message[4] = flags;
  message.set(target, 8);
  if (tail !== null) message.set(tail, bodyBytes);
  view.setUint16(headerBytes + 2, icmp6Checksum(source, destination, message));
  return packet;
}

/** Type, length in units of eight bytes, address, padding. InfiniBand pads before the address (RFC 4391, 9.3). */
function linkAddressOption(type: number, hardware: Uint8Array): Uint8Array {
  const paddingBefore = hardware.length === infinibandAddressBytes ? 2 : 0;
  const bytes = new Uint8Array(Math.ceil((2 + paddingBefore + hardware.length) / 8) * 8);
  bytes[0] = type;
  bytes[1] = bytes.length / 8;
  bytes.set(hardware, 2 + paddingBefore);
  return bytes;
}

/** `null`: there is no such option; `undefined`: the options are malformed, and the packet must be dropped. */
function readLinkAddressOption(options: Uint8Array, type: number): Uint8Array | null | undefined {
  let found: Uint8Array | null = null;
  let offset = 0;
  while (offset < options.length) {
    const length = (options[offset + 1] ?? 0) * 8;
    if (length === 0 || offset + length > options.length) return undefined;
    if (options[offset] === type && found === null) {
      // One unit holds an Ethernet address; three units an InfiniBand one after two bytes of padding.
      found = length === 24
        ? options.slice(offset + 4, offset + 24)
        : options.slice(offset + 2, offset + length);
    }
    offset += length;
  }
  return found;
}

const infinibandAddressBytes = 20;
