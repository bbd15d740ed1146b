/**
 * The two messages by which links are measured: an asker sends numbered `NS_hl_probe`, whoever hears one answers at
 * once with `NS_hl_echo` to where it came from (docs/protocol.md, "Probing"). Both are outside the sequence protocol,
 * and addressed to a name that no node has, so that a Heartbeat daemon drops them unread.
 *
 * An answer is never longer than its question, so that nobody can make us send more than he sends himself.
 */

import { Buffer } from "node:buffer";
import { type ClusterMessage, type Field, stringField, text } from "./message.ts";
import { probeNumberMax } from "./limits.ts";
import { seal, type SealOptions } from "./packet.ts";

export const probeQuestionType = "NS_hl_probe";
export const probeAnswerType = "NS_hl_echo";

/** In `dest`: a real daemon drops what is for another node. */
const nobody = "heartline-probe";

/** Smallest question to be asked, in bytes: about as long as a heartbeat. */
export const probeBytesMin = 512;

/**
 * Smallest question that is answered: an answer with the longest name of a node and the longest signature fits. Sealing
 * misses its length by a few bytes, because a signature's digits depend on what they sign.
 */
export const answeredBytesMin = 500;

/** How many numbers, up to its own, an answer tells of. Fewer leave the fate of packets in long bursts unknown. */
export const heardWindow = 128;

/** Paths that are measured at the same time, as many as the last digit of a session tells apart. */
export const probePathsMax = 16;

/** Of how many of the other paths an answer tells. */
export const otherPathsMax = 6;

export interface ProbeQuestion {
  /** 16 hexadecimal digits: 15 drawn by the asker for one measurement, and the number of the path in it. */
  readonly session: string;
  /** From 0. */
  readonly number: number;
  /** Who is to answer, lower-cased; `null`: whoever hears it. */
  readonly to: string | null;
}

export interface ProbeAnswer {
  readonly session: string;
  readonly number: number;
  /** Who answers. */
  readonly node: string;
  /** The answering machine's own clock when the question came, in milliseconds. */
  readonly heardAtMs: number;
  /** Whether it heard question number `number - i` of the series, for i from 0. */
  readonly heard: readonly boolean[];
  /** Questions of the series that it heard twice, after a later one, and left unanswered because of its limit. */
  readonly copies: number;
  readonly reordered: number;
  readonly unanswered: number;
  /**
   * How many questions of the same measurement it heard on other paths, by path: so that an answer on one link tells
   * that another one carries in one direction only.
   */
  readonly others: ReadonlyMap<number, number>;
}

/** `unixSeconds` is the sender's time of day, which every message must carry. */
export function questionFields(question: ProbeQuestion, from: string, unixSeconds: number): Field[] {
  return [
    stringField("t", probeQuestionType),
    stringField("dest", nobody),
    ...(question.to === null ? [] : [stringField("to", question.to)]),
    stringField("session", question.session),
    stringField("n", fixed(question.number)),
    stringField("src", from),
    stringField("ts", unixSeconds.toString(16)),
  ];
}

export function answerFields(answer: ProbeAnswer, unixSeconds: number): Field[] {
  const nibbles = Array.from(
    { length: heardWindow / 4 },
    (_, at) => [0, 1, 2, 3].reduce((nibble, bit) => nibble | (answer.heard[4 * at + bit] ? 1 << bit : 0), 0),
  );
  return [
    stringField("t", probeAnswerType),
    stringField("dest", nobody),
    stringField("session", answer.session),
    stringField("n", fixed(answer.number)),
    stringField("at", Math.round(answer.heardAtMs * 1_000).toString(16)),
    stringField("heard", nibbles.map((nibble) => nibble.toString(16)).join("")),
    stringField("copies", fixed(answer.copies)),
    stringField("late", fixed(answer.reordered)),
    stringField("mute", fixed(answer.unanswered)),
    ...(answer.others.size === 0 ? [] : [stringField("others", writeOthers(answer.others))]),
    stringField("src", answer.node),
    stringField("ts", unixSeconds.toString(16)),
  ];
}

