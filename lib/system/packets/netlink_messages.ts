/**
 * Bytes of the kernel's routing netlink (rtnetlink(7)): requests built, answers read. Pure. Numbers are in the
 * machine's byte order, which is little-endian on everything we run on; addresses are in network order.
 *
 * What is truncated or unknown is left out, never guessed.
 */

import { addressText, type Family } from "./ip_address.ts";

export const RTM = {
  NEWLINK: 16,
  DELLINK: 17,
  GETLINK: 18,
  NEWADDR: 20,
  DELADDR: 21,
  GETADDR: 22,
  NEWROUTE: 24,
  GETROUTE: 26,
  NEWNEIGH: 28,
} as const;
export const NLMSG = { ERROR: 2, DONE: 3 } as const;
export const NLM_F = {
  REQUEST: 1,
  ACK: 4,
  DUMP_INTERRUPTED: 0x10,
  REPLACE: 0x100,
  DUMP: 0x300,
  CREATE: 0x400,
};
const IFF = { UP: 0x1, LOOPBACK: 0x8, NOARP: 0x80, LOWER_UP: 0x10000 };
const headerBytes = 16;

/** Flags of an address (if_addr.h) that callers ask about. */
export const IFA_F = {
  SECONDARY: 0x01,
  NODAD: 0x02,
  DADFAILED: 0x08,
  DEPRECATED: 0x20,
  TENTATIVE: 0x40,
  PERMANENT: 0x80,
  NOPREFIXROUTE: 0x200,
} as const;
export const familyNumber: Record<Family, number> = { 4: 2, 6: 10 };
export const foreverSeconds = 0xffffffff;

export interface LinkInfo {
  readonly index: number;
  readonly name: string;
  /** Link-layer address; its length is the interface's: 6 for Ethernet, 20 for InfiniBand, 0 for a tunnel. */
  readonly hardware: Uint8Array;
  readonly broadcast: Uint8Array;
  /** ARP hardware type (ARPHRD): 1 Ethernet, 32 InfiniBand, 772 loopback. */
  readonly type: number;
  readonly mtu: number;
  /** Administratively up. */
  readonly isUp: boolean;
  /** The lower layer is up too: a cable with something at the other end. */
  readonly hasCarrier: boolean;
  /** Has neighbours that answer ARP or ND: no loopback, no tunnel without link-layer addresses. */
  readonly hasNeighbours: boolean;
}

export interface AddressInfo {
  readonly index: number;
  readonly family: Family;
  readonly address: string;
  readonly prefix: number;
  /** IPv4 only. */
  readonly label: string | null;
  /** What is left of its life; `null`: forever. */
  readonly validSeconds: number | null;
  /** Bits of `IFA_F`. */
  readonly flags: number;
}

export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly body: Uint8Array;
}

/** One attribute: its number and its value. */
export type Attribute = readonly [type: number, value: Uint8Array];

export function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

/** A whole request: header, fixed part (a multiple of four bytes), attributes. */
export function buildMessage(
  type: number,
  flags: number,
  sequence: number,
  fixed: Uint8Array,
  attributes: readonly Attribute[],
): Uint8Array {
  const lengths = attributes.map(([, value]) => align(4 + value.length));
  const total = headerBytes + fixed.length + lengths.reduce((sum, length) => sum + length, 0);
  const message = new Uint8Array(total);
  const view = new DataView(message.buffer);
  view.setUint32(0, total, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags, true);
  view.setUint32(8, sequence, true);
  message.set(fixed, headerBytes);
  let offset = headerBytes + fixed.length;
  attributes.forEach(([attributeType, value], index) => {
    view.setUint16(offset, 4 + value.length, true);
    view.setUint16(offset + 2, attributeType, true);
    message.set(value, offset + 4);
    offset += lengths[index]!;
  });
  return message;
}

/** struct ndmsg for a neighbour that is known to be reachable (NUD_REACHABLE). */
export function reachableNeighbour(family: Family, index: number): Uint8Array {
  const fixed = new Uint8Array(12);
  const view = new DataView(fixed.buffer);
  fixed[0] = familyNumber[family];
  view.setInt32(4, index, true);
  view.setUint16(8, 2, true);
  return fixed;
}

/** struct ifaddrmsg, the fixed part of the address messages. */
export function addressHeader(family: Family, prefix: number, flags: number, scope: number, index: number) {
  const bytes = new Uint8Array(8);
  bytes.set([familyNumber[family], prefix, flags & 0xff, scope]);
  new DataView(bytes.buffer).setUint32(4, index, true);
  return bytes;
}

