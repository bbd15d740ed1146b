/**
 * What one Heartbeat message tells to somebody who only listens: its sender, its key, and, with the key, whether it
 * is genuine. Pure. Without the key nothing in it is proved; it is evidence of who speaks, not of what is true.
 */

import type { Authentication } from "../../core/settings.ts";
import { text as fieldText } from "../../wire/message.ts";
import { decode, open, readHex } from "../../wire/packet.ts";
import { nodeNameLengthMax } from "../../wire/limits.ts";
import { statementField } from "../../wire/statement.ts";
import { readStatement } from "../../wire/statement_codec.ts";
import type { BeatSpeaker } from "./pieces.ts";

export interface HeardBeat extends
  Pick<
    BeatSpeaker,
    "keyIndex" | "method" | "isAuthentic" | "refusal" | "deadTimeMs" | "settingsHash" | "hears"
  > {
  readonly node: string;
  /** The message that is sent once a keepalive. */
  readonly isStatus: boolean;
}

/** Hexadecimal digits of a token; a checksum has up to eight. */
const methodByDigits: Readonly<Record<number, HeardBeat["method"]>> = { 32: "md5", 40: "sha1", 64: "sha256" };

/** `null` for what is no Heartbeat message. */
export function readBeat(datagram: Uint8Array, authentication: Authentication | null): HeardBeat | null {
  const decoded = decode(datagram);
  if (!decoded.ok) return null;
  const { message, claim } = decoded;
  const node = fieldText(message, "src")?.toLowerCase();
  if (node === undefined || !/^[!-~]+$/.test(node) || node.length > nodeNameLengthMax) return null;
  const [, index, token] = /^(\d{1,2}) ([0-9a-f]+)$/.exec(claim ?? "") ?? [];
  const opened = authentication === null ? null : open(datagram, { authentication, isPrivate: false });
  // While it starts, and after a partition has healed, a daemon asks for other times than it is configured with.
  const isSettled = fieldText(message, "st") === "active";
  const deadTimeMs = isSettled ? readHex(fieldText(message, "dt") ?? "") : NaN;
  const text = fieldText(message, statementField);
  const read = text === undefined ? null : readStatement(text);
  const statement = read !== null && read.ok ? read.statement : null;
  return {
    node,
    isStatus: fieldText(message, "t") === "status",
    keyIndex: index === undefined ? null : Number(index),
    method: token === undefined ? null : token.length <= 8 ? "crc" : methodByDigits[token.length] ?? null,
    isAuthentic: opened === null ? null : opened.ok,
    refusal: opened === null || opened.ok ? null : opened.refusal,
    deadTimeMs: Number.isNaN(deadTimeMs) ? null : deadTimeMs,
    settingsHash: statement?.settingsHash ?? null,
    hears: statement === null
      ? null
      : Object.entries(statement.hears).filter(([, how]) => how.on.length > 0).map(([name]) => name),
  };
}
