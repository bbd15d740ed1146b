/** Events to text and back; nothing that a peer writes reaches an operator's terminal unread. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { type EventStatement, readEvent, writeEvent } from "../../lib/wire/event_codec.ts";

const event: EventStatement = {
  clock: 17,
  level: "alarm",
  code: "link-lost",
  sentence: "link hb0 is dead; 1 of 2 links left to nöde2",
  fields: { node: "n2", left: 1, isLast: false },
};

Deno.test("an event survives its text, which is one line of ASCII", () => {
  const text = writeEvent(event);
  assert.match(text, /^[\x20-\x7e]+$/);
  assert.deepEqual({ ...readEvent(text), fields: { ...readEvent(text)!.fields } }, event);
});

const refused: readonly (readonly [string, unknown])[] = [
  ["no object", [1]],
  ["no clock", { ...event, clock: undefined }],
  ["a clock that is none", { ...event, clock: 1.5 }],
  ["an absurd clock", { ...event, clock: 2 ** 53 }],
  ["an unknown level", { ...event, level: "info" }],
  ["an escape sequence", { ...event, sentence: "\u001b[2J" }],
  ["a second line", { ...event, sentence: "a\nalarm forged" }],
  ["too long a sentence", { ...event, sentence: "x".repeat(2_001) }],
  ["an empty code", { ...event, code: "" }],
  ["nested fields", { ...event, fields: { a: { b: 1 } } }],
  ["too many fields", {
    ...event,
    fields: Object.fromEntries(Array.from({ length: 25 }, (_, n) => [`f${n}`, 1])),
  }],
  ["a field with a control character", { ...event, fields: { a: "\u0007" } }],
];

for (const [name, value] of refused) {
  Deno.test(`no event: ${name}`, () => assert.equal(readEvent(JSON.stringify(value)), null));
}

Deno.test("reading throws on nothing", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
    readEvent(text);
  }));
});
