/** Probes over a serial line that no daemon uses, with `heartline probe --listen --serial` at its other end. */

import type { SerialBaud } from "../core/settings.ts";
import { EnvironmentError } from "../errors.ts";
import type { Answer } from "../measure/series.ts";
import type { MediumEvents } from "../media/medium.ts";
import { Serial } from "../media/serial.ts";
import { monotonicMs } from "../system/clock.ts";
import type { Prober } from "./prober.ts";
import { Questions, type QuestionSettings } from "./questions.ts";

export class SerialProber implements Prober {
  readonly kind = "serial";
  readonly description: string;
  readonly device = null;
  readonly caveat: string;
  readonly #questions: Questions;
  readonly #line: Serial;

  /** What the messages are sealed with must be for text: a serial line carries nothing else. */
  constructor(readonly tty: string, readonly baud: SerialBaud, settings: QuestionSettings) {
    this.description = `serial ${tty} ${baud}`;
    this.caveat = lineCaveat(settings.bytes, baud);
    this.#questions = new Questions(settings);
    this.#line = new Serial({ kind: "serial", tty, baud });
  }

  async open(answered: (answer: Answer, from: string) => void): Promise<void> {
    await openNow(this.#line, {
      received: (packet) => {
        const read = this.#questions.read(packet, monotonicMs());
        if (read !== null) answered(read.answer, read.node);
        return read !== null;
      },
      failed: () => {},
      recovered: () => {},
    });
  }

  ask(number: number): boolean {
    const { sendErrors } = this.#line.counters;
    this.#line.send(this.#questions.packet(number));
    return this.#line.counters.sendErrors === sendErrors;
  }

  close(): Promise<void> {
    return this.#line.close();
  }
}

/** What of a round trip over a serial line is its slowness, for people. */
export function lineCaveat(bytes: number, baud: SerialBaud): string {
  const lineMs = Math.round(2 * bytes * 10 * 1_000 / baud);
  return `${lineMs} ms of it for ${bytes} bytes both ways at ${baud} baud, and up to 40 ms of reading`;
}

/** A daemon waits for an adapter that may be plugged in later; who measures now wants to know. */
export async function openNow(line: Serial, events: MediumEvents): Promise<void> {
  await line.open(events);
  const { problem } = line;
  if (problem === null) return;
  await line.close();
  throw new EnvironmentError(`${problem}; plug the adapter in, or name another device`);
}
