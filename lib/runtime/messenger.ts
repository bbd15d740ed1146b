/**
 * Between the core's messages and the media's packets: adds the control fields, signs and sends on every medium;
 * verifies what arrives and hands over messages, or the reason why there is none. A flood of bad packets costs the
 * core one input per reason and flush, not one per packet.
 */

import type { SendEffect } from "../core/effects.ts";
import type { Input } from "../core/inputs.ts";
import type { Settings } from "../core/settings.ts";
import type { Medium } from "../media/medium.ts";
import { binaryField, type Field, type Refusal, stringField, text } from "../wire/message.ts";
import { open, seal } from "../wire/packet.ts";
import { readStatement } from "../wire/statement_codec.ts";
import { type Statement, statementField } from "../wire/statement.ts";

/** Of `ttl`, which nothing evaluates: number of nodes plus this (`hopfudge`). */
const hopFudge = 1;

type RefusedInput = Extract<Input, { kind: "refused" }>;

export interface Sender {
  readonly node: string;
  readonly generation: number;
  readonly uuid: Uint8Array;
}

export class Messenger {
  readonly #refused = new Map<string, RefusedInput>();

  constructor(
    readonly settings: Settings,
    readonly sender: Sender,
    readonly media: readonly Medium[],
    readonly receive: (input: Input) => void,
  ) {}

  /** Opens all media. Rejects with the first environment error; what was open is closed by `close`. */
  async open(): Promise<void> {
    for (const medium of this.media) {
      await medium.open({
        received: (packet, from) => this.#received(medium, packet, from),
        failed: (reason) => this.#changed(medium, false, reason),
        recovered: () => this.#changed(medium, true, "works again"),
      });
      // A medium that could not open yet has said so itself, and why.
      if (medium.localAddress !== null) this.#changed(medium, true, "works");
    }
  }

  /** Sealed once for each encoding that a medium asks for, with the same fields. */
  send(effect: SendEffect): void {
    const fields = this.#fields(effect);
    const packets = new Map<Settings["messageFormat"], Uint8Array>();
    for (const medium of this.media) {
      const format = medium.format === "any" ? this.settings.messageFormat : medium.format;
      const packet = packets.get(format) ?? this.#seal(fields, format);
      packets.set(format, packet);
      medium.send(packet);
    }
  }

  /** The signed packet of a message in the encoding of the settings. */
  pack(effect: SendEffect): Uint8Array {
    return this.#seal(this.#fields(effect), this.settings.messageFormat);
  }

  #seal(fields: readonly Field[], format: Settings["messageFormat"]): Uint8Array {
    return seal({ fields }, { format, authentication: this.settings.authentication });
  }

  /** In the order of protocol reference 3. */
  #fields(effect: SendEffect): readonly Field[] {
    const { node, generation, uuid } = this.sender;
    const fields: Field[] = [stringField("t", effect.type)];
    for (const [name, value] of effect.fields) fields.push(stringField(name, value));
    fields.push(stringField("src", node), binaryField("srcuuid", uuid));
    if (effect.sequence !== null) fields.push(stringField("seq", effect.sequence.toString(16)));
    fields.push(
      stringField("hg", generation.toString(16)),
      stringField("ts", Math.floor(Date.now() / 1000).toString(16)),
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

  #received(medium: Medium, packet: Uint8Array, from: string): boolean {
    const { authentication } = this.settings;
    const opened = open(packet, {
      authentication,
      isPrivate: medium.isPrivate,
      bytesMax: medium.packetBytesMax,
    });
    if (!opened.ok) return this.#refuse(medium, opened.refusal, opened.detail, from);
    let statement: Statement | null = null;
    const stated = opened.message.type === "status"
      ? text(opened.message.message, statementField)
      : undefined;
    if (stated !== undefined) {
      const read = readStatement(stated);
      if (!read.ok) return this.#refuse(medium, "bad-statement", read.detail, from);
      statement = read.statement;
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
