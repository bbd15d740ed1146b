import assert from "node:assert/strict";
import fc from "fast-check";
import { SerialFramer } from "../../lib/media/serial_framer.ts";

const good = ">>>\nt=status\nsrc=node1\n<<<\n";
const other = ">>>\nt=ackmsg\n<<<\n";

const cases: readonly (readonly [sentence: string, input: string, found: readonly string[]])[] = [
  ["a packet", good, [good]],
  ["two packets", good + other, [good, other]],
  ["noise before a packet is left out", `\x07xx\n=\n<<<\n${good}`, [good]],
  ["noise between packets is left out", `${good}garbage\nt=1\n${other}`, [good, other]],
  ["a packet without its end gives way to the next one", `>>>\nt=sta\n${good}`, [good]],
  ["a packet that ends in the middle of a line takes the next one with it", `>>>\nt=sta${good}${other}`, [
    ">>>\nt=sta>>>\nt=status\nsrc=node1\n<<<\n",
    other,
  ]],
  ["an end without a beginning is no packet", "t=status\n<<<\n", []],
  ["carriage returns and NULs are no part of it", ">>>\r\nt=status\r\nsrc=node1\r\n<<<\r\n\0" + other, [
    good,
    other,
  ]],
  ["a beginning with more on its line is handed on, to be refused", ">>>x\n<<<y\n", [">>>x\n<<<y\n"]],
  ["fewer than three signs are a line like any other", ">>\n<<<\n>>>\n<<\n<<<\n", [">>>\n<<\n<<<\n"]],
  ["a packet as long as can be", `>>>\n${"x".repeat(91)}\n<<<\n`, [`>>>\n${"x".repeat(91)}\n<<<\n`]],
  ["a packet that is longer is left out whole", `>>>\n${"x".repeat(92)}\n<<<\n${good}`, [good]],
  ["many short lines that are too long together", `>>>\n${"x\n".repeat(60)}<<<\n${good}`, [good]],
  ["a long line of noise is left out", `${"x".repeat(1000)}\n${good}`, [good]],
];

for (const [sentence, input, expected] of cases) {
  Deno.test(`framing a serial line: ${sentence}`, () => assert.deepEqual(framed([bytes(input)]), expected));
}

Deno.test("framing a serial line: how the bytes are cut into reads does not matter", () => {
  const line = cases.map(([, input]) => `${input}\n`).join("");
  const whole = framed([bytes(line)]);
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (lengths) => {
    const pieces: Uint8Array[] = [];
    const input = bytes(line);
    for (let at = 0, i = 0; at < input.length; i++) {
      const length = lengths[i % lengths.length]!;
      pieces.push(input.subarray(at, at + length));
      at += length;
    }
    assert.deepEqual(framed(pieces), whole);
  }));
});

Deno.test("framing a serial line: after any noise the second packet is found at the latest", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
    const found = framed([noise, bytes(good + good)]);
    assert.equal(found.at(-1), good);
    for (const packet of found) assert(packet.length <= 100);
  }));
});

function framed(pieces: readonly Uint8Array[]): string[] {
  const found: string[] = [];
  const framer = new SerialFramer(100, (packet) => found.push(new TextDecoder("latin1").decode(packet)));
  for (const piece of pieces) framer.push(piece);
  return found;
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
