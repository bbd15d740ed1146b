/**
 * ARP packets (RFC 826, RFC 5227) to and from bytes, for link-layer addresses of any length. Pure.
 *
 * The packets are those of `conventions`: an announcement is a request with an empty target hardware address or a
 * reply that names our own; a probe has the sender address 0.0.0.0, so that it changes nobody's table.
 */

import { addressText } from "./ip_address.ts";

export const ethernetTypeArp = 0x0806;
const protocolIpv4 = 0x0800;
const fixedBytes = 8;
export const arpOperation = { request: 1, reply: 2 } as const;

export interface ArpPacket {
  /** 1 request, 2 reply. */
  readonly operation: number;
  readonly senderHardware: Uint8Array;
  readonly senderAddress: string;
  readonly targetHardware: Uint8Array;
  readonly targetAddress: string;
}

/** `hardwareType` is the interface's ARPHRD number. All addresses in network order, the hardware's of one length. */
export function buildArp(
  hardwareType: number,
  operation: number,
  senderHardware: Uint8Array,
  senderAddress: Uint8Array,
  targetHardware: Uint8Array,
  targetAddress: Uint8Array,
): Uint8Array {
  const length = senderHardware.length;
  const packet = new Uint8Array(fixedBytes + 2 * (length + 4));
  const view = new DataView(packet.buffer);
  view.setUint16(0, hardwareType);
  view.setUint16(2, protocolIpv4);
  packet[4] = length;
  packet[5] = 4;
  view.setUint16(6, operation);
  packet.set(senderHardware, fixedBytes);
  packet.set(senderAddress, fixedBytes + length);
  packet.set(targetHardware, fixedBytes + length + 4);
  packet.set(targetAddress, fixedBytes + length + 4 + length);
  return packet;
}

/** "Who has this address?", asked without claiming one (RFC 5227, 2.1.1). */
export function buildArpProbe(hardwareType: number, own: Uint8Array, address: Uint8Array): Uint8Array {
  const nothing = new Uint8Array(own.length);
  return buildArp(hardwareType, arpOperation.request, own, new Uint8Array(4), nothing, address);
}

/** "Who has this address? Tell me", asked as any host does: neighbours learn nothing but where the asker is. */
export function buildArpRequest(
  hardwareType: number,
  own: Uint8Array,
  sender: Uint8Array,
  address: Uint8Array,
): Uint8Array {
  return buildArp(hardwareType, arpOperation.request, own, sender, new Uint8Array(own.length), address);
}

/** "This address is mine" (RFC 5944, 4.6; RFC 5227, 2.3). */
export function buildArpAnnouncement(
  hardwareType: number,
  own: Uint8Array,
  address: Uint8Array,
  form: "request" | "reply",
): Uint8Array {
  const target = form === "reply" ? own : new Uint8Array(own.length);
  return buildArp(hardwareType, arpOperation[form], own, address, target, address);
}

/** `null` for anything but a whole ARP packet for IPv4. What follows it (padding of short frames) is ignored. */
export function readArp(packet: Uint8Array): ArpPacket | null {
  if (packet.length < fixedBytes) return null;
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const length = packet[4]!;
  if (view.getUint16(2) !== protocolIpv4 || packet[5] !== 4) return null;
  if (packet.length < fixedBytes + 2 * (length + 4)) return null;
  const senderAddress = fixedBytes + length;
  const target = senderAddress + 4;
  return {
    operation: view.getUint16(6),
    senderHardware: packet.slice(fixedBytes, senderAddress),
    senderAddress: addressText(packet.subarray(senderAddress, target)),
    targetHardware: packet.slice(target, target + length),
    targetAddress: addressText(packet.subarray(target + length, target + length + 4)),
  };
}
