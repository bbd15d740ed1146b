/**
 * What probers that speak our probe messages share: writes questions of one path, and reads which packets answer
 * them. It believes nothing that is not signed with the key of the measurement.
 */

import type { Authentication } from "../core/settings.ts";
import { InvariantError } from "../errors.ts";
import { type Answer, type FarReport } from "../measure/series.ts";
import { open, type SealOptions } from "../wire/packet.ts";
import {
  heardWindow,
  type ProbeAnswer,
  ProbeSealer,
  questionFields,
  readAnswer,
  sessionOf,
} from "../wire/probe_message.ts";
import type { HeardElsewhere } from "./prober.ts";

/** Protects against noise only: for two `heartline probe` that share no key. */
export const noAuthentication: Authentication = {
  signWith: 0,
  keys: [{ index: 0, method: "crc", secret: "" }],
  allowCrc: true,
};

export interface QuestionSettings {
  /** 8 random bytes, the same for all paths of a measurement. */
  readonly measurement: Uint8Array;
  /** Number of the path in it, below `probePathsMax`. */
  readonly path: number;
  /** Name of the asker in the messages. */
  readonly node: string;
  /** Who is to answer; `null`: whoever hears it. */
  readonly to: string | null;
  readonly bytes: number;
  readonly seal: SealOptions;
  readonly heardElsewhere: HeardElsewhere;
}

export class Questions {
  readonly #session: string;
  readonly #sealer = new ProbeSealer();

  constructor(readonly settings: QuestionSettings) {
    this.#session = sessionOf(settings.measurement, settings.path);
  }

  packet(number: number): Uint8Array {
    const { node, to, seal, bytes } = this.settings;
    const question = { session: this.#session, number, to };
    const fields = questionFields(question, node, Math.floor(Date.now() / 1_000));
    const packet = this.#sealer.seal(fields, seal, bytes);
    if (packet === null) throw new InvariantError(`a question does not fit in ${bytes} bytes`);
    return packet;
  }

  /** `null`: the packet answers none of ours. */
  read(packet: Uint8Array, atMs: number): { readonly answer: Answer; readonly node: string } | null {
    const opened = open(packet, { authentication: this.settings.seal.authentication, isPrivate: false });
    const answer = opened.ok ? readAnswer(opened.message) : null;
    if (answer === null || answer.session !== this.#session) return null;
    if (this.settings.to !== null && answer.node !== this.settings.to) return null;
    for (const [path, count] of answer.others) this.settings.heardElsewhere(path, count);
    return { answer: { number: answer.number, atMs, far: farReport(answer) }, node: answer.node };
  }
}

function farReport(answer: ProbeAnswer): FarReport {
  const { number, heard, heardAtMs, copies, reordered, unanswered } = answer;
  return {
    heard: (asked) => number - asked < heardWindow ? heard[number - asked] ?? null : null,
    heardAtMs,
    copies,
    reordered,
    unanswered,
  };
}
