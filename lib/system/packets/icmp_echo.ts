/**
 * ICMP echo messages (RFC 792, RFC 4443 section 4) to and from bytes. Pure.
 */

import { internetChecksum } from "./checksum.ts";
import type { Family } from "./ip_address.ts";

export const echoRequestType: Record<Family, number> = { 4: 8, 6: 128 };
export const echoReplyType: Record<Family, number> = { 4: 0, 6: 129 };
const headerBytes = 8;

export interface EchoMessage {
  readonly identifier: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** The checksum of ICMPv6 needs addresses, and is put in by the kernel. */
export function buildEchoRequest(family: Family, message: EchoMessage): Uint8Array {
  const bytes = new Uint8Array(headerBytes + message.payload.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = echoRequestType[family];
  view.setUint16(4, message.identifier & 0xffff);
  view.setUint16(6, message.sequence & 0xffff);
  bytes.set(message.payload, headerBytes);
  if (family === 4) view.setUint16(2, internetChecksum(bytes));
  return bytes;
}

/** `null` for anything but an echo reply. The kernel has checked what it hands out, but not on raw IPv4 sockets. */
export function readEchoReply(family: Family, bytes: Uint8Array): EchoMessage | null {
  if (bytes.length < headerBytes || bytes[0] !== echoReplyType[family] || bytes[1] !== 0) return null;
  if (family === 4 && internetChecksum(bytes) !== 0) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    identifier: view.getUint16(4),
    sequence: view.getUint16(6),
    payload: bytes.slice(headerBytes),
  };
}

/** What follows the header of an IPv4 packet; `null` when it is cut off. */
export function ipv4Payload(packet: Uint8Array): Uint8Array | null {
  const headerLength = ((packet[0] ?? 0) & 0x0f) * 4;
  if (packet[0]! >> 4 !== 4 || headerLength < 20 || packet.length < headerLength) return null;
  return packet.subarray(headerLength);
}
