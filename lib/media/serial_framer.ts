/**
 * Finds packets in what comes in from a serial line (protocol reference 1.2): from a line that begins with `>>>` to
 * one that begins with `<<<`. Everything else is noise and left out. A packet that was cut off ends where the next one
 * begins; one that is too long is left out whole. Pure, and it never holds more than one packet.
 */

const [newline, carriageReturn, nul] = [0x0a, 0x0d, 0x00];
const [opening, closing] = [0x3e, 0x3c]; // > and <

export class SerialFramer {
  readonly #buffer: Uint8Array;
  /** End of what is kept, and where its last, unfinished line begins. */
  #end = 0;
  #lineStart = 0;
  #isInside = false;
  /** The line, or the packet that it belongs to, does not fit. */
  #isTooLong = false;

  constructor(readonly packetBytesMax: number, readonly found: (packet: Uint8Array) => void) {
    this.#buffer = new Uint8Array(packetBytesMax);
  }

  push(bytes: Uint8Array): void {
    for (const byte of bytes) {
      // Some library versions end a packet with NUL; terminals in between add carriage returns.
      if (byte === carriageReturn || byte === nul) continue;
      if (this.#end < this.packetBytesMax) this.#buffer[this.#end++] = byte;
      else this.#isTooLong = true;
      if (byte === newline) this.#lineEnded();
    }
  }

  #lineEnded(): void {
    const start = this.#lineStart;
    if (this.#isTooLong) return this.#drop();
    if (this.#begins(start, opening)) {
      this.#buffer.copyWithin(0, start, this.#end);
      this.#end -= start;
      this.#isInside = true;
    } else if (!this.#isInside) {
      return this.#drop();
    } else if (this.#begins(start, closing)) {
      const packet = this.#buffer.slice(0, this.#end);
      this.#drop();
      return this.found(packet);
    }
    this.#lineStart = this.#end;
  }

  #begins(start: number, byte: number): boolean {
    const line = this.#buffer;
    return this.#end - start > 3 && line[start] === byte && line[start + 1] === byte &&
      line[start + 2] === byte;
  }

  #drop(): void {
    this.#end = 0;
    this.#lineStart = 0;
    this.#isInside = false;
    this.#isTooLong = false;
  }
}
