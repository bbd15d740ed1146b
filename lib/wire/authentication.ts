/**
 * Decides whether a packet was made by someone who has one of our keys (protocol reference, section 4), and signs
 * what we send. A packet claims an entry by its index; what verifies it is
 *
 * - entry N's method with entry N's key, in both encodings: so several keys can be valid while one is being rotated;
 * - over netstring also entry N's method with the key that we sign with, because that is what a real daemon
 *   computes there (section 4.3). Never when the key we sign with is empty: everyone knows the empty key.
 *
 * It must never accept an entry that is not configured, a keyed method without a key, or `crc` on a medium that
 * strangers reach, unless the operator allowed it. Tokens are compared in constant time.
 */

import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Authentication, AuthenticationKey, AuthenticationMethod } from "../core/settings.ts";
import { InvariantError } from "../errors.ts";
import { crc32 } from "./crc32.ts";
import { type Decoded, quote, refuse, type Refused } from "./decoding.ts";

const indexMax = 15;

/** `INDEX TOKEN`, for the bytes that the encoding signs. */
export function sign(authentication: Authentication, signed: readonly Uint8Array[]): string {
  const key = signingKey(authentication);
  if (key === undefined) {
    throw new InvariantError(`no authentication key with index ${authentication.signWith}`);
  }
  return `${key.index} ${token(key.method, key.secret, signed)}`;
}

/** `null`: the packet is authentic. */
export function verify(packet: Decoded, authentication: Authentication, isPrivate: boolean): Refused | null {
  if (packet.claim === null) return refuse("no-authentication", "carries no authentication");
  const claim = readClaim(packet.claim);
  if (claim === null) return refuse("malformed", `${quote(packet.claim)} is not an index and a token`);
  const key = authentication.keys.find((key) => key.index === claim.index);
  if (key === undefined) {
    return refuse("unknown-key", `signed with key ${claim.index}, which is not configured here`);
  }
  const { method } = key;
  if (method === "crc" && !isPrivate && !authentication.allowCrc) {
    return refuse(
      "method-refused",
      `key ${key.index} is crc, which anyone can compute and is not allowed here`,
    );
  }
  if (method !== "crc" && key.secret === "") {
    return refuse("method-refused", `key ${key.index} has no secret`);
  }
  if (matches(claim.token, token(method, key.secret, packet.signed))) return null;
  if (packet.encoding === "netstring" && method !== "crc") {
    const own = signingKey(authentication);
    if (
      own !== undefined && own.index !== key.index && own.method !== "crc" && own.secret !== "" &&
      matches(claim.token, token(method, own.secret, packet.signed))
    ) return null;
  }
  return refuse(
    "wrong-key",
    `does not verify with key ${key.index} (${method}): another secret, another method, or altered on the way`,
  );
}

function signingKey(authentication: Authentication): AuthenticationKey | undefined {
  return authentication.keys.find((key) => key.index === authentication.signWith);
}

/** The lower-case hex digits that follow the index. The secret counts as the UTF-8 bytes of the key file. */
export function token(method: AuthenticationMethod, secret: string, signed: readonly Uint8Array[]): string {
  if (method === "crc") return crc32(signed).toString(16);
  const hmac = createHmac(method, secret);
  for (const piece of signed) hmac.update(piece);
  return hmac.digest("hex");
}

/** Strict: one decimal index without leading zeros, one blank, lower-case hex digits. */
function readClaim(claim: string): { readonly index: number; readonly token: string } | null {
  const match = /^(0|[1-9][0-9]?) ([0-9a-f]{1,64})$/.exec(claim);
  if (match === null || Number(match[1]) > indexMax) return null;
  return { index: Number(match[1]), token: match[2]! };
}

function matches(claimed: string, computed: string): boolean {
  return claimed.length === computed.length &&
    timingSafeEqual(Buffer.from(claimed, "latin1"), Buffer.from(computed, "latin1"));
}
