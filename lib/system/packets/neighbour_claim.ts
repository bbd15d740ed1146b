/**
 * What a neighbour says of an address by ARP or neighbour discovery, in one form for both. Pure; it judges nothing.
 */

import { arpOperation, readArp } from "./arp.ts";
import { hardwareText } from "./ip_address.ts";
import { readNd } from "./nd.ts";

/** Somebody said something about an address. */
export interface NeighbourClaim {
  /** The address that the sender claims, or, for a `probe`, wants to take. */
  readonly address: string;
  /** Link-layer address that goes with it: `02:00:5e:00:00:01`. */
  readonly hardware: string;
  /** `probe`: asks without having an address yet (ARP from 0.0.0.0, solicitation from ::). */
  readonly kind: "request" | "reply" | "probe" | "advertisement" | "solicitation";
  /** The address it asks about or answers to. */
  readonly target: string;
  /** Said to everybody, unasked. */
  readonly isGratuitous: boolean;
}

/** `bytes` begin with the ARP header; `null` for what claims nothing. */
export function arpClaim(bytes: Uint8Array): NeighbourClaim | null {
  const packet = readArp(bytes);
  if (packet === null) return null;
  const hardware = hardwareText(packet.senderHardware);
  const target = packet.targetAddress;
  const isRequest = packet.operation === arpOperation.request;
  if (!isRequest && packet.operation !== arpOperation.reply) return null;
  if (packet.senderAddress === "0.0.0.0") {
    // A reply from nobody claims nothing.
    return isRequest ? { address: target, hardware, kind: "probe", target, isGratuitous: false } : null;
  }
  const isGratuitous = packet.senderAddress === target;
  const kind = isRequest ? "request" : "reply";
  return { address: packet.senderAddress, hardware, kind, target, isGratuitous };
}

/** `bytes` begin with the IPv6 header; `frameSource` is taken where no hardware address is told. */
export function ndClaim(bytes: Uint8Array, frameSource: Uint8Array): NeighbourClaim | null {
  const packet = readNd(bytes);
  if (packet === null) return null;
  const hardware = hardwareText(packet.hardware ?? frameSource);
  const { target } = packet;
  if (packet.kind === "advertisement") {
    return { address: target, hardware, kind: "advertisement", target, isGratuitous: !packet.isSolicited };
  }
  const isProbe = packet.source === "::";
  const address = isProbe ? target : packet.source;
  return { address, hardware, kind: isProbe ? "probe" : "solicitation", target, isGratuitous: false };
}
