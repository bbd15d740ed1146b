/**
 * What both encodings share when they read: the shape of the result, lengths, lists, names, and the budget that
 * keeps one packet from costing more than `limits.ts` allows. Nothing here throws on what a peer sent.
 *
 * A packet is turned into one latin-1 string first: each byte becomes the character of the same number, so offsets
 * agree, slices are free, and every value can be written back byte for byte whatever encoding its author meant.
 */

import { Buffer } from "node:buffer";
import type { Message, Refusal } from "./message.ts";
import { fieldsMax, listElementsMax, nameBytesMax } from "./limits.ts";

export interface Refused {
  readonly ok: false;
  readonly refusal: Refusal;
  /** Short, for people; may quote what the peer sent, always as JSON strings. */
  readonly detail: string;
}

/** A packet taken apart, not yet authenticated. */
export interface Decoded {
  readonly ok: true;
  readonly encoding: "netstring" | "text";
  /** All fields, a field `auth` included. */
  readonly message: Message;
  /** `INDEX TOKEN` of the place that counts in this encoding; `null`: there is none. */
  readonly claim: string | null;
  /** The bytes that the token is computed over, in order: views of the packet. */
  readonly signed: readonly Uint8Array[];
}

export function refuse(refusal: Refusal, detail: string): Refused {
  return { ok: false, refusal, detail };
}

/** Shortened and quoted, so that hostile bytes cannot reach a terminal or a log as they are. */
export function quote(value: string): string {
  return JSON.stringify(value.length > 40 ? value.slice(0, 40) + "…" : value).replace(
    /[\x7f-\x9f]/g,
    (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"),
  );
}

/** One character a byte. */
export function toLatin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** The same bytes without the methods of `Buffer`, so that what callers see does not depend on who made it. */
export function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** State of reading one packet. The first problem stops the reading; later ones are its consequences. */
export class Reader {
  readonly packet: Uint8Array;
  readonly source: string;
  problem: Refused | null = null;
  #fields = 0;
  #elements = 0;

  constructor(packet: Uint8Array) {
    this.packet = plain(packet);
    this.source = toLatin1(packet);
  }

  /** Notes the first problem. The result is always `null`, for `return reader.fail(…)`. */
  fail(detail: string, refusal: Refusal = "malformed"): null {
    this.problem ??= refuse(refusal, detail);
    return null;
  }

  /** Counts one field; false when there are too many. */
  countField(): boolean {
    if (++this.#fields <= fieldsMax) return true;
    this.fail(`more than ${fieldsMax} fields`, "too-large");
    return false;
  }

  /** The field's name in `[from, to)`, or `null`. */
  name(from: number, to: number): string | null {
    if (to - from > nameBytesMax) {
      return this.fail(`a field name of ${to - from} bytes; ${nameBytesMax} at most`);
    }
    const name = this.source.slice(from, to);
    return isFieldName(name) ? name : this.fail(`${quote(name)} is no field name`);
  }

  /** Where `(LENGTH:…,)` begins and ends when it starts at `at` and stays before `limit`; `null` otherwise. */
  netstring(at: number, limit: number): { readonly from: number; readonly to: number } | null {
    const { source } = this;
    let position = at;
    let length = 0;
    for (; position < limit; position++) {
      const digit = source.charCodeAt(position) - 48;
      if (digit < 0 || digit > 9) break;
      length = length * 10 + digit;
      if (length > limit) return this.fail(`byte ${at}: a length beyond the end`);
    }
    const digits = position - at;
    if (digits === 0 || source.charCodeAt(position) !== 58 || (digits > 1 && source.charCodeAt(at) === 48)) {
      return this.fail(`byte ${at}: not a length and a colon`);
    }
    const from = position + 1;
    const to = from + length;
    if (to >= limit) return this.fail(`byte ${at}: a length beyond the end`);
    if (source.charCodeAt(to) !== 44) return this.fail(`byte ${to}: no comma after ${length} bytes`);
    return { from, to };
  }

  /** Elements of a list of strings in `[from, to)`, or `null`. */
  list(from: number, to: number): string[] | null {
    const elements: string[] = [];
    for (let at = from; at < to;) {
      const element = this.netstring(at, to);
      if (element === null) return null;
      if (element.from === element.to) return this.fail(`byte ${at}: an empty list element`);
      if (++this.#elements > listElementsMax) {
        return this.fail(`more than ${listElementsMax} list elements`, "too-large");
      }
      const value = this.string(element.from, element.to);
      if (value === null) return null;
      elements.push(value);
      at = element.to + 1;
    }
    return elements;
  }

  /** The string in `[from, to)`, or `null` when it contains a NUL. */
  string(from: number, to: number): string | null {
    const value = this.source.slice(from, to);
    return value.includes("\0") ? this.fail(`byte ${from}: a string with a NUL`) : value;
  }
}

/** Printable ASCII without a blank, `=`, or a `(` in front, which would read as a type. */
export function isFieldName(name: string): boolean {
  if (name.length === 0 || name.length > nameBytesMax || name.charCodeAt(0) === 40) return false;
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code <= 32 || code >= 127 || code === 61) return false;
  }
  return true;
}
