/**
 * Between the core's messages and the media's packets: adds the control fields, signs and sends on every medium;
 * verifies what arrives and hands over messages, or the reason why there is none. A flood of bad packets costs the
 * core one input per reason and flush, not one per packet. Probe messages are answered here; the core never sees one.
 */

import type { SendEffect } from "../core/effects.ts";
import type { Input } from "../core/inputs.ts";
import { sentBytesMax, sentPacketsMax } from "../core/limits.ts";
import type { Settings } from "../core/settings.ts";
import type { Medium, Reply } from "../media/medium.ts";
import { ProbeResponder } from "../probe/responder.ts";
import { monotonicMs } from "../system/clock.ts";
import { binaryField, type Field, type Refusal, stringField, text } from "../wire/message.ts";
import { open, seal } from "../wire/packet.ts";
import { isProbe, readAnswer } from "../wire/probe_message.ts";
import { readStatement, writeStatement } from "../wire/statement_codec.ts";
import { type Statement, statementField } from "../wire/statement.ts";
import { LinkAsker } from "./link_asker.ts";

/** Of `ttl`, which nothing evaluates: number of nodes plus this (`hopfudge`). */
const hopFudge = 1;

type Format = Settings["messageFormat"];
type Packets = Map<Format, Uint8Array>;
interface Sent {
  readonly sequence: number;
  readonly seconds: number;
  readonly packets: Packets;
}
type RefusedInput = Extract<Input, { kind: "refused" }>;

export interface Sender {
  readonly node: string;
  readonly generation: number;
  readonly uuid: Uint8Array;
}

export class Messenger {
  /** What was sent last, by number modulo its length. */
  readonly #sent: (Sent | undefined)[] = [];
  #lastSent = 0;
  #sentBytes = 0;
  /** Nothing below this number is kept. */
  #oldestSent = 1;
  readonly #refused = new Map<string, RefusedInput>();
  readonly #responder: ProbeResponder;
  /** Asks on our own links for whoever measures them. */
  readonly asker: LinkAsker;

  constructor(
    readonly settings: Settings,
    readonly sender: Sender,
    readonly media: readonly Medium[],
    readonly receive: (input: Input) => void,
    /** Told of each statement that was verified, and of the number of our last message. */
    readonly stated: (statement: Statement, lastSent: number) => void = () => {},
  ) {
    this.#responder = new ProbeResponder(sender.node);
    this.asker = new LinkAsker(settings, sender.node, media);
  }

  /** Opens all media. Rejects with the first environment error; what was open is closed by `close`. */
  async open(): Promise<void> {
    for (const medium of this.media) {
      await medium.open({
        received: (packet, from, reply) => this.#received(medium, packet, from, reply),
        failed: (reason) => this.#changed(medium, false, reason),
        recovered: () => this.#changed(medium, true, "works again"),
      });
      // A medium that could not open yet has said so itself, and why.
      if (medium.localAddress !== null) this.#changed(medium, true, "works");
    }
  }

  /** Sealed once for each encoding that a medium asks for, with the same fields. */
  send(effect: SendEffect): void {
    const seconds = unixSeconds();
    const fields = this.#fields(effect, seconds);
    const packets: Packets = new Map();
    for (const medium of this.media) {
      const format = this.#formatOf(medium);
      if (!packets.has(format)) packets.set(format, this.#seal(fields, format));
    }
    const { sequence } = effect;
    if (sequence !== null) {
      this.#lastSent = sequence;
      this.#keep({ sequence, seconds, packets });
    }
    this.#transmit(packets);
  }

  /** Byte by byte what was sent by that number. `false`: it is not kept any more. */
  resend(sequence: number): boolean {
    const sent = this.#sent[sequence % sentPacketsMax];
    if (sent?.sequence !== sequence) return false;
    this.#transmit(sent.packets);
    return true;
  }

  /** The latest is always kept, whatever its size. */
  #keep(sent: Sent): void {
    const { sequence } = sent;
    this.#forget(sequence - sentPacketsMax);
    this.#sent[sequence % sentPacketsMax] = sent;
    this.#sentBytes += bytesOf(sent);
    while (this.#sentBytes > sentBytesMax && this.#oldestSent < sequence) this.#forget(this.#oldestSent);
  }

  #forget(sequence: number): void {
    if (sequence >= this.#oldestSent) this.#oldestSent = sequence + 1;
    const sent = this.#sent[sequence % sentPacketsMax];
    if (sent?.sequence !== sequence) return;
    this.#sentBytes -= bytesOf(sent);
    this.#sent[sequence % sentPacketsMax] = undefined;
  }

  /** Unix seconds, as that message told them; `null`: it is not kept any more. */
  sentAt(sequence: number): number | null {
    const sent = this.#sent[sequence % sentPacketsMax];
    return sent?.sequence === sequence ? sent.seconds : null;
  }

  #transmit(packets: Packets): void {
    for (const medium of this.media) medium.send(packets.get(this.#formatOf(medium))!);
  }

  #formatOf({ format }: Medium): Format {
    return format === "any" ? this.settings.messageFormat : format;
  }

  /** The signed packet of a message in the encoding of the settings. */
  pack(effect: SendEffect): Uint8Array {
    return this.#seal(this.#fields(effect, unixSeconds()), this.settings.messageFormat);
  }

  #seal(fields: readonly Field[], format: Format): Uint8Array {
    return seal({ fields }, { format, authentication: this.settings.authentication });
  }

