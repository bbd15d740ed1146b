/**
 * The text encoding (protocol reference, section 2.1): `>>>`, one field a line, `<<<`. It is the only one on serial
 * lines, and what daemons with an old library send. The field `auth` carries the authentication; the token covers
 * all other lines as they were received.
 *
 * A newline in a string travels as byte 0x13. A nested message travels in one line, its own newlines replaced by a
 * byte that depends on its depth. Since those bytes are all different, a nested message is read in place,
 * with that byte as the end of its lines.
 */

import { Buffer } from "node:buffer";
import { InvariantError } from "../errors.ts";
import { type Decoded, plain, quote, Reader, type Refused, toLatin1 } from "./decoding.ts";
import { checkedName, checkedString, toBytes, writeList } from "./encoding.ts";
import { nestingMax } from "./limits.ts";
import type { Field, Message } from "./message.ts";

export const textStart = ">>>\n";
export const authField = "auth";
const newlineInString = "\x13";

/** End of a line in a message at depth 0 (the packet), 1 (a field of the packet), and so on. */
const lineEnds = [10, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 15, 16, 17, 18]
  .map((code) => String.fromCharCode(code));

export function decodeText(packet: Uint8Array): Decoded | Refused {
  const reader = new Reader(packet);
  const { source } = reader;
  if (!source.startsWith(textStart)) {
    reader.fail("does not begin with >>>", "unknown-encoding");
    return reader.problem!;
  }
  const limit = source.endsWith("\0") ? source.length - 1 : source.length;
  const top: Top = { claim: null, signed: [], signedFrom: textStart.length };
  const fields: Field[] = [];
  const endsAt = readLines(reader, textStart.length, limit, 0, fields, top);
  if (endsAt === null) return reader.problem!;
  if (endsAt !== limit) {
    reader.fail(`${limit - endsAt} bytes after the end`);
    return reader.problem!;
  }
  return { ok: true, encoding: "text", message: { fields }, claim: top.claim, signed: top.signed };
}

/** What only the outermost message has. */
interface Top {
  claim: string | null;
  readonly signed: Uint8Array[];
  /** Where the signed bytes go on that are not in `signed` yet. */
  signedFrom: number;
}

/** Reads lines from `at` up to and including `<<<`; the result is the offset behind it, or `null`. */
function readLines(
  reader: Reader,
  at: number,
  limit: number,
  depth: number,
  into: Field[],
  top: Top | null,
): number | null {
  const { source } = reader;
  const lineEnd = lineEnds[depth]!;
  for (let from = at;;) {
    const to = source.indexOf(lineEnd, from);
    if (to < 0 || to >= limit) return reader.fail(`byte ${from}: a line without an end`);
    if (to - from === 3 && source.startsWith("<<<", from)) {
      if (top !== null) skip(reader, top, from, to + 1);
      return to + 1;
    }
    if (to === from) {
      if (top === null) return reader.fail(`byte ${from}: a blank line in a nested message`);
      skip(reader, top, from, to + 1);
    } else {
      const field = readLine(reader, from, to, depth);
      if (field === null) return null;
      if (top !== null && field.name === authField) {
        if (top.claim !== null || field.type !== 0) {
          return reader.fail(`byte ${from}: a second or typed auth`);
        }
        top.claim = field.value;
        skip(reader, top, from, to + 1);
      }
      into.push(field);
    }
    from = to + 1;
  }
}

/** Leaves `[from, to)` out of the signed bytes. */
function skip(reader: Reader, top: Top, from: number, to: number): void {
  if (from > top.signedFrom) top.signed.push(reader.packet.subarray(top.signedFrom, from));
  top.signedFrom = to;
}

