/**
 * Turns sniffed packets into pieces of evidence: one for each sender and thing it speaks of, counted. Pure, apart from
 * the mark that it is given to compare passwords by. What strangers send costs a bounded amount of memory.
 */

import type { Authentication } from "../../core/settings.ts";
import { type CarpAdvertisement, readCarp } from "../../system/packets/carp.ts";
import { addressText, isSameBytes } from "../../system/packets/ip_address.ts";
import { readRefusal } from "../../system/packets/icmp_unreachable.ts";
import { type IpPacket, ipProtocol, readIpPacket, readUdp } from "../../system/packets/ip_packet.ts";
import { arpClaim, ndClaim, type NeighbourClaim } from "../../system/packets/neighbour_claim.ts";
import { readVrrp, type VrrpAdvertisement, vrrpGroups } from "../../system/packets/vrrp.ts";
import type { SniffedPacket } from "../../system/sniffer.ts";
import { type HeardBeat, readBeat } from "./beat.ts";
import type { BeatSpeaker, CarpSpeaker, ClaimsHeard, TrafficPiece, VrrpSpeaker } from "./pieces.ts";

/** Senders, and addresses claimed, that are told apart. Too low hides one; too high is memory for any stranger. */
const senderCountMax = 256;
const claimantCountMax = 16;
const ethernetTypeArp = 0x0806;

type Speaker = VrrpSpeaker | CarpSpeaker | BeatSpeaker;

export interface TallyOptions {
  /** To verify heartbeats; `null`: take them as they come. */
  readonly authentication: Authentication | null;
  /** Addresses whose claims matter. */
  readonly addresses: ReadonlySet<string>;
  /** Turns a password into a mark that is good for comparing within one run. */
  mark(secret: string): string;
}

export class TrafficTally {
  readonly #speakers = new Map<string, Speaker>();
  readonly #statusAtMs = new Map<string, { first: number; last: number; count: number }>();
  readonly #claims = new Map<string, MutableClaims>();
  /** `ADDRESS PORT` that kernels refused packets for. */
  readonly #refused = new Set<string>();

  constructor(readonly options: TallyOptions) {}

  /** `atMs` is when it was heard, on the clock of `pieces`. */
  add(packet: SniffedPacket, atMs: number): void {
    if (packet.ethernetType === ethernetTypeArp) {
      const claim = arpClaim(packet.bytes);
      if (claim !== null && packet.direction === "in") this.#addClaim(packet.device, claim, atMs);
      return;
    }
    const ip = readIpPacket(packet.bytes);
    if (ip === null) return;
    switch (ip.protocol) {
      case ipProtocol.icmp:
        this.#addRefusal(packet, ip);
        break;
      case ipProtocol.icmp6: {
        this.#addRefusal(packet, ip);
        const claim = ndClaim(packet.bytes, new Uint8Array());
        if (claim !== null && packet.direction === "in") this.#addClaim(packet.device, claim, atMs);
        break;
      }
      case ipProtocol.udp:
        this.#addDatagram(packet, ip, atMs);
        break;
      case ipProtocol.vrrp: {
        const carp = readCarp(ip);
        const vrrp = carp === null ? readVrrp(ip) : null;
        if (carp !== null) this.#addSpeaker(carpSpeaker(packet, ip, carp, atMs));
        if (vrrp !== null) this.#addSpeaker(this.#vrrpSpeaker(packet, ip, vrrp, atMs));
      }
    }
  }

