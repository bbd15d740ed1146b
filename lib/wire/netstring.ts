/**
 * The netstring encoding (protocol reference, section 2.2): `###\n`, fields as `LENGTH:(TYPE)NAME=VALUE,`, `%%%\n`,
 * and behind it the authentication trailer. Values are raw bytes, so nothing is copied: binary values are views
 * of the packet. Whatever decodes here encodes to the same bytes again.
 */

import { InvariantError } from "../errors.ts";
import { type Decoded, Reader, type Refused, toLatin1 } from "./decoding.ts";
import { checkedName, checkedString, toBytes, writeList } from "./encoding.ts";
import { nestingMax } from "./limits.ts";
import type { Field, Message } from "./message.ts";

export const netstringStart = "###\n";
const end = "%%%\n";

export function decodeNetstring(packet: Uint8Array): Decoded | Refused {
  const reader = new Reader(packet);
  const { source } = reader;
  if (!source.startsWith(netstringStart)) {
    reader.fail("does not begin with ###", "unknown-encoding");
    return reader.problem!;
  }
  const fields: Field[] = [];
  const endsAt = readFields(reader, netstringStart.length, source.length, 0, fields);
  if (endsAt === null) return reader.problem!;
  let claim: string | null = null;
  if (endsAt < source.length) {
    const trailer = reader.netstring(endsAt, source.length);
    if (trailer === null) return reader.problem!;
    if (trailer.to + 1 !== source.length) {
      reader.fail(`${source.length - trailer.to - 1} bytes after the authentication`);
      return reader.problem!;
    }
    claim = source.slice(trailer.from, trailer.to);
  }
  return {
    ok: true,
    encoding: "netstring",
    message: { fields },
    claim,
    signed: [reader.packet.subarray(0, endsAt)],
  };
}

/** Reads fields from `at` up to and including the end mark; the result is the offset behind it, or `null`. */
function readFields(reader: Reader, at: number, limit: number, depth: number, into: Field[]): number | null {
  const { source } = reader;
  let position = at;
  while (!source.startsWith(end, position)) {
    const payload = reader.netstring(position, limit);
    if (payload === null) return null;
    const field = readField(reader, payload.from, payload.to, depth);
    if (field === null) return null;
    into.push(field);
    position = payload.to + 1;
  }
  return position + end.length <= limit
    ? position + end.length
    : reader.fail(`byte ${position}: an end too far`);
}

function readField(reader: Reader, from: number, to: number, depth: number): Field | null {
  const { source } = reader;
  if (!reader.countField()) return null;
  const equals = source.indexOf("=", from);
  if (equals < 0 || equals >= to || source.charCodeAt(from) !== 40 || source.charCodeAt(from + 2) !== 41) {
    return reader.fail(`byte ${from}: not (TYPE)NAME=VALUE`);
  }
  const name = reader.name(from + 3, equals);
  if (name === null) return null;
  const valueFrom = equals + 1;
  switch (source.charCodeAt(from + 1)) {
    case 48: {
      const value = reader.string(valueFrom, to);
      return value === null ? null : { name, type: 0, value };
    }
    case 49:
      return { name, type: 1, value: reader.packet.subarray(valueFrom, to) };
    case 50: {
      const value = readNested(reader, valueFrom, to, depth);
      return value === null ? null : { name, type: 2, value };
    }
    case 51: {
      const value = reader.list(valueFrom, to);
      return value === null ? null : { name, type: 3, value };
    }
    case 52:
      return { name, type: 4, value: reader.packet.subarray(valueFrom, to) };
    default:
      return reader.fail(`byte ${from}: a type that is none of 0 to 4`);
  }
}

function readNested(reader: Reader, from: number, to: number, depth: number): Message | null {
  if (depth >= nestingMax) return reader.fail(`more than ${nestingMax} levels of messages`, "too-large");
  if (!reader.source.startsWith(netstringStart, from)) return reader.fail(`byte ${from}: no nested message`);
  const fields: Field[] = [];
  const endsAt = readFields(reader, from + netstringStart.length, to, depth + 1, fields);
  if (endsAt === null) return null;
  return endsAt === to ? { fields } : reader.fail(`byte ${endsAt}: bytes after a nested message`);
}

/** The message without its trailer, as a latin-1 string: what the token is computed over. */
export function writeNetstring(message: Message, depth = 0): string {
  if (depth > nestingMax) throw new InvariantError(`more than ${nestingMax} levels of messages`);
  let text = netstringStart;
  for (const field of message.fields) {
    const payload = `(${field.type})${checkedName(field, message)}=${writeValue(field, depth)}`;
    text += `${payload.length}:${payload},`;
  }
  return text + end;
}

function writeValue(field: Field, depth: number): string {
  switch (field.type) {
    case 0:
      return checkedString(field, field.value);
    case 1:
    case 4:
      return toLatin1(field.value);
    case 2:
      return writeNetstring(field.value, depth + 1);
    case 3:
      return writeList(field, field.value);
  }
}

/** Throws an `InvariantError` for a message that the encoding cannot carry. */
export function encodeNetstring(message: Message, claim: string | null): Uint8Array {
  return toBytes(writeNetstring(message) + writeTrailer(claim));
}

export function writeTrailer(claim: string | null): string {
  return claim === null ? "" : `${claim.length}:${claim},`;
}
