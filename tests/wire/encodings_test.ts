import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { fieldsMax, listElementsMax, nestingMax } from "../../lib/wire/limits.ts";
import { type Field, type Message, type Refusal, stringField } from "../../lib/wire/message.ts";
import { decode } from "../../lib/wire/packet.ts";
import { encodeNetstring } from "../../lib/wire/netstring.ts";
import { encodeText } from "../../lib/wire/text.ts";
import { anyMessage } from "./arbitraries.ts";

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
const bytes = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));

Deno.test("every message comes back as it was, from both encodings", () => {
  fc.assert(fc.property(anyMessage, (message) => {
    for (const packet of [encodeNetstring(message, null), encodeText(message)]) {
      const decoded = decode(packet);
      assert(decoded.ok, JSON.stringify(decoded));
      assert.deepEqual(decoded.message, message);
    }
  }));
});

Deno.test("whatever decodes is written back byte for byte", () => {
  fc.assert(fc.property(anyMessage, fc.nat(), fc.nat(255), (message, position, byte) => {
    for (const packet of [encodeNetstring(message, "1 00"), encodeText(message)]) {
      packet[position % packet.length] = byte;
      const decoded = decode(packet);
      if (!decoded.ok) continue;
      const again = decoded.encoding === "text"
        ? encodeText(decoded.message)
        : encodeNetstring(decoded.message, decoded.claim);
      // Blank lines are the one thing that the text encoding allows and does not keep, and the final NUL.
      const expected = decoded.encoding === "text"
        ? latin1(packet).replace(/\n\n+/g, "\n").replace(/\0$/, "")
        : latin1(packet);
      assert.equal(latin1(again), expected);
    }
  }));
});

Deno.test("random bytes behind either beginning never throw and never decode to more than they are", () => {
  fc.assert(
    fc.property(fc.constantFrom(">>>\n", "###\n", ""), fc.uint8Array({ maxLength: 400 }), (start, rest) => {
      const decoded = decode(Buffer.concat([Buffer.from(start), rest]));
      if (decoded.ok) assert(decoded.message.fields.length <= rest.length);
      else assert.equal(typeof decoded.detail, "string");
    }),
  );
});

Deno.test("a nested message as text has a line end of its own at each depth", () => {
  const nested: Message = {
    fields: [{
      name: "a",
      type: 2,
      value: { fields: [stringField("x", "1\n2"), { name: "b", type: 2, value: { fields: [] } }] },
    }],
  };
  const expected = ">>>\n(2)a=>>>\x14x=1\x132\x14(2)b=>>>\x15<<<\x15\x14<<<\x14\n<<<\n";
  assert.equal(latin1(encodeText(nested)), expected);
  const decoded = decode(bytes(expected));
  assert(decoded.ok);
  assert.deepEqual(decoded.message, nested);
});

function nestedTo(depth: number): Message {
  let message: Message = { fields: [] };
  for (let i = 0; i < depth; i++) message = { fields: [{ name: "n", type: 2, value: message }] };
  return message;
}

Deno.test(`${nestingMax} levels of nested messages pass in both encodings, and one more is a bug of ours`, () => {
  for (const encode of [encodeText, (message: Message) => encodeNetstring(message, null)]) {
    const decoded = decode(encode(nestedTo(nestingMax)));
    assert(decoded.ok);
    assert.deepEqual(decoded.message, nestedTo(nestingMax));
    assert.throws(() => encode(nestedTo(nestingMax + 1)), /levels of messages/);
  }
});

function netstringNested(depth: number): string {
  let text = "###\n%%%\n";
  for (let i = 0; i < depth; i++) text = `###\n${text.length + 5}:(2)n=${text},%%%\n`;
  return text;
}

const fieldsOf = (count: number, line: string) => line.repeat(count);

interface Case {
  readonly name: string;
  readonly packet: string;
  /** `null`: it decodes. */
  readonly refusal: Refusal | null;
}

