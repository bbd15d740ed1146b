/**
 * What a connection of the TCP medium carries: a greeting of eight bytes, then frames of one byte of kind, three of
 * length (big-endian) and the content. Data frames hold one packet; ping and pong are empty. Pure; it never holds more
 * than one packet, and after the first breach it reads no further.
 */

import { packetBytesMax } from "../wire/limits.ts";

/** Tells our connection from any other service that is reached by mistake, and this framing from later ones. */
export const greeting = new TextEncoder().encode("HL-TCP1\n");

const headerBytes = 4;
const kinds = ["data", "ping", "pong"] as const;
export type FrameKind = typeof kinds[number];

export function frame(kind: FrameKind, content: Uint8Array = new Uint8Array()): Uint8Array {
  const result = new Uint8Array(headerBytes + content.length);
  new DataView(result.buffer).setUint32(0, kinds.indexOf(kind) << 24 | content.length);
  result.set(content, headerBytes);
  return result;
}

export class FrameReader {
  /** What is being filled: greeting, header or content, by turns. */
  #part: Uint8Array = new Uint8Array(greeting.length);
  #filled = 0;
  #state: "greeting" | "header" | "content" | "broken" = "greeting";

  constructor(
    readonly found: (kind: FrameKind, content: Uint8Array) => void,
    /** The other end does not speak this protocol. Called once. */
    readonly broken: (reason: string) => void,
  ) {}

  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && this.#state !== "broken";) {
      const taken = Math.min(bytes.length - at, this.#part.length - this.#filled);
      this.#part.set(bytes.subarray(at, at + taken), this.#filled);
      this.#filled += taken;
      at += taken;
      if (this.#filled === this.#part.length) this.#filledUp();
    }
  }

  #filledUp(): void {
    const part = this.#part;
    switch (this.#state) {
      case "greeting":
        if (!part.every((byte, i) => byte === greeting[i])) {
          return this.#break("it does not greet as Heartline");
        }
        return this.#expect("header", headerBytes);
      case "header":
        return this.#readHeader(new DataView(part.buffer).getUint32(0));
      case "content":
        this.#expect("header", headerBytes);
        return this.found("data", part);
    }
  }

  #readHeader(word: number): void {
    const kind = kinds[word >>> 24];
    const length = word & 0xff_ffff;
    if (kind === undefined) return this.#break(`it sent a frame of unknown kind ${word >>> 24}`);
    if (length > (kind === "data" ? packetBytesMax : 0)) {
      return this.#break(`it announced ${length} bytes of ${kind}`);
    }
    if (length > 0) return this.#expect("content", length);
    this.#expect("header", headerBytes);
    this.found(kind, new Uint8Array());
  }

  #expect(state: "header" | "content", length: number): void {
    this.#state = state;
    this.#part = new Uint8Array(length);
    this.#filled = 0;
  }

  #break(reason: string): void {
    this.#state = "broken";
    this.broken(reason);
  }
}
