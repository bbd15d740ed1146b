/**
 * "Nobody listens here": the ICMP errors by which a kernel refuses a packet for a port or a protocol without a program
 * behind it (RFC 792, RFC 4443 3.1), from bytes. Pure. What was refused is quoted in the error.
 */

import { type IpPacket, ipProtocol } from "./ip_packet.ts";
import type { Family } from "./ip_address.ts";

export interface Refusal {
  /** Of the packet that was refused. */
  readonly protocol: number;
  /** UDP destination port; `null`: another protocol, or the quotation is too short. */
  readonly port: number | null;
}

const headerBytes = 8;
/** Of IPv4 protocol and port, of IPv6 port. */
const unreachableCodes: Readonly<Record<Family, readonly number[]>> = { 4: [2, 3], 6: [4] };
export const unreachableType: Readonly<Record<Family, number>> = { 4: 3, 6: 1 };

/** `null` for anything else. */
export function readRefusal(packet: IpPacket): Refusal | null {
  const family = packet.source.length === 4 ? 4 : 6;
  if (packet.protocol !== (family === 4 ? ipProtocol.icmp : ipProtocol.icmp6)) return null;
  const [type, code] = packet.payload;
  if (type !== unreachableType[family] || !unreachableCodes[family].includes(code ?? -1)) return null;
  const quoted = packet.payload.subarray(headerBytes);
  const innerBytes = family === 4 ? (quoted[0]! & 15) * 4 : 40;
  const protocol = quoted[family === 4 ? 9 : 6];
  if (protocol === undefined || quoted.length < innerBytes || innerBytes < 20) return null;
  const [high, low] = quoted.subarray(innerBytes + 2);
  const hasPort = protocol === ipProtocol.udp && high !== undefined && low !== undefined;
  return { protocol, port: hasPort ? (high << 8) | low : null };
}
