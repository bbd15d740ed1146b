/**
 * Journal entries to lines and back. Heartbeats of one node are nearly alike, so of a message only the fields are
 * written that differ from the last one of its kind, and of a long text only the part that differs. Both ends keep
 * the same table of last messages; a header or a loss empties it. Pure. A line that cannot be read is an entry of its
 * own, never an exception.
 */

import { Buffer } from "node:buffer";
import type { Input, MessageInput } from "../inputs.ts";
import type { Field } from "../../wire/message.ts";
import { text } from "../../wire/message.ts";
import { readControl } from "../../wire/packet.ts";
import { statementField } from "../../wire/statement.ts";
import { readStatement } from "../../wire/statement_codec.ts";
import { type JournalEntry, journalFormat, type JournalHeader, type JournalStep } from "./format.ts";

/** Kinds of messages remembered. More would be memory for a peer that invents types. */
const kindsMax = 64;
/** Texts from this length on are written as what differs. */
const longText = 40;

/**
 * A field's value where it differs: the text itself; of a long one the pieces between commas that differ, each behind
 * its number; or, where the pieces are not as many, the lengths of what stayed at both ends and what is between.
 */
type Change =
  | string
  | readonly ["pieces", ...unknown[]]
  | readonly [head: number, tail: number, middle: string];
type Packed = [medium: string, kind: number, changes?: unknown];

export class JournalEncoder {
  #now = 0;
  readonly #kinds = new Map<string, { readonly index: number; fields: readonly Field[] }>();

  header(header: JournalHeader): string {
    this.#reset(header.now);
    return JSON.stringify(header);
  }

  lost(count: number, now: number): string {
    this.#reset(now);
    return JSON.stringify({ lost: count, now });
  }

  step({ now, input, digest, noted }: JournalStep): string {
    const line: unknown[] = [now - this.#now];
    this.#now = now;
    if (input.kind === "message") line.push(this.#pack(input));
    else if (input.kind !== "wake") line.push(input);
    else if (digest !== 0) line.push(0);
    if (digest !== 0) line.push(digest);
    if (noted.length > 0) line.push(noted);
    return JSON.stringify(line);
  }

  #pack({ medium, message }: MessageInput): Packed {
    const { fields } = message.message;
    const key = `${message.source} ${message.type}`;
    const known = this.#kinds.get(key);
    if (known === undefined || !isAlike(known.fields, fields)) {
      if (known === undefined && this.#kinds.size >= kindsMax) this.#kinds.clear();
      const index = known?.index ?? this.#kinds.size;
      this.#kinds.set(key, { index, fields });
      return [medium, index, { fields: fields.map(packField) }];
    }
    const changes: Array<number | Change> = [];
    fields.forEach((field, index) => {
      const before = known.fields[index]!;
      if (field.type === 0 && before.type === 0 && field.value !== before.value) {
        changes.push(index, difference(before.value, field.value));
      }
    });
    known.fields = fields;
    return changes.length === 0 ? [medium, known.index] : [medium, known.index, changes];
  }

  #reset(now: number): void {
    this.#now = now;
    this.#kinds.clear();
  }
}

export class JournalDecoder {
  #now = 0;
  #kinds: Array<readonly Field[]> = [];

  line(line: string): JournalEntry {
    try {
      return this.#read(JSON.parse(line));
    } catch (error) {
      return { kind: "unreadable", reason: error instanceof Error ? error.message : String(error) };
    }
  }

  #read(value: unknown): JournalEntry {
    if (Array.isArray(value)) return this.#step(value);
    const record = value as { journal?: unknown; lost?: unknown; now?: unknown };
    if (typeof record?.now !== "number") throw new Error("this is no line of a journal");
    this.#now = record.now;
    this.#kinds = [];
    if (typeof record.lost === "number") return { kind: "lost", count: record.lost, now: record.now };
    if (record.journal !== journalFormat) {
      throw new Error(`its format is ${JSON.stringify(record.journal)}, this program reads ${journalFormat}`);
    }
    return { kind: "header", header: value as JournalHeader };
  }

