/**
 * Probes by ICMP echo: needs nobody at the far end, and tells nothing of the single directions. Round trips are dated
 * by the kernel, so that it does not matter how often the socket is looked at. A forged or stale answer is left out
 * by a random token.
 */

import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { EnvironmentError } from "../errors.ts";
import type { Answer } from "../measure/series.ts";
import { monotonicMs } from "../system/clock.ts";
import { EchoSocket } from "../system/icmp.ts";
import { addressFamily, canonicalAddress } from "../system/packets/ip_address.ts";
import type { Prober } from "./prober.ts";

const tokenBytes = 8;
/** Of the payload: token and number. */
export const icmpBytesMin = tokenBytes + 4;
/** Longer delays only the display; the socket's buffer holds hundreds of answers. */
const lookIntervalMs = 5;

export class IcmpProber implements Prober {
  readonly kind = "icmp";
  readonly description: string;
  readonly caveat = null;
  readonly #identifier = randomBytes(2).readUInt16BE();
  readonly #token = randomBytes(tokenBytes);
  #socket: EchoSocket | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** `target` may have a zone. `bytes` is the length of the payload. */
  constructor(readonly target: string, readonly device: string | null, readonly bytes: number) {
    this.description = `icmp ${target}`;
  }

  open(answered: (answer: Answer, from: string) => void): Promise<void> {
    const [text] = this.target.split("%") as [string];
    const family = addressFamily(text);
    if (family === null) {
      return Promise.reject(
        new EnvironmentError(
          `Cannot probe "${this.target}": it is no IP address; write 192.0.2.1 or 2001:db8::1`,
        ),
      );
    }
    try {
      this.#socket = EchoSocket.open(family);
    } catch (error) {
      return Promise.reject(error);
    }
    const address = canonicalAddress(text);
    this.#timer = setInterval(() => {
      const nowMs = monotonicMs();
      for (const { from, identifier, payload, waitedMs } of this.#socket!.poll()) {
        if (from !== address || identifier !== this.#identifier || payload.length < icmpBytesMin) continue;
        const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
        if (!this.#token.equals(bytes.subarray(0, tokenBytes))) continue;
        answered({ number: bytes.readUInt32BE(tokenBytes), atMs: nowMs - waitedMs, far: null }, from);
      }
    }, lookIntervalMs);
    return Promise.resolve();
  }

  ask(number: number): boolean {
    const payload = Buffer.alloc(Math.max(icmpBytesMin, this.bytes));
    this.#token.copy(payload);
    payload.writeUInt32BE(number, tokenBytes);
    return this.#socket?.send(this.target, this.#identifier, number & 0xffff, payload) === 0;
  }

  close(): Promise<void> {
    clearInterval(this.#timer);
    this.#socket?.close();
    this.#socket = null;
    return Promise.resolve();
  }
}
