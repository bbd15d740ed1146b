/** A pair wired by hand in virtual time, of which the first node keeps a journal as a daemon does. */

import assert from "node:assert/strict";
import type { Effect } from "../../lib/core/effects.ts";
import type { Input, MessageInput } from "../../lib/core/inputs.ts";
import { JournalEncoder } from "../../lib/core/journal/codec.ts";
import { digestOf } from "../../lib/core/journal/digest.ts";
import { isOfNote, journalFormat } from "../../lib/core/journal/format.ts";
import { stringField } from "../../lib/wire/message.ts";
import { readControl } from "../../lib/wire/packet.ts";
import { statementField } from "../../lib/wire/statement.ts";
import { readStatement, writeStatement } from "../../lib/wire/statement_codec.ts";
import { HandWired } from "../core/hand_wired.ts";

/** Nodes n1, which keeps the journal, and n2. */
export class Recorded extends HandWired {
  readonly lines: string[] = [];
  readonly #encoder = new JournalEncoder();

  override start(node: string, generation = 1): Effect[] {
    if (node === "n1") this.head(0);
    return super.start(node, generation);
  }

  /** The header of a file: of the run, or of a later part of it. */
  head(part: number): void {
    const identity = {
      node: "n1",
      generation: 1,
      version: "1",
      settingsHash: "same",
      keptEpochs: {},
      unprotected: [],
    };
    const run = { journal: journalFormat, version: "1", identity, seed: 1, settings: this.settings };
    const at = "2026-01-31T03:00:00.000Z";
    const groups = part === 0 ? [] : this.nodes.get("n1")!.keepers.map(({ name, epoch, machine }) => ({
      group: name,
      epoch,
      isHeld: machine.state === "running",
    }));
    const resume = part === 0 ? {} : { resume: { media: [], groups } };
    this.lines.push(this.#encoder.header({ ...run, now: this.nowMs, at, part, ...resume }));
  }

  override step(node: string, input: Input): Effect[] {
    const real = input.kind === "message" ? asReceived(input) : input;
    const effects = super.step(node, real);
    if (node === "n1") {
      const noted = effects.filter(isOfNote);
      this.lines.push(this.#encoder.step({ now: this.nowMs, input: real, digest: digestOf(effects), noted }));
    }
    return effects;
  }

  /** n2 holds the group, stands still for a while, and comes back. */
  stall(ms: number): this {
    this.start("n1");
    this.start("n2");
    this.run(3_000);
    this.command("n2", { kind: "takeover", groups: ["web"] });
    this.run(5_000);
    this.still.add("n2");
    this.run(5_000 + ms);
    this.still.delete("n2");
    return this.run(10_000 + ms);
  }
}

/** A hand-made message with all the fields that one from the wire has. */
function asReceived({ medium, message, statement }: MessageInput): MessageInput {
  const stated = statement === null ? [] : [stringField(statementField, writeStatement(statement))];
  const { sequence, generation, timestamp } = message;
  const fields = [
    ...message.message.fields.filter(({ name }) => name !== "t"),
    stringField("t", sequence === null ? "NS_ackmsg" : message.type),
    ...stated,
    stringField("src", message.source),
    ...(sequence === null ? [] : [stringField("seq", sequence.toString(16))]),
    stringField("hg", generation.toString(16)),
    stringField("ts", timestamp.toString(16)),
  ];
  const opened = readControl({ fields });
  assert.ok(opened.ok);
  const read = statement === null ? null : readStatement(writeStatement(statement));
  assert.ok(read?.ok !== false);
  return { kind: "message", medium, message: opened.message, statement: read?.statement ?? null };
}