  #step([delta, packed, digest, noted]: unknown[]): JournalEntry {
    if (typeof delta !== "number" || !Number.isInteger(delta)) throw new Error("a step without its time");
    this.#now += delta;
    const input: Input = Array.isArray(packed)
      ? this.#unpack(packed as Packed)
      : packed === undefined || packed === 0
      ? { kind: "wake" }
      : packed as Input;
    return {
      kind: "step",
      step: {
        now: this.#now,
        input,
        digest: typeof digest === "number" ? digest : 0,
        noted: Array.isArray(noted) ? noted : [],
      },
    };
  }

  #unpack([medium, kind, changes]: Packed): MessageInput {
    const whole = changes as { fields?: unknown[] } | undefined;
    let fields = this.#kinds[kind];
    if (Array.isArray(whole?.fields)) fields = whole.fields.map(unpackField);
    else if (fields === undefined) {
      throw new Error("a message that refers to one before it, which is missing");
    } else if (Array.isArray(changes)) fields = changed(fields, changes);
    this.#kinds[kind] = fields;
    const opened = readControl({ fields });
    if (!opened.ok) throw new Error(`a message that cannot be read: ${opened.detail}`);
    const stated = opened.message.type === "status"
      ? text(opened.message.message, statementField)
      : undefined;
    const read = stated === undefined ? null : readStatement(stated);
    if (read !== null && !read.ok) throw new Error(`a statement that cannot be read: ${read.detail}`);
    return { kind: "message", medium, message: opened.message, statement: read?.statement ?? null };
  }
}

/** The same names and types, so that only texts can differ; what is no text must be the same. */
function isAlike(before: readonly Field[], now: readonly Field[]): boolean {
  return before.length === now.length && now.every((field, index) => {
    const other = before[index]!;
    if (other.name !== field.name || other.type !== field.type) return false;
    return field.type === 0 || JSON.stringify(packField(field)) === JSON.stringify(packField(other));
  });
}

function difference(before: string, now: string): Change {
  if (now.length < longText) return now;
  const [old, pieces] = [before.split(","), now.split(",")];
  if (old.length === pieces.length) {
    const change: ["pieces", ...unknown[]] = ["pieces"];
    pieces.forEach((piece, index) => {
      if (piece !== old[index]) change.push(index, piece);
    });
    return change;
  }
  const limit = Math.min(before.length, now.length);
  let head = 0;
  while (head < limit && before.charCodeAt(head) === now.charCodeAt(head)) head++;
  let tail = 0;
  while (
    tail < limit - head &&
    before.charCodeAt(before.length - 1 - tail) === now.charCodeAt(now.length - 1 - tail)
  ) tail++;
  return [head, tail, now.slice(head, now.length - tail)];
}

function changed(fields: readonly Field[], changes: readonly unknown[]): readonly Field[] {
  const result = [...fields];
  for (let at = 0; at + 1 < changes.length; at += 2) {
    const index = changes[at] as number;
    const before = result[index];
    if (before?.type !== 0) throw new Error(`a change of a field that is no text`);
    result[index] = { ...before, value: applied(before.value, changes[at + 1] as Change) };
  }
  return result;
}

function applied(before: string, change: Change): string {
  if (typeof change === "string") return change;
  if (change[0] === "pieces") {
    const pieces = before.split(",");
    for (let at = 1; at + 1 < change.length; at += 2) pieces[change[at] as number] = change[at + 1] as string;
    return pieces.join(",");
  }
  const [head, tail, middle] = change as [number, number, string];
  return before.slice(0, head) + middle + before.slice(before.length - tail);
}

type PackedField = [name: string, type: number, value: unknown];

function packField(field: Field): PackedField {
  switch (field.type) {
    case 0:
    case 3:
      return [field.name, field.type, field.value];
    case 2:
      return [field.name, field.type, field.value.fields.map(packField)];
    case 1:
    case 4:
      return [field.name, field.type, Buffer.from(field.value).toString("base64")];
  }
}

function unpackField(packed: unknown): Field {
  const [name, type, value] = packed as PackedField;
  switch (type) {
    case 0:
      return { name, type, value: value as string };
    case 3:
      return { name, type, value: value as string[] };
    case 2:
      return { name, type, value: { fields: (value as unknown[]).map(unpackField) } };
    case 1:
    case 4:
      return { name, type, value: new Uint8Array(Buffer.from(value as string, "base64")) };
    default:
      throw new Error(`a field of type ${type}`);
  }
}
