/**
 * From packet to trusted message and back: decode, verify, read the control fields (protocol reference, section 3).
 * Both encodings are read whatever is configured. Nothing that a peer sends makes it throw; nothing of an
 * unauthenticated packet is believed, not even its sender.
 */

import type { Authentication } from "../core/settings.ts";
import { sign, verify } from "./authentication.ts";
import { type Decoded, quote, refuse, type Refused } from "./decoding.ts";
import { toBytes } from "./encoding.ts";
import { counterMax, nodeNameLengthMax, packetBytesMax, typeLengthMax } from "./limits.ts";
import { type ClusterMessage, type Message, stringField } from "./message.ts";
import { decodeNetstring, netstringStart, writeNetstring, writeTrailer } from "./netstring.ts";
import { authField, decodeText, textStart, writeLines } from "./text.ts";

export interface SealOptions {
  readonly format: "netstring" | "text";
  readonly authentication: Authentication;
}

/**
 * Signs and encodes. The message must have its control fields; a field `auth` of an earlier sealing is left out.
 * Throws an `InvariantError` for a message that the encoding cannot carry.
 */
export function seal(message: Message, options: SealOptions): Uint8Array {
  const fields = message.fields.filter((field) => field.name !== authField);
  if (options.format === "netstring") {
    const body = writeNetstring({ fields });
    const claim = sign(options.authentication, [toBytes(body)]);
    return toBytes(body + writeTrailer(claim));
  }
  const lines = writeLines({ fields });
  const claim = sign(options.authentication, [toBytes(lines)]);
  return toBytes(textStart + lines + writeLines({ fields: [stringField(authField, claim)] }) + "<<<\n");
}

export interface OpenOptions {
  readonly authentication: Authentication;
  /** The medium is a wire nobody else is on: `crc` suffices. */
  readonly isPrivate: boolean;
  /** Larger packets are refused unread; by default the limit of the real library. */
  readonly bytesMax?: number;
}

export type Opened = { readonly ok: true; readonly message: ClusterMessage } | Refused;

/** Decodes and verifies one packet. Binary fields are views of it: it must not be reused. */
export function open(packet: Uint8Array, options: OpenOptions): Opened {
  const bytesMax = options.bytesMax ?? packetBytesMax;
  if (packet.length > bytesMax) return refuse("too-large", `${packet.length} bytes; ${bytesMax} at most`);
  const decoded = decode(packet);
  if (!decoded.ok) return decoded;
  const refused = verify(decoded, options.authentication, options.isPrivate);
  return refused ?? readControl(decoded.message);
}

/** Takes a packet of either encoding apart without believing anything of it. */
export function decode(packet: Uint8Array): Decoded | Refused {
  if (startsWith(packet, netstringStart)) return decodeNetstring(packet);
  if (startsWith(packet, textStart)) return decodeText(packet);
  return refuse("unknown-encoding", "begins neither with >>> nor with ###: no Heartbeat message");
}

function startsWith(packet: Uint8Array, start: string): boolean {
  for (let i = 0; i < start.length; i++) if (packet[i] !== start.charCodeAt(i)) return false;
  return true;
}

/** The fields every accepted message has. The first one of a name counts. */
export function readControl(message: Message): Opened {
  const control = new Map<string, string>();
  for (const field of message.fields) {
    if (!controlFields.has(field.name) || control.has(field.name)) continue;
    if (field.type !== 0) return refuse("bad-field", `${field.name} is no string`);
    control.set(field.name, field.value);
  }
  const type = control.get("t");
  const source = control.get("src");
  const timestamp = control.get("ts");
  if (type === undefined || source === undefined || timestamp === undefined) {
    const missing = type === undefined ? "t" : source === undefined ? "src" : "ts";
    return refuse("missing-field", `no field ${missing}`);
  }
  const destination = control.get("dest");
  const generation = control.get("hg") ?? "0";
  const isOutsideSequence = type.startsWith("NS_");
  const sequence = isOutsideSequence ? null : control.get("seq");
  if (sequence === undefined) return refuse("missing-field", `no field seq, which ${quote(type)} must have`);

  if (!isWord(type, typeLengthMax)) return bad("t", type);
  if (!isWord(source, nodeNameLengthMax)) return bad("src", source);
  if (destination !== undefined && !isWord(destination, nodeNameLengthMax)) return bad("dest", destination);
  const numbers = {
    timestamp: readHex(timestamp),
    generation: readHex(generation),
    sequence: sequence === null ? null : readHex(sequence),
  };
  if (!(numbers.timestamp >= 1)) return bad("ts", timestamp);
  if (!(numbers.generation >= 0)) return bad("hg", generation);
  if (numbers.sequence !== null && !(numbers.sequence >= 1)) return bad("seq", sequence!);
  return {
    ok: true,
    message: {
      type,
      source: source.toLowerCase(),
      destination: destination === undefined ? null : destination.toLowerCase(),
      ...numbers,
      message,
    },
  };
}

const controlFields: ReadonlySet<string> = new Set(["t", "src", "dest", "seq", "hg", "ts"]);

function bad(name: string, value: string): Refused {
  return refuse("bad-field", `${name} is ${quote(value)}`);
}

/** Lower-case hex without padding, up to `counterMax`; NaN for anything else. */
export function readHex(digits: string): number {
  if (digits.length === 0 || digits.length > 12) return NaN;
  if (digits.length > 1 && digits.charCodeAt(0) === 48) return NaN;
  let value = 0;
  for (let i = 0; i < digits.length; i++) {
    const code = digits.charCodeAt(i);
    const digit = code >= 48 && code <= 57 ? code - 48 : code >= 97 && code <= 102 ? code - 87 : NaN;
    value = value * 16 + digit;
  }
  return value <= counterMax ? value : NaN;
}

/** Printable ASCII without blanks, at least one character. */
function isWord(value: string, lengthMax: number): boolean {
  if (value.length === 0 || value.length > lengthMax) return false;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code <= 32 || code >= 127) return false;
  }
  return true;
}
