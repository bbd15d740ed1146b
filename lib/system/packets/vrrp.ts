/**
 * VRRP advertisements, versions 2 (RFC 3768) and 3 (RFC 9568), from bytes. Pure. It reads what is sent, right or wrong,
 * and says of the checksum how it was computed: finding peers that disagree about that is what it is for.
 *
 * RFC 9568 leaves the pseudo-header out of the checksum over IPv4; its predecessor RFC 5798 was read either way, and
 * keepalived puts it in unless told otherwise. Both are tried.
 */

import { internetChecksum, pseudoHeaderChecksum } from "./checksum.ts";
import { type IpPacket, ipProtocol } from "./ip_packet.ts";
import { addressText, type Family } from "./ip_address.ts";

export const vrrpGroups: Readonly<Record<Family, Uint8Array>> = {
  4: Uint8Array.of(224, 0, 0, 18),
  6: Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12),
};

const headerBytes = 8;
const passwordBytes = 8;
/** keepalived's `auth_hmac`: type, key id, time, counter, truncated HMAC-SHA-256. */
const hmacTrailerBytes = 28;
const hmacTrailerType = 1;

/** How the checksum was computed; `wrong`: in no way that is known. */
export type VrrpChecksum = "plain" | "with-pseudo-header" | "with-group-pseudo-header" | "wrong";

export type VrrpAuthentication =
  | { readonly kind: "none" }
  /** Eight bytes in plain text (`auth_type PASS`). Never shown: it is compared only. */
  | { readonly kind: "password"; readonly password: string }
  /** An IP authentication header (`auth_type AH`). */
  | { readonly kind: "header" }
  /** keepalived's trailer (`auth_hmac`). */
  | { readonly kind: "hmac"; readonly keyId: number }
  | { readonly kind: "unknown"; readonly type: number };

export interface VrrpAdvertisement {
  readonly kind: "vrrp";
  readonly version: 2 | 3;
  readonly family: Family;
  readonly routerId: number;
  /** 0: the master resigns. 255: it owns the address. */
  readonly priority: number;
  readonly intervalMs: number;
  /** Canonical texts, in the order sent. */
  readonly addresses: readonly string[];
  readonly authentication: VrrpAuthentication;
  readonly checksum: VrrpChecksum;
}

/** `null` for what is no whole advertisement. CARP, which begins alike, must have been ruled out before. */
export function readVrrp(packet: IpPacket): VrrpAdvertisement | null {
  const message = packet.payload;
  if (packet.protocol !== ipProtocol.vrrp || message.length < headerBytes) return null;
  const version = message[0]! >> 4;
  const isAdvertisement = (message[0]! & 15) === 1;
  if (!isAdvertisement || (version !== 2 && version !== 3)) return null;
  const family = packet.source.length === 4 ? 4 : 6;
  if (version === 2 && family === 6) return null;
  const addressesEnd = headerBytes + message[3]! * packet.source.length;
  if (message.length < addressesEnd) return null;
  const common = {
    kind: "vrrp",
    family,
    routerId: message[1]!,
    priority: message[2]!,
    addresses: addressesOf(message.subarray(headerBytes, addressesEnd), packet.source.length),
  } as const;
  const trailer = message.subarray(addressesEnd);
  return version === 2
    ? {
      ...common,
      version,
      intervalMs: message[5]! * 1000,
      authentication: secondAuthentication(packet, message[4]!, trailer),
      checksum: checksumOf([message, message.subarray(0, addressesEnd + passwordBytes)], internetChecksum)
        ? "plain"
        : "wrong",
    }
    : {
      ...common,
      version,
      intervalMs: (((message[4]! & 15) << 8) | message[5]!) * 10,
      authentication: hmacOf(trailer) ?? { kind: "none" },
      checksum: thirdChecksum(packet, [message, message.subarray(0, addressesEnd)]),
    };
}

function addressesOf(bytes: Uint8Array, length: number): string[] {
  return Array.from(
    { length: bytes.length / length },
    (_, index) => addressText(bytes.subarray(index * length, (index + 1) * length)),
  );
}

function secondAuthentication(packet: IpPacket, type: number, trailer: Uint8Array): VrrpAuthentication {
  if (packet.isAuthenticated) return { kind: "header" };
  const hmac = hmacOf(trailer.subarray(passwordBytes)) ?? hmacOf(trailer);
  if (hmac !== null) return hmac;
  switch (type) {
    case 0:
      return { kind: "none" };
    case 1: {
      const bytes = trailer.subarray(0, passwordBytes);
      const end = bytes.indexOf(0);
      return {
        kind: "password",
        password: String.fromCharCode(...(end < 0 ? bytes : bytes.subarray(0, end))),
      };
    }
    default:
      return { kind: "unknown", type };
  }
}

function hmacOf(trailer: Uint8Array): VrrpAuthentication | null {
  if (trailer.length !== hmacTrailerBytes || trailer[0] !== hmacTrailerType) return null;
  return { kind: "hmac", keyId: trailer[1]! };
}

/** With a trailer it is not said what the checksum covers: the whole message, or what comes before the trailer. */
function checksumOf(messages: readonly Uint8Array[], sum: (message: Uint8Array) => number): boolean {
  return messages.some((message) => sum(message) === 0);
}

function thirdChecksum(packet: IpPacket, messages: readonly Uint8Array[]): VrrpChecksum {
  const { source, destination } = packet;
  const withPseudo = (to: Uint8Array) => (message: Uint8Array) =>
    pseudoHeaderChecksum(source, to, ipProtocol.vrrp, message);
  if (checksumOf(messages, withPseudo(destination))) return "with-pseudo-header";
  if (source.length === 4 && checksumOf(messages, internetChecksum)) return "plain";
  // Older keepalived computed it for the group even when it sent to one peer.
  if (checksumOf(messages, withPseudo(vrrpGroups[source.length === 4 ? 4 : 6]))) {
    return "with-group-pseudo-header";
  }
  return "wrong";
}
