/**
 * Takes the IP header off a packet, of either version, and tells what is behind it. Pure. Fragments and packets that
 * are cut off are answered with `null`: what is wanted of them is never that large.
 */

const headerBytes = { 4: 20, 6: 40 } as const;
export const ipProtocol = {
  icmp: 1,
  tcp: 6,
  udp: 17,
  authenticationHeader: 51,
  icmp6: 58,
  vrrp: 112,
} as const;
const udpHeaderBytes = 8;

export interface IpPacket {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  /** Of what `payload` begins with, after an authentication header was taken off. */
  readonly protocol: number;
  /** Time to live, or hop limit. */
  readonly hops: number;
  /** Sent under an authentication header (RFC 4302), which is not verified. */
  readonly isAuthenticated: boolean;
  readonly payload: Uint8Array;
}

export interface UdpDatagram {
  readonly sourcePort: number;
  readonly port: number;
  readonly payload: Uint8Array;
}

/** Of IPv6, extension headers other than the authentication header are not followed. */
export function readIpPacket(packet: Uint8Array): IpPacket | null {
  const version = (packet[0] ?? 0) >> 4;
  const bare = version === 4 ? readFour(packet) : version === 6 ? readSix(packet) : null;
  if (bare === null || bare.protocol !== ipProtocol.authenticationHeader) return bare;
  return withoutAuthenticationHeader(bare);
}

/** `null` for what is cut off. The checksum is not looked at: sending hardware often fills it in after us. */
export function readUdp(message: Uint8Array): UdpDatagram | null {
  if (message.length < udpHeaderBytes) return null;
  const view = viewOf(message);
  const length = view.getUint16(4);
  if (length < udpHeaderBytes || length > message.length) return null;
  return {
    sourcePort: view.getUint16(0),
    port: view.getUint16(2),
    payload: message.subarray(udpHeaderBytes, length),
  };
}

function readFour(packet: Uint8Array): IpPacket | null {
  if (packet.length < headerBytes[4]) return null;
  const view = viewOf(packet);
  const start = (packet[0]! & 15) * 4;
  const length = view.getUint16(2);
  const moreFragmentsOrOffset = 0x3fff;
  if (start < headerBytes[4] || length < start || length > packet.length) return null;
  if ((view.getUint16(6) & moreFragmentsOrOffset) !== 0) return null;
  return {
    source: packet.slice(12, 16),
    destination: packet.slice(16, 20),
    protocol: packet[9]!,
    hops: packet[8]!,
    isAuthenticated: false,
    payload: packet.subarray(start, length),
  };
}

function readSix(packet: Uint8Array): IpPacket | null {
  if (packet.length < headerBytes[6]) return null;
  const end = headerBytes[6] + viewOf(packet).getUint16(4);
  if (end > packet.length) return null;
  return {
    source: packet.slice(8, 24),
    destination: packet.slice(24, 40),
    protocol: packet[6]!,
    hops: packet[7]!,
    isAuthenticated: false,
    payload: packet.subarray(headerBytes[6], end),
  };
}

/** Next header, length in words of four bytes less two, and from there on (RFC 4302, 2). */
function withoutAuthenticationHeader(outer: IpPacket): IpPacket | null {
  const [next, words] = outer.payload;
  if (next === undefined || words === undefined) return null;
  const start = (words + 2) * 4;
  if (start > outer.payload.length) return null;
  return { ...outer, protocol: next, isAuthenticated: true, payload: outer.payload.subarray(start) };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