/**
 * Signs messages and fills them up to a length, less the few bytes that no padding may fit because a number has one
 * digit more. Remembers how much it took the last time: messages of one kind want the same, and each attempt is a
 * signature.
 */
export class ProbeSealer {
  #padding = 1;

  /** `null`: the fields alone are longer. */
  seal(fields: readonly Field[], options: SealOptions, bytes: number): Uint8Array | null {
    const padded = (padding: number) =>
      seal({ fields: [...fields, stringField("pad", "x".repeat(Math.max(1, padding)))] }, options);
    let padding = this.#padding;
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const packet = padded(padding);
      if (packet.length <= bytes && packet.length >= bytes - (attempt === 0 ? 1 : 5)) {
        this.#padding = Math.max(1, padding);
        return packet;
      }
      padding += bytes - packet.length - (packet.length > bytes && attempt > 1 ? attempt - 1 : 0);
    }
    return null;
  }
}

/** A length is found in two or three; what has not been found by then is too long. */
const attemptsMax = 8;

export function isProbe({ type }: ClusterMessage): boolean {
  return type === probeQuestionType || type === probeAnswerType;
}

/** `null`: it is none, or a malformed one. */
export function readQuestion({ type, message }: ClusterMessage): ProbeQuestion | null {
  if (type !== probeQuestionType) return null;
  const session = text(message, "session");
  const number = readFixed(text(message, "n"));
  if (session === undefined || !/^[0-9a-f]{16}$/.test(session) || number === null) return null;
  return { session, number, to: text(message, "to")?.toLowerCase() ?? null };
}

/** `null`: it is none, or a malformed one. */
export function readAnswer({ type, source, message }: ClusterMessage): ProbeAnswer | null {
  if (type !== probeAnswerType) return null;
  const session = text(message, "session");
  const number = readFixed(text(message, "n"));
  const at = text(message, "at") ?? "";
  const heard = text(message, "heard") ?? "";
  const [copies, reordered, unanswered] = ["copies", "late", "mute"].map((name) =>
    readFixed(text(message, name))
  );
  if (session === undefined || number === null || copies == null || reordered == null || unanswered == null) {
    return null;
  }
  const others = readOthers(text(message, "others") ?? "");
  if (others === null || !/^[0-9a-f]{1,13}$/.test(at) || !/^[0-9a-f]{32}$/.test(heard)) return null;
  return {
    session,
    number,
    node: source,
    heardAtMs: Number.parseInt(at, 16) / 1_000,
    heard: Array.from(
      { length: heardWindow },
      (_, i) => (Number.parseInt(heard[i >> 2]!, 16) >> (i & 3) & 1) === 1,
    ),
    copies,
    reordered,
    unanswered,
    others,
  };
}

/** The session of one path of the measurement that 8 random bytes stand for. */
export function sessionOf(measurement: Uint8Array, path: number): string {
  return Buffer.from(measurement).toString("hex").slice(0, 15) + (path % probePathsMax).toString(16);
}

/** Sessions of one measurement share this. */
export function measurementOf(session: string): string {
  return session.slice(0, 15);
}

export function pathOf(session: string): number {
  return Number.parseInt(session.slice(15), 16);
}

/** `PATH:COUNT,…`, hexadecimal. */
function writeOthers(others: ReadonlyMap<number, number>): string {
  return [...others].slice(0, otherPathsMax).map(([path, count]) =>
    `${path.toString(16)}:${count.toString(16)}`
  )
    .join();
}

function readOthers(value: string): Map<number, number> | null {
  if (value === "") return new Map();
  if (!/^[0-9a-f]:[0-9a-f]{1,8}(,[0-9a-f]:[0-9a-f]{1,8}){0,5}$/.test(value)) return null;
  return new Map(
    value.split(",").map((each) => {
      const [path, count] = each.split(":") as [string, string];
      return [Number.parseInt(path, 16), Number.parseInt(count, 16)];
    }),
  );
}

function fixed(value: number): string {
  return Math.min(value, probeNumberMax).toString(16).padStart(8, "0");
}

function readFixed(value: string | undefined): number | null {
  return value !== undefined && /^[0-9a-f]{8}$/.test(value) ? Number.parseInt(value, 16) : null;
}