  /** `nowMs` is on the clock of `add`. */
  pieces(nowMs: number): TrafficPiece[] {
    const aged = <P extends TrafficPiece>(piece: P): P => ({
      ...piece,
      ageMs: Math.round(nowMs - piece.ageMs),
    });
    return [
      ...[...this.#speakers].map(([key, speaker]) =>
        aged(speaker.kind === "beats" ? { ...speaker, intervalMs: this.#intervalMs(key) } : speaker)
      ),
      ...[...this.#claims.values()].map(({ claimants, last: _, ...claims }) =>
        aged<ClaimsHeard>({
          ...claims,
          claimants: [...claimants].map(([hardware, count]) => ({ hardware, count })),
        })
      ),
    ];
  }

  /** Whether the kernel at an address was heard refusing what was sent there. `port` `null`: VRRP. */
  isRefused(address: string, port: number | null): boolean {
    return this.#refused.has(`${address} ${port}`);
  }

  #addRefusal({ direction }: SniffedPacket, ip: IpPacket): void {
    const refusal = readRefusal(ip);
    if (refusal === null || direction === "out" || this.#refused.size >= senderCountMax) return;
    this.#refused.add(`${addressText(ip.source)} ${refusal.port}`);
  }

  /** The first sighting is kept under its key; later ones replace it and raise its count. */
  #addSpeaker(speaker: Speaker): string | null {
    const key = keyOf(speaker);
    const known = this.#speakers.get(key);
    if (known === undefined && this.#speakers.size >= senderCountMax) return null;
    const merged = { ...speaker, count: (known?.count ?? 0) + 1 } as Speaker;
    this.#speakers.set(
      key,
      known?.kind === "beats" && merged.kind === "beats" ? kept(known, merged) : merged,
    );
    return key;
  }

  #addDatagram(packet: SniffedPacket, ip: IpPacket, atMs: number): void {
    const udp = readUdp(ip.payload);
    const beat = udp === null ? null : readBeat(udp.payload, this.options.authentication);
    if (udp === null || beat === null) return;
    const key = this.#addSpeaker({
      kind: "beats",
      ...heardFrom(packet, ip, atMs),
      subject: beat.node,
      to: addressText(ip.destination),
      port: udp.port,
      ...withoutStatus(beat),
      intervalMs: null,
      bytesMax: udp.payload.length,
    });
    if (key === null || !beat.isStatus) return;
    const status = this.#statusAtMs.get(key);
    if (status === undefined) this.#statusAtMs.set(key, { first: atMs, last: atMs, count: 1 });
    else Object.assign(status, { last: atMs, count: status.count + 1 });
  }

  #intervalMs(key: string): number | null {
    const status = this.#statusAtMs.get(key);
    if (status === undefined || status.count < 3) return null;
    return Math.round((status.last - status.first) / (status.count - 1));
  }

  #vrrpSpeaker(packet: SniffedPacket, ip: IpPacket, vrrp: VrrpAdvertisement, atMs: number): VrrpSpeaker {
    const { authentication, ...rest } = vrrp;
    const secret = authentication.kind === "password"
      ? authentication.password
      : authentication.kind === "hmac"
      ? `key ${authentication.keyId}`
      : null;
    return {
      ...rest,
      ...heardFrom(packet, ip, atMs),
      subject: `router ${vrrp.routerId}`,
      authentication: authentication.kind,
      secretMark: secret === null ? null : this.options.mark(secret),
      isUnicast: !isSameBytes(ip.destination, vrrpGroups[vrrp.family]),
      hops: ip.hops,
    };
  }

  #addClaim(device: string, claim: NeighbourClaim, atMs: number): void {
    if (!claim.isGratuitous || !this.options.addresses.has(claim.address)) return;
    const key = `${device} ${claim.address}`;
    const known = this.#claims.get(key);
    if (known === undefined) {
      if (this.#claims.size >= senderCountMax) return;
      this.#claims.set(key, {
        ...{ kind: "claims", source: "sniffer", subject: claim.address, device, ageMs: atMs, flips: 0 },
        claimants: new Map([[claim.hardware, 1]]),
        last: claim.hardware,
      });
      return;
    }
    if (!known.claimants.has(claim.hardware) && known.claimants.size >= claimantCountMax) return;
    known.claimants.set(claim.hardware, (known.claimants.get(claim.hardware) ?? 0) + 1);
    if (known.last !== claim.hardware) known.flips++;
    known.last = claim.hardware;
    known.ageMs = atMs;
  }
}

interface MutableClaims extends Omit<ClaimsHeard, "claimants" | "flips" | "ageMs"> {
  ageMs: number;
  flips: number;
  last: string;
  readonly claimants: Map<string, number>;
}

function heardFrom({ device, direction }: SniffedPacket, ip: IpPacket, atMs: number) {
  return {
    ...{ source: "sniffer", device, direction, count: 1 } as const,
    from: addressText(ip.source),
    ageMs: atMs,
  };
}

function carpSpeaker(
  packet: SniffedPacket,
  ip: IpPacket,
  carp: CarpAdvertisement,
  atMs: number,
): CarpSpeaker {
  const { digest: _, ...rest } = carp;
  return { ...rest, ...heardFrom(packet, ip, atMs), subject: `host ${carp.hostId}` };
}

/** What makes a sighting another one: a change of settings at a sender must not overwrite what it said before. */
function keyOf(speaker: Speaker): string {
  const { kind, device, direction, from, subject } = speaker;
  const detail = speaker.kind === "vrrp"
    ? [speaker.version, speaker.secretMark, speaker.checksum]
    : speaker.kind === "beats"
    ? [speaker.to, speaker.port, speaker.keyIndex, speaker.refusal]
    : [];
  return JSON.stringify([kind, device, direction, from, subject, ...detail]);
}

/** Not every message carries everything: what the last one left out stays as it was said before. */
function kept(before: BeatSpeaker, now: BeatSpeaker): BeatSpeaker {
  return {
    ...now,
    deadTimeMs: now.deadTimeMs ?? before.deadTimeMs,
    settingsHash: now.settingsHash ?? before.settingsHash,
    hears: now.hears ?? before.hears,
    bytesMax: Math.max(now.bytesMax, before.bytesMax),
  };
}

function withoutStatus({ node: _, isStatus: __, ...rest }: HeardBeat) {
  return rest;
}