const cases: readonly Case[] = [
  { name: "an empty packet", packet: "", refusal: "unknown-encoding" },
  { name: "three bytes of a beginning", packet: "###", refusal: "unknown-encoding" },
  { name: "another protocol", packet: "GET / HTTP/1.1\r\n\r\n", refusal: "unknown-encoding" },

  { name: "a netstring message without fields", packet: "###\n%%%\n", refusal: null },
  { name: "a netstring message without an end", packet: "###\n7:(0)t=s,", refusal: "malformed" },
  { name: "a length with a leading zero", packet: "###\n07:(0)t=st,%%%\n", refusal: "malformed" },
  { name: "a negative length", packet: "###\n-6:(0)t=s,%%%\n", refusal: "malformed" },
  { name: "a length beyond the end", packet: "###\n99999:(0)t=s,%%%\n", refusal: "malformed" },
  {
    name: "a length of a hundred digits",
    packet: `###\n${"9".repeat(100)}:(0)t=s,%%%\n`,
    refusal: "malformed",
  },
  { name: "a length one too short", packet: "###\n5:(0)t=s,%%%\n", refusal: "malformed" },
  { name: "a field without a comma", packet: "###\n6:(0)t=s%%%\n", refusal: "malformed" },
  { name: "a field without a type", packet: "###\n3:t=s,%%%\n", refusal: "malformed" },
  { name: "a field without =", packet: "###\n5:(0)ts,%%%\n", refusal: "malformed" },
  { name: "an = of the next field", packet: "###\n4:(0)t,6:(0)t=s,%%%\n", refusal: "malformed" },
  { name: "an empty name", packet: "###\n5:(0)=s,%%%\n", refusal: "malformed" },
  { name: "a name with a newline", packet: "###\n7:(0)t\n=s,%%%\n", refusal: "malformed" },
  { name: "a name that reads as a type", packet: "###\n9:(0)(1)t=s,%%%\n", refusal: "malformed" },
  { name: "type 5, which is never on the wire", packet: "###\n6:(5)t=s,%%%\n", refusal: "malformed" },
  { name: "type 9", packet: "###\n6:(9)t=s,%%%\n", refusal: "malformed" },
  { name: "a NUL in a string", packet: "###\n7:(0)t=\0s,%%%\n", refusal: "malformed" },
  { name: "a NUL in a binary value", packet: "###\n7:(1)t=\0s,%%%\n", refusal: null },
  { name: "a value with =", packet: "###\n8:(0)t=a=b,%%%\n", refusal: null },
  { name: "bytes after the authentication", packet: "###\n%%%\n4:1 00,x", refusal: "malformed" },
  { name: "a trailer cut short", packet: "###\n%%%\n4:1 00", refusal: "malformed" },
  { name: "a nested value that is none", packet: "###\n6:(2)t=s,%%%\n", refusal: "malformed" },
  { name: "a nested end that belongs to the outer", packet: "###\n9:(2)t=###\n,%%%\n", refusal: "malformed" },
  { name: "bytes behind a nested message", packet: "###\n14:(2)t=###\n%%%\nx,%%%\n", refusal: "malformed" },
  { name: "a nested message", packet: "###\n13:(2)t=###\n%%%\n,%%%\n", refusal: null },
  { name: "a list", packet: "###\n15:(3)l=1:a,3:bcd,,%%%\n", refusal: null },
  { name: "a list with an empty element", packet: "###\n8:(3)l=0:,,%%%\n", refusal: "malformed" },
  { name: "a list with a bad length", packet: "###\n9:(3)l=2:a,,%%%\n", refusal: "malformed" },
  { name: "netstrings nested as deep as allowed", packet: netstringNested(nestingMax), refusal: null },
  { name: "netstrings nested too deep", packet: netstringNested(nestingMax + 1), refusal: "too-large" },
  { name: "netstrings nested a thousand deep", packet: netstringNested(1000), refusal: "too-large" },
  {
    name: "as many fields as allowed",
    packet: `###\n${fieldsOf(fieldsMax, "5:(0)t=,")}%%%\n`,
    refusal: null,
  },
  {
    name: "one field too many",
    packet: `###\n${fieldsOf(fieldsMax + 1, "5:(0)t=,")}%%%\n`,
    refusal: "too-large",
  },
  {
    name: "one list element too many",
    packet: `###\n${(listElementsMax + 1) * 4 + 5}:(3)l=${"1:a,".repeat(listElementsMax + 1)},%%%\n`,
    refusal: "too-large",
  },

  { name: "a text message without fields", packet: ">>>\n<<<\n", refusal: null },
  { name: "a text message without an end", packet: ">>>\nt=s\n", refusal: "malformed" },
  { name: "an end without a newline", packet: ">>>\nt=s\n<<<", refusal: "malformed" },
  { name: "blank lines", packet: ">>>\n\nt=s\n\n\n<<<\n", refusal: null },
  { name: "one NUL behind the end", packet: ">>>\nt=s\n<<<\n\0", refusal: null },
  { name: "two NULs behind the end", packet: ">>>\nt=s\n<<<\n\0\0", refusal: "malformed" },
  { name: "lines behind the end", packet: ">>>\nt=s\n<<<\nt=s\n", refusal: "malformed" },
  { name: "a line without =", packet: ">>>\nts\n<<<\n", refusal: "malformed" },
  { name: "type 0, which is not written as text", packet: ">>>\n(0)t=s\n<<<\n", refusal: "malformed" },
  { name: "type 5 as text", packet: ">>>\n(5)t=s\n<<<\n", refusal: "malformed" },
  { name: "an unfinished type", packet: ">>>\n(1t=s\n<<<\n", refusal: "malformed" },
  { name: "base64", packet: ">>>\n(1)u=AAE=\n<<<\n", refusal: null },
  { name: "base64 without padding", packet: ">>>\n(1)u=AAE\n<<<\n", refusal: "malformed" },
  { name: "base64 with stray bits", packet: ">>>\n(1)u=AAF=\n<<<\n", refusal: "malformed" },
  { name: "no base64", packet: ">>>\n(1)u=!\n<<<\n", refusal: "malformed" },
  { name: "two auth fields", packet: ">>>\nauth=1 a\nauth=1 b\n<<<\n", refusal: "malformed" },
  { name: "an auth field that is no string", packet: ">>>\n(1)auth=AAE=\n<<<\n", refusal: "malformed" },
  { name: "one line too many", packet: `>>>\n${fieldsOf(fieldsMax + 1, "t=\n")}<<<\n`, refusal: "too-large" },
  { name: "a nested end of another depth", packet: ">>>\n(2)a=>>>\x14<<<\x15\n<<<\n", refusal: "malformed" },
];

