import assert from "node:assert/strict";
import fc from "fast-check";
import { frame, FrameReader, greeting } from "../../lib/media/tcp_frames.ts";
import { packetBytesMax } from "../../lib/wire/limits.ts";

function read(...pieces: Uint8Array[]): { frames: [string, Uint8Array][]; broken: string[] } {
  const frames: [string, Uint8Array][] = [];
  const broken: string[] = [];
  const reader = new FrameReader(
    (kind, content) => frames.push([kind, content]),
    (reason) => broken.push(reason),
  );
  for (const piece of pieces) reader.push(piece);
  return { frames, broken };
}

Deno.test("frames come out as they went in, however the bytes are cut", () => {
  const contents = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 10 });
  fc.assert(fc.property(contents, fc.integer({ min: 1, max: 50 }), (packets, step) => {
    const parts = [greeting, ...packets.flatMap((packet) => [frame("ping"), frame("data", packet)])];
    const all = Uint8Array.from(parts.flatMap((part) => [...part]));
    const pieces = [];
    for (let at = 0; at < all.length; at += step) pieces.push(all.subarray(at, at + step));
    const { frames, broken } = read(...pieces);
    assert.deepEqual(frames, packets.flatMap((packet) => [["ping", new Uint8Array()], ["data", packet]]));
    assert.deepEqual(broken, []);
  }));
});

const breaches: readonly (readonly [sentence: string, bytes: Uint8Array, reason: string])[] = [
  ["another service", new TextEncoder().encode("SSH-2.0-x"), "it does not greet as Heartline"],
  ["an unknown kind", Uint8Array.of(...greeting, 3, 0, 0, 0), "it sent a frame of unknown kind 3"],
  ["a ping with content", Uint8Array.of(...greeting, 1, 0, 0, 1, 7), "it announced 1 bytes of ping"],
  [
    "a packet longer than any",
    Uint8Array.of(...greeting, 0, 4, 0, 1),
    `it announced ${packetBytesMax + 1} bytes of data`,
  ],
];

for (const [sentence, bytes, reason] of breaches) {
  Deno.test(`${sentence} ends the reading, once and for good`, () => {
    assert.deepEqual(read(bytes, frame("ping"), bytes), { frames: [], broken: [reason] });
  });
}

Deno.test("no bytes whatever make it throw, or hand over more than a packet", () => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 20 }), (pieces) => {
    const { frames, broken } = read(greeting, ...pieces);
    assert(broken.length <= 1);
    for (const [, content] of frames) assert(content.length <= packetBytesMax);
  }));
});