function readLine(reader: Reader, from: number, to: number, depth: number): Field | null {
  const { source } = reader;
  if (!reader.countField()) return null;
  let type = 0;
  let nameFrom = from;
  if (source.charCodeAt(from) === 40) {
    type = source.charCodeAt(from + 1) - 48;
    nameFrom = from + 3;
    if (source.charCodeAt(from + 2) !== 41) return reader.fail(`byte ${from}: not (TYPE)NAME=VALUE`);
    if (!(type >= 1 && type <= 4)) return reader.fail(`byte ${from}: a type that is none of 1 to 4`);
  }
  const equals = source.indexOf("=", nameFrom);
  if (equals < 0 || equals >= to) return reader.fail(`byte ${from}: a line without "="`);
  const name = reader.name(nameFrom, equals);
  return name === null ? null : readValue(reader, name, type, equals + 1, to, depth);
}

function readValue(
  reader: Reader,
  name: string,
  type: number,
  from: number,
  to: number,
  depth: number,
): Field | null {
  switch (type) {
    case 1:
    case 4: {
      const value = readBase64(reader, from, to);
      return value === null ? null : { name, type, value };
    }
    case 2: {
      const value = readNested(reader, from, to, depth + 1);
      return value === null ? null : { name, type, value };
    }
    case 3: {
      const value = reader.list(from, to);
      return value === null ? null : { name, type, value };
    }
    default: {
      const value = reader.string(from, to);
      if (value === null) return null;
      return {
        name,
        type: 0,
        value: value.includes(newlineInString) ? value.replaceAll(newlineInString, "\n") : value,
      };
    }
  }
}

/** Only canonical base64, so that what was read is written back the same. */
function readBase64(reader: Reader, from: number, to: number): Uint8Array | null {
  const text = reader.source.slice(from, to);
  const value = Buffer.from(text, "base64");
  if (value.toString("base64") !== text) return reader.fail(`byte ${from}: ${quote(text)} is no base64`);
  return plain(value);
}

function readNested(reader: Reader, from: number, to: number, depth: number): Message | null {
  const { source } = reader;
  if (depth > nestingMax) return reader.fail(`more than ${nestingMax} levels of messages`, "too-large");
  if (!source.startsWith(">>>" + lineEnds[depth], from)) {
    return reader.fail(`byte ${from}: no nested message`);
  }
  const fields: Field[] = [];
  const endsAt = readLines(reader, from + 4, to, depth, fields, null);
  if (endsAt === null) return null;
  return endsAt === to ? { fields } : reader.fail(`byte ${endsAt}: bytes after a nested message`);
}

/** The lines of the message without `>>>` and `<<<`, as a latin-1 string. */
export function writeLines(message: Message, depth = 0): string {
  const lineEnd = lineEnds[depth];
  if (lineEnd === undefined) throw new InvariantError(`more than ${nestingMax} levels of messages`);
  let text = "";
  for (const field of message.fields) {
    const name = checkedName(field, message);
    const value = writeValue(field, depth);
    if (value.includes(lineEnd)) {
      throw new InvariantError(`field ${name} contains the byte that ends its line`);
    }
    text += (field.type === 0 ? name : `(${field.type})${name}`) + "=" + value + lineEnd;
  }
  return text;
}

function writeValue(field: Field, depth: number): string {
  switch (field.type) {
    case 0: {
      const value = checkedString(field, field.value);
      if (value.includes(newlineInString)) {
        throw new InvariantError(`field ${field.name} contains byte 0x13, which text reads as a newline`);
      }
      return value.includes("\n") ? value.replaceAll("\n", newlineInString) : value;
    }
    case 1:
    case 4:
      return Buffer.from(toLatin1(field.value), "latin1").toString("base64");
    case 2: {
      const lineEnd = lineEnds[depth + 1];
      return `>>>${lineEnd}${writeLines(field.value, depth + 1)}<<<${lineEnd}`;
    }
    case 3:
      return writeList(field, field.value);
  }
}

/** Throws an `InvariantError` for a message that the encoding cannot carry. */
export function encodeText(message: Message): Uint8Array {
  return toBytes(textStart + writeLines(message) + "<<<\n");
}
