/**
 * CARP advertisements from bytes. Pure. They come under VRRP's protocol number and begin like VRRP version 2; what
 * tells them apart is the authentication length 7 in the fourth byte together with the total length of 36: VRRP with
 * seven addresses has 44.
 */

import { internetChecksum } from "./checksum.ts";
import { type IpPacket, ipProtocol } from "./ip_packet.ts";

const messageBytes = 36;
const authenticationWords = 7;
const versionAndType = 0x21;

export interface CarpAdvertisement {
  readonly kind: "carp";
  readonly hostId: number;
  /** Lower wins; 255 is hardly ever master. */
  readonly skew: number;
  /** Interval of advertisements: the base in seconds and the skew in 1/256 s. */
  readonly intervalMs: number;
  readonly isChecksumRight: boolean;
  /** Counter and keyed hash, as hex. Neither the addresses nor the password can be told from it. */
  readonly digest: string;
}

/** `null` for anything but a CARP advertisement. */
export function readCarp(packet: IpPacket): CarpAdvertisement | null {
  const message = packet.payload;
  if (packet.protocol !== ipProtocol.vrrp || message.length !== messageBytes) return null;
  if (message[0] !== versionAndType || message[3] !== authenticationWords) return null;
  const skew = message[2]!;
  return {
    kind: "carp",
    hostId: message[1]!,
    skew,
    intervalMs: Math.round((message[5]! + skew / 256) * 1000),
    isChecksumRight: internetChecksum(message) === 0,
    digest: Array.from(message.subarray(8), (byte) => byte.toString(16).padStart(2, "0")).join(""),
  };
}