/** The messages of one datagram; a last message that is cut off is left out. */
export function readMessages(datagram: Uint8Array): NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  let offset = 0;
  while (offset + headerBytes <= datagram.length) {
    const length = view.getUint32(offset, true);
    if (length < headerBytes || offset + length > datagram.length) break;
    messages.push({
      type: view.getUint16(offset + 4, true),
      flags: view.getUint16(offset + 6, true),
      sequence: view.getUint32(offset + 8, true),
      body: datagram.subarray(offset + headerBytes, offset + length),
    });
    offset += align(length);
  }
  return messages;
}

/** The attributes that follow `fixedBytes` of fixed part; a later one of the same type replaces the earlier. */
function readAttributes(body: Uint8Array, fixedBytes: number): Map<number, Uint8Array> {
  const attributes = new Map<number, Uint8Array>();
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  let offset = fixedBytes;
  while (offset + 4 <= body.length) {
    const length = view.getUint16(offset, true);
    if (length < 4 || offset + length > body.length) break;
    attributes.set(view.getUint16(offset + 2, true) & 0x3fff, body.subarray(offset + 4, offset + length));
    offset += align(length);
  }
  return attributes;
}

/** The positive error number of an NLMSG_ERROR body; 0 is an acknowledgement. */
export function readError(body: Uint8Array): number {
  return body.length < 4 ? 0 : 0 - new DataView(body.buffer, body.byteOffset, 4).getInt32(0, true);
}

/** Body of RTM_NEWLINK or RTM_DELLINK; `null` when it is cut off or names no interface. */
export function readLink(body: Uint8Array): LinkInfo | null {
  const fixedBytes = 16;
  if (body.length < fixedBytes) return null;
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const attributes = readAttributes(body, fixedBytes);
  const name = attributes.get(3);
  if (name === undefined) return null;
  const flags = view.getUint32(8, true);
  const hardware = attributes.get(1)?.slice() ?? new Uint8Array();
  return {
    index: view.getInt32(4, true),
    name: text(name),
    hardware,
    broadcast: attributes.get(2)?.slice() ?? new Uint8Array(),
    type: view.getUint16(2, true),
    mtu: number32(attributes.get(4)) ?? 0,
    isUp: (flags & IFF.UP) !== 0,
    hasCarrier: (flags & IFF.LOWER_UP) !== 0,
    hasNeighbours: hardware.length > 0 && (flags & (IFF.NOARP | IFF.LOOPBACK)) === 0,
  };
}

/** Body of RTM_NEWADDR or RTM_DELADDR; `null` when it is cut off or of another family. */
export function readAddress(body: Uint8Array): AddressInfo | null {
  const fixedBytes = 8;
  if (body.length < fixedBytes) return null;
  const family = body[0] === familyNumber[4] ? 4 : body[0] === familyNumber[6] ? 6 : null;
  if (family === null) return null;
  const attributes = readAttributes(body, fixedBytes);
  // IFA_LOCAL is the address itself; IFA_ADDRESS is the peer's on point-to-point links, and alone in IPv6.
  const address = attributes.get(2) ?? attributes.get(1);
  if (address === undefined || address.length !== (family === 4 ? 4 : 16)) return null;
  const label = attributes.get(3);
  const cache = attributes.get(6);
  const valid = cache === undefined ? undefined : number32(cache.subarray(4));
  return {
    index: new DataView(body.buffer, body.byteOffset, body.byteLength).getUint32(4, true),
    family,
    address: addressText(address),
    prefix: body[1]!,
    label: label === undefined ? null : text(label),
    validSeconds: valid === undefined || valid === foreverSeconds ? null : valid,
    flags: number32(attributes.get(8)) ?? body[2]!,
  };
}

export interface RouteInfo {
  /** 1 unicast, 2 local (the address is this machine's own); others lead nowhere. */
  readonly type: number;
  /** Length of the route's own destination, 0 for a default route. */
  readonly prefix: number;
  readonly index: number | null;
  /** Of either family; `null`: the destination itself is a neighbour. */
  readonly gateway: Uint8Array | null;
}

/** Body of RTM_NEWROUTE. */
export function readRoute(body: Uint8Array): RouteInfo | null {
  const fixedBytes = 12;
  if (body.length < fixedBytes) return null;
  const attributes = readAttributes(body, fixedBytes);
  const viaOtherFamily = 18; // struct rtvia: the family in two bytes, then the address
  return {
    type: body[7]!,
    prefix: body[1]!,
    index: number32(attributes.get(4)),
    gateway: attributes.get(5) ?? attributes.get(viaOtherFamily)?.slice(2) ?? null,
  };
}

function number32(bytes: Uint8Array | undefined): number | null {
  if (bytes === undefined || bytes.length < 4) return null;
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
}

function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

function align(length: number): number {
  return (length + 3) & ~3;
}
