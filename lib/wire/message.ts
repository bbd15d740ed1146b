/**
 * A Heartbeat message: an ordered list of typed fields (protocol reference, section 2), and the reading of the
 * control fields that every accepted message has (section 3).
 */

/** Field types on the wire: 0 string, 1 binary, 2 nested message, 3 list of strings, 4 compressed nested message. */
export type Field =
  | { readonly name: string; readonly type: 0; readonly value: string }
  | { readonly name: string; readonly type: 1 | 4; readonly value: Uint8Array }
  | { readonly name: string; readonly type: 2; readonly value: Message }
  | { readonly name: string; readonly type: 3; readonly value: readonly string[] };

export interface Message {
  /** In wire order; names may repeat, the first one counts. */
  readonly fields: readonly Field[];
}

/** A message whose authentication was verified and whose control fields are present and sane. */
export interface ClusterMessage {
  /** Field `t`. */
  readonly type: string;
  /** Field `src`, lower-cased. */
  readonly source: string;
  /** Field `dest`, lower-cased; `null`: for everyone. */
  readonly destination: string | null;
  /** Field `hg`; 0 when absent. */
  readonly generation: number;
  /** Field `seq`; `null` for the types that begin with `NS_`. */
  readonly sequence: number | null;
  /** Field `ts`: the sender's Unix time in seconds. Never compared with ours. */
  readonly timestamp: number;
  readonly message: Message;
}

/** Value of the first string field of that name, or `undefined`. */
export function text(message: Message, name: string): string | undefined {
  for (const field of message.fields) {
    if (field.name === name) return field.type === 0 ? field.value : undefined;
  }
  return undefined;
}

/** Why a packet was refused. Refused packets are counted by reason, reported once per burst and dropped. */
export type Refusal =
  | "too-large"
  | "unknown-encoding"
  | "malformed"
  | "no-authentication"
  | "unknown-key"
  | "wrong-key"
  | "method-refused"
  | "missing-field"
  | "bad-field"
  | "unknown-node"
  | "own-message"
  | "old-generation"
  | "bad-statement"
  /** Only this field of a heartbeat: the heartbeat counts, and what was known before stays. */
  | "bad-dead-time";

/** Value of the first binary field of that name, or `undefined`. */
export function bytes(message: Message, name: string): Uint8Array | undefined {
  for (const field of message.fields) {
    if (field.name === name) return field.type === 1 ? field.value : undefined;
  }
  return undefined;
}

/** Memory that the values of a message take, about: characters of strings count as bytes. */
export function valueBytes({ fields }: Message): number {
  let sum = 0;
  for (const field of fields) {
    if (field.type === 2) sum += valueBytes(field.value);
    else if (field.type !== 3) sum += field.value.length;
    else for (const element of field.value) sum += element.length;
  }
  return sum;
}

export function stringField(name: string, value: string): Field {
  return { name, type: 0, value };
}

export function binaryField(name: string, value: Uint8Array): Field {
  return { name, type: 1, value };
}
