/** Generated messages and statements, in all the variety that the encodings allow. */

import fc from "fast-check";
import type { Field, Message } from "../../lib/wire/message.ts";
import type { GroupStatement, Statement } from "../../lib/wire/statement.ts";

/** What the decoders make has the prototype of an ordinary object. */
function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

const name = fc.stringMatching(/^[!-')-<>-~][!-<>-~]{0,20}$/).filter((name) => name !== "auth");

/** Latin-1 without NUL, and without the bytes that the text encoding gives a meaning at any depth. */
const value = fc.string({ unit: fc.integer({ min: 32, max: 255 }).map((code) => String.fromCharCode(code)) });

/** A newline travels in all but list elements. */
const valueWithNewlines = fc.array(value, { maxLength: 3 }).map((parts) => parts.join("\n"));

const field = fc.letrec<{ message: Message; field: Field }>((tie) => ({
  message: record({ fields: fc.array(tie("field"), { maxLength: 6, depthIdentifier: "message" }) }),
  field: fc.oneof(
    { depthIdentifier: "message", maxDepth: 5, withCrossShrink: true },
    record({ name, type: fc.constant(0 as const), value: valueWithNewlines }),
    record({
      name,
      type: fc.constantFrom(1 as const, 4 as const),
      value: fc.uint8Array({ maxLength: 60 }),
    }),
    record({
      name,
      type: fc.constant(3 as const),
      value: fc.array(value.filter((each) => each !== ""), { maxLength: 4 }),
    }),
    record({ name, type: fc.constant(2 as const), value: tie("message") }),
  ),
}));

export const anyMessage: fc.Arbitrary<Message> = field.message;

const counter = fc.integer({ min: 0, max: 2 ** 40 });
const nodeName = fc.stringMatching(/^[a-z][a-z0-9.-]{0,30}$/);
/** Printable, of any script. */
const words = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 })
  .filter((text) => text.length <= 100 && !/[\p{Cc}]/u.test(text));

const group: fc.Arbitrary<GroupStatement> = fc.record({
  state: fc.constantFrom("stopped", "unknown", "starting", "running", "stopping", "blocked"),
  epoch: counter,
  able: fc.boolean(),
  wants: fc.boolean(),
  leaseSeconds: fc.integer({ min: 0, max: 86_400 }),
  pin: fc.option(fc.record({ node: fc.option(nodeName), version: counter })),
});

/** Names that are members of every ordinary object must be as good as any other. */
const trickyName = fc.constantFrom("__proto__", "constructor", "toString", "hasOwnProperty", "length", "0");

export const anyStatement: fc.Arbitrary<Statement> = fc.array(
  fc.record({ name: nodeName, address: fc.option(words) }),
  { maxLength: 16 },
).chain((media) =>
  fc.record({
    dialect: fc.constant(1),
    version: words,
    settingsHash: words,
    phase: fc.constantFrom("joining", "settled", "leaving"),
    settledForMs: counter,
    media: fc.constant(media),
    hears: fc.dictionary(
      fc.oneof(nodeName, trickyName),
      fc.record({
        generation: counter,
        sequence: counter,
        on: fc.subarray(media.map((_, index) => index)),
      }),
      { maxKeys: 16 },
    ),
    groups: fc.dictionary(fc.oneof(words, trickyName), group, { maxKeys: 10 }),
    maintenance: fc.record({ on: fc.boolean(), version: counter }),
  })
);
