/**
 * Damages packets at random, from a seed: as noise does, as a careless program does, and as somebody does who knows
 * the format. Used by the fuzz test and by `scripts/fuzz.ts`.
 */

/** mulberry32: small, fast, and the same everywhere. Numbers from 0 to below `limit`. */
export type Draw = (limit: number) => number;

export function drawFrom(seed: number): Draw {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor(((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32 * limit);
  };
}

/** Bytes that mean something in one of the encodings. */
const tokens = [
  ">>>\n",
  "<<<\n",
  "###\n",
  "%%%\n",
  "=",
  ":",
  ",",
  "\n",
  "\0",
  "(0)",
  "(1)",
  "(2)",
  "(3)",
  "(4)",
  "(5)",
  "\x13",
  "\x14",
  "\x15",
  "auth=1 ",
  "0:,",
  "9999999999:",
  "-1:",
  "(2)x=###\n",
  "(2)x=>>>\x14",
  "t=status",
  "__proto__=",
].map((text) => Uint8Array.from(text, (c) => c.charCodeAt(0)));

/** A new packet made from `packet` by one to four changes; `other` lends parts of itself. */
export function mutate(packet: Uint8Array, other: Uint8Array, draw: Draw): Uint8Array {
  let bytes = packet;
  for (let times = 1 + draw(4); times > 0; times--) bytes = mutateOnce(bytes, other, draw);
  return bytes;
}

/** One change. */
export function mutateOnce(bytes: Uint8Array, other: Uint8Array, draw: Draw): Uint8Array {
  const at = draw(bytes.length + 1);
  const length = 1 + draw(16);
  switch (draw(8)) {
    case 0: // A flipped bit.
      return replaced(bytes, at, 1, Uint8Array.of((bytes[at] ?? 0) ^ (1 << draw(8))));
    case 1: // A random byte.
      return replaced(bytes, at, 1, Uint8Array.of(draw(256)));
    case 2: // Something lost.
      return replaced(bytes, at, length, new Uint8Array());
    case 3: // Something twice.
      return replaced(bytes, at, 0, bytes.subarray(at, at + length));
    case 4: // Cut off.
      return bytes.slice(0, at);
    case 5: // A part of another packet.
      return replaced(bytes, at, length, other.subarray(draw(other.length + 1)).subarray(0, length));
    case 6: // A digit changed: a length, a type, an index.
      return digitChanged(bytes, at, draw);
    default: // Something that means something.
      return replaced(bytes, at, draw(4), tokens[draw(tokens.length)]!);
  }
}

function replaced(bytes: Uint8Array, at: number, length: number, by: Uint8Array): Uint8Array {
  const result = new Uint8Array(Math.max(0, bytes.length - Math.min(length, bytes.length - at)) + by.length);
  result.set(bytes.subarray(0, at));
  result.set(by, at);
  result.set(bytes.subarray(at + length), at + by.length);
  return result;
}

function digitChanged(bytes: Uint8Array, from: number, draw: Draw): Uint8Array {
  const result = bytes.slice();
  for (let at = from; at < bytes.length; at++) {
    if (bytes[at]! >= 48 && bytes[at]! <= 57) {
      result[at] = 48 + draw(10);
      break;
    }
  }
  return result;
}
