/**
 * IPv4 and IPv6 addresses between text, bytes and subnets. Pure. What it cannot read it answers with `null`; it never
 * guesses (no `10.1` for 10.0.0.1, no leading zeros).
 */

import { isIPv4, isIPv6 } from "node:net";

export type Family = 4 | 6;

/** Bytes of an address in network order, 4 or 16; `null` for what is no address. A `%zone` is not accepted. */
export function addressBytes(text: string): Uint8Array | null {
  if (isIPv4(text)) return Uint8Array.from(text.split("."), Number);
  if (!isIPv6(text) || text.includes("%")) return null;
  const embedded = text.slice(text.lastIndexOf(":") + 1);
  let groupsText = text;
  if (embedded.includes(".")) {
    const [a, b, c, d] = embedded.split(".").map(Number) as [number, number, number, number];
    groupsText = text.slice(0, text.length - embedded.length) +
      `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  }
  const [head, tail] = groupsText.split("::") as [string, string | undefined];
  const front = head === "" ? [] : head.split(":");
  const back = tail === undefined || tail === "" ? [] : tail.split(":");
  const bytes = new Uint8Array(16);
  front.forEach((group, index) => putGroup(bytes, index, group));
  back.forEach((group, index) => putGroup(bytes, 8 - back.length + index, group));
  return bytes;
}

function putGroup(bytes: Uint8Array, index: number, group: string): void {
  const value = parseInt(group, 16);
  bytes[index * 2] = value >> 8;
  bytes[index * 2 + 1] = value & 0xff;
}

/** Canonical text (RFC 5952) of 4 or 16 bytes. */
export function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, index) => (bytes[index * 2]! << 8) | bytes[index * 2 + 1]!);
  let bestStart = -1;
  let bestLength = 1; // a single zero group is never shortened
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > bestLength) [bestStart, bestLength] = [start, length];
  }
  const hex = groups.map((group) => group.toString(16));
  if (bestStart < 0) return hex.join(":");
  return `${hex.slice(0, bestStart).join(":")}::${hex.slice(bestStart + bestLength).join(":")}`;
}

/** 4, 6, or `null` for what is no address. */
export function addressFamily(text: string): Family | null {
  const bytes = addressBytes(text);
  return bytes === null ? null : bytes.length === 4 ? 4 : 6;
}

/** The one text for all spellings of an address; `null` for what is no address. */
export function canonicalAddress(text: string): string | null {
  const bytes = addressBytes(text);
  return bytes === null ? null : addressText(bytes);
}

/** Whether two addresses of the same family agree in their first `prefix` bits. */
export function isSameSubnet(a: Uint8Array, b: Uint8Array, prefix: number): boolean {
  if (a.length !== b.length) return false;
  const whole = prefix >> 3;
  for (let index = 0; index < whole; index++) if (a[index] !== b[index]) return false;
  const rest = prefix & 7;
  return rest === 0 || ((a[whole]! ^ b[whole]!) >> (8 - rest)) === 0;
}

/** `02:00:5e:00:00:01`, for addresses of any length. */
export function hardwareText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(":");
}

/** Equal length and content. */
export function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
