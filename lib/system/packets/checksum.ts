/**
 * The Internet checksum (RFC 1071) and its form with a pseudo-header (RFC 8200, 8.1). Pure.
 */

/** Ones' complement sum of 16-bit words; an odd last byte is padded with zero. Continue a sum with `start`. */
function sumWords(bytes: Uint8Array, start = 0): number {
  let sum = start;
  for (let index = 0; index < bytes.length; index += 2) {
    sum += (bytes[index]! << 8) | (bytes[index + 1] ?? 0);
  }
  return sum;
}

function fold(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded % 0x10000) + Math.floor(folded / 0x10000);
  return ~folded & 0xffff;
}

/** Checksum of a message whose checksum field is zero; 0 for a message whose field is right. */
export function internetChecksum(message: Uint8Array): number {
  return fold(sumWords(message));
}

/**
 * Checksum of an upper-layer message with a pseudo-header of its two addresses, of IPv4 or IPv6 (RFC 9293, 3.1;
 * RFC 8200, 8.1: the sums are alike); 0 for a message whose field is right.
 */
export function pseudoHeaderChecksum(
  source: Uint8Array,
  destination: Uint8Array,
  protocol: number,
  message: Uint8Array,
): number {
  return fold(sumWords(message, sumWords(destination, sumWords(source)) + message.length + protocol));
}

/** Checksum of an ICMPv6 message between two addresses; 0 for a message whose field is right. */
export function icmp6Checksum(source: Uint8Array, destination: Uint8Array, message: Uint8Array): number {
  const nextHeaderIcmp6 = 58;
  return pseudoHeaderChecksum(source, destination, nextHeaderIcmp6, message);
}
