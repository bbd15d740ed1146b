/**
 * What both encodings share when they write. A message of ours that cannot be written is a bug of ours, so these
 * functions throw; nothing here ever sees bytes of a peer.
 */

import { Buffer } from "node:buffer";
import { InvariantError } from "../errors.ts";
import { isFieldName, plain } from "./decoding.ts";
import type { Field, Message } from "./message.ts";
import { fieldsMax, packetBytesMax } from "./limits.ts";

/** One character a byte. Everything written is a latin-1 string until it is complete. */
export function toBytes(latin1: string): Uint8Array {
  if (latin1.length > packetBytesMax) {
    throw new InvariantError(`a message of ${latin1.length} bytes; ${packetBytesMax} at most`);
  }
  return plain(Buffer.from(latin1, "latin1"));
}

/** The name, once it is known that it and the number of fields can be read back. */
export function checkedName(field: Field, message: Message): string {
  if (!isFieldName(field.name)) throw new InvariantError(`${JSON.stringify(field.name)} is no field name`);
  if (message.fields.length > fieldsMax) {
    throw new InvariantError(`a message of ${message.fields.length} fields`);
  }
  return field.name;
}

/** The value, once it is known that every character is one byte and none is NUL. */
export function checkedString(field: Field, value: string): string {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code === 0 || code > 255) {
      throw new InvariantError(
        `field ${field.name} has character ${code}, which a string on the wire cannot have`,
      );
    }
  }
  return value;
}

export function writeList(field: Field, elements: readonly string[]): string {
  let text = "";
  for (const element of elements) {
    if (element === "") throw new InvariantError(`field ${field.name} has an empty list element`);
    text += `${element.length}:${checkedString(field, element)},`;
  }
  return text;
}
