/**
 * IPv4 and IPv6 addresses as text, without help from the platform: strict reading and the one canonical spelling
 * (RFC 5952), so that the same address always compares equal. No zone, no port, no prefix.
 */

export interface Address {
  readonly family: 4 | 6;
  /** Canonical text. */
  readonly text: string;
}

/** `null`: not an address. Leading zeros in IPv4 are refused, because some programs read them as octal. */
export function parseAddress(text: string): Address | null {
  const groups = text.includes(":") ? parseIpv6(text) : null;
  if (groups !== null) return { family: 6, text: formatIpv6(groups) };
  const bytes = parseIpv4(text);
  return bytes === null ? null : { family: 4, text: bytes.join(".") };
}

/** Why an address cannot belong to one machine, or `null` when it can. */
export function unusableReason(address: Address): string | null {
  if (address.family === 4) {
    const first = Number(address.text.split(".")[0]);
    if (first === 0) return "it begins with 0";
    if (first >= 224 && first <= 239) return "it is a multicast address";
    if (first >= 240) return "it is reserved or a broadcast address";
    return null;
  }
  if (address.text === "::") return "it is the unspecified address";
  return address.text.startsWith("ff") ? "it is a multicast address" : null;
}

/** Length of the prefix, from `24` or `255.255.255.0`; `null`: neither. */
export function parsePrefix(text: string, family: 4 | 6): number | null {
  const bitsMax = family === 4 ? 32 : 128;
  if (/^\d{1,3}$/.test(text)) {
    const bits = Number(text);
    return bits >= 1 && bits <= bitsMax ? bits : null;
  }
  const bytes = family === 4 ? parseIpv4(text) : null;
  if (bytes === null) return null;
  const mask = bytes.map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return /^1+0*$/.test(mask) ? mask.lastIndexOf("1") + 1 : null;
}

function parseIpv4(text: string): number[] | null {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part))) return null;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : null;
}

/** Eight groups of 16 bits. */
function parseIpv6(text: string): number[] | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const [head, tail] = halves.map((half, index) => groupsOf(half, index === halves.length - 1));
  if (head === null || head === undefined || tail === null) return null;
  if (tail === undefined) return head.length === 8 ? head : null;
  const missing = 8 - head.length - tail.length;
  return missing >= 1 ? [...head, ...new Array<number>(missing).fill(0), ...tail] : null;
}

function groupsOf(half: string, isLast: boolean): number[] | null {
  if (half === "") return [];
  const groups: number[] = [];
  const parts = half.split(":");
  for (const [index, part] of parts.entries()) {
    if (part.includes(".") && isLast && index === parts.length - 1) {
      const bytes = parseIpv4(part);
      if (bytes === null) return null;
      const [a = 0, b = 0, c = 0, d = 0] = bytes;
      groups.push(a * 256 + b, c * 256 + d);
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) {
      groups.push(parseInt(part, 16));
    } else {
      return null;
    }
  }
  return groups;
}

/** RFC 5952: lower case, no leading zeros, the longest run of at least two zero groups (the first of equals) as `::`. */
function formatIpv6(groups: readonly number[]): string {
  let runStart = -1;
  let runLength = 1;
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (end < 8 && groups[end] === 0) end++;
    if (end - start > runLength) [runStart, runLength] = [start, end - start];
  }
  const hex = groups.map((group) => group.toString(16));
  if (runStart < 0) return hex.join(":");
  return `${hex.slice(0, runStart).join(":")}::${hex.slice(runStart + runLength).join(":")}`;
}
