/**
 * The unkeyed check of the method `crc` (protocol reference, section 4.1): CRC-32 with polynomial 0x04C11DB7, most
 * significant bit first, from 0, complemented at the end. Neither zlib's (reflected, from all ones) nor POSIX
 * cksum's (which adds the length). It finds noise, never an attacker.
 */

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24;
  for (let bit = 0; bit < 8; bit++) value = value < 0 ? (value << 1) ^ 0x04c11db7 : value << 1;
  return value;
});

/** The check of the concatenated pieces, as an unsigned number. */
export function crc32(pieces: readonly Uint8Array[]): number {
  let value = 0;
  for (const piece of pieces) {
    for (let i = 0; i < piece.length; i++) value = (value << 8) ^ table[(value >>> 24) ^ piece[i]!]!;
  }
  return ~value >>> 0;
}
