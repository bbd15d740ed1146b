/**
 * Pieces of evidence about what was heard on the wire: who speaks VRRP or CARP, who sends heartbeats and whether they
 * verify, who claims an address unasked. `direction` out: this machine itself was heard speaking. They judge nothing,
 * and never hold a secret: passwords are compared by marks that mean nothing outside one run.
 */

import type { VrrpChecksum } from "../../system/packets/vrrp.ts";

interface Heard {
  /** configuration: not heard, but to be expected by a file of this machine; then `count` is 0. */
  readonly source: "sniffer" | "configuration";
  /** Since it was last heard, when the verdict is made. */
  readonly ageMs: number;
  /** Interface. */
  readonly device: string;
  readonly direction: "in" | "out";
  /** IP address of the sender. */
  readonly from: string;
  readonly count: number;
}

/** A sender of VRRP advertisements for one virtual router; `subject` is `router 51`. */
export interface VrrpSpeaker extends Heard {
  readonly kind: "vrrp";
  readonly subject: string;
  readonly version: 2 | 3;
  readonly family: 4 | 6;
  readonly routerId: number;
  /** Of its last advertisement; 0: it resigned. */
  readonly priority: number;
  readonly intervalMs: number;
  readonly addresses: readonly string[];
  readonly authentication: "none" | "password" | "header" | "hmac" | "unknown";
  /** The same for the same password or key id, within one run; `null`: there is none to compare. */
  readonly secretMark: string | null;
  readonly checksum: VrrpChecksum;
  /** It was sent to one peer and not to the group. */
  readonly isUnicast: boolean;
  /** Below 255 a receiver must drop it. */
  readonly hops: number;
}

/** A sender of CARP advertisements; `subject` is `host 7`. */
export interface CarpSpeaker extends Heard {
  readonly kind: "carp";
  readonly subject: string;
  readonly hostId: number;
  readonly skew: number;
  readonly intervalMs: number;
  readonly isChecksumRight: boolean;
}

/** A sender of Heartbeat messages over UDP; `subject` is its node name. */
export interface BeatSpeaker extends Heard {
  readonly kind: "beats";
  /** Believed for what it is worth unless `isAuthentic`. */
  readonly subject: string;
  readonly to: string;
  readonly port: number;
  /** Index of the key that it says it signs with; `null`: it does not sign. */
  readonly keyIndex: number | null;
  /** As the length of its token tells. */
  readonly method: "crc" | "md5" | "sha1" | "sha256" | null;
  /** By the keys at hand; `null`: there are none. */
  readonly isAuthentic: boolean | null;
  /** Why it is not: `wrong-key`, `unknown-key`…; `null`: it is, or nobody knows. */
  readonly refusal: string | null;
  /** What it asks others to wait before they take it for dead; `null`: not said. */
  readonly deadTimeMs: number | null;
  /** Mean time between two of its status messages; `null`: fewer than three were heard. */
  readonly intervalMs: number | null;
  /** Largest message, in bytes of UDP payload. */
  readonly bytesMax: number;
  /** Hash of the settings that must agree; `null`: no Heartline node. */
  readonly settingsHash: string | null;
  /** Nodes that it says it hears on some link; `null`: no Heartline node. */
  readonly hears: readonly string[] | null;
}

/** Who claimed an address unasked; `subject` is the address. */
export interface ClaimsHeard {
  readonly kind: "claims";
  readonly source: "sniffer";
  readonly subject: string;
  readonly ageMs: number;
  readonly device: string;
  readonly claimants: ReadonlyArray<{ readonly hardware: string; readonly count: number }>;
  /** How often the claimant changed. */
  readonly flips: number;
}

export type TrafficPiece = VrrpSpeaker | CarpSpeaker | BeatSpeaker | ClaimsHeard;