for (const { name, packet, refusal } of cases) {
  Deno.test(`${name} is ${refusal ?? "read"}`, () => {
    const decoded = decode(bytes(packet));
    assert.equal(decoded.ok ? null : decoded.refusal, refusal, JSON.stringify(decoded));
  });
}

const unwritable: ReadonlyArray<{ name: string; field: Field; netstring: RegExp | null; text: RegExp }> = [
  { name: "a NUL", field: stringField("x", "\0"), netstring: /character 0/, text: /character 0/ },
  {
    name: "a character of two bytes",
    field: stringField("x", "€"),
    netstring: /character 8364/,
    text: /8364/,
  },
  { name: "byte 0x13", field: stringField("x", "\x13"), netstring: null, text: /0x13/ },
  { name: "a name with =", field: stringField("a=b", ""), netstring: /no field name/, text: /no field name/ },
  { name: "an empty element", field: { name: "x", type: 3, value: [""] }, netstring: /empty/, text: /empty/ },
  {
    name: "a newline in a list",
    field: { name: "x", type: 3, value: ["\n"] },
    netstring: null,
    text: /ends its line/,
  },
  {
    name: "the line end of a nested message in it",
    field: { name: "x", type: 2, value: { fields: [stringField("y", "\x14")] } },
    netstring: null,
    text: /ends its line/,
  },
];

for (const { name, field, netstring, text } of unwritable) {
  Deno.test(`${name} is not written where it could not be read back`, () => {
    const message = { fields: [field] };
    assert.throws(() => encodeText(message), text);
    if (netstring === null) assert(decode(encodeNetstring(message, null)).ok);
    else assert.throws(() => encodeNetstring(message, null), netstring);
  });
}

Deno.test("what a packet contains is quoted in the detail so that no terminal obeys it", () => {
  const decoded = decode(bytes(">>>\n(1)u=\x1b]0;owned\x07\x9b31m\n<<<\n"));
  assert(!decoded.ok);
  assert.match(decoded.detail, /^[ -~]*$/);
});