  /** In the order of protocol reference 3. */
  #fields(effect: SendEffect, seconds: number): readonly Field[] {
    const { node, generation, uuid } = this.sender;
    const fields: Field[] = [stringField("t", effect.type)];
    if (effect.destination !== null) fields.push(stringField("dest", effect.destination));
    for (const [name, value] of effect.fields) fields.push(stringField(name, value));
    if (effect.statement !== null) {
      fields.push(stringField(statementField, writeStatement(effect.statement)));
    }
    fields.push(stringField("src", node), binaryField("srcuuid", uuid));
    if (effect.sequence !== null) fields.push(stringField("seq", effect.sequence.toString(16)));
    fields.push(
      stringField("hg", generation.toString(16)),
      stringField("ts", seconds.toString(16)),
      stringField("ttl", String(this.settings.nodes.length + hopFudge)),
    );
    return fields;
  }

  /** Hands over what was refused since the last flush. */
  flush(): void {
    if (this.#refused.size === 0) return;
    const inputs = [...this.#refused.values()];
    this.#refused.clear();
    for (const input of inputs) this.receive(input);
  }

  async close(): Promise<void> {
    await Promise.all(this.media.map((medium) => medium.close()));
  }

  #received(medium: Medium, packet: Uint8Array, from: string, reply: Reply): boolean {
    const { authentication } = this.settings;
    const opened = open(packet, {
      authentication,
      isPrivate: medium.isPrivate,
      bytesMax: medium.packetBytesMax,
    });
    if (!opened.ok) return this.#refuse(medium, opened.refusal, opened.detail, from);
    if (isProbe(opened.message)) {
      const answered = readAnswer(opened.message);
      if (answered !== null) {
        this.asker.received(answered);
        return true;
      }
      const options = { format: this.#formatOf(medium), authentication };
      const answer = this.#responder.answer(
        opened.message,
        medium.name,
        packet.length,
        monotonicMs(),
        options,
      );
      if (answer !== null) reply(answer);
      return true;
    }
    let statement: Statement | null = null;
    const stated = opened.message.type === "status"
      ? text(opened.message.message, statementField)
      : undefined;
    if (stated !== undefined) {
      const read = readStatement(stated);
      if (!read.ok) return this.#refuse(medium, "bad-statement", read.detail, from);
      statement = read.statement;
      this.stated(statement, this.#lastSent);
    }
    this.receive({ kind: "message", medium: medium.name, message: opened.message, statement });
    return true;
  }

  #refuse(medium: Medium, reason: Refusal, detail: string, from: string): false {
    const key = `${reason} ${medium.name}`;
    const known = this.#refused.get(key);
    if (known !== undefined) this.#refused.set(key, { ...known, count: known.count + 1 });
    else this.#refused.set(key, { kind: "refused", medium: medium.name, reason, detail, from, count: 1 });
    return false;
  }

  #changed(medium: Medium, isUp: boolean, reason: string): void {
    this.receive({ kind: "medium", medium: medium.name, isUp, address: medium.localAddress, reason });
  }
}

function bytesOf({ packets }: Sent): number {
  return [...packets.values()].reduce((sum, { length }) => sum + length, 0);
}

function unixSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
