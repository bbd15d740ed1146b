/** The worked examples of the protocol reference, section 4.5: tokens known from other programs than ours. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { token } from "../../lib/wire/authentication.ts";
import { crc32 } from "../../lib/wire/crc32.ts";
import { binaryField, type Message, stringField } from "../../lib/wire/message.ts";
import { decode, open, seal } from "../../lib/wire/packet.ts";
import { encodeText } from "../../lib/wire/text.ts";
import { writeNetstring } from "../../lib/wire/netstring.ts";
import { capture, keys } from "./captures.ts";

const statusOf = (uuid: string, generation: string, timestamp: string, load: string): Message => ({
  fields: [
    stringField("t", "status"),
    stringField("st", "init"),
    stringField("dt", "bb8"),
    stringField("protocol", "1"),
    stringField("src", "node1"),
    binaryField("srcuuid", Uint8Array.from(Buffer.from(uuid, "base64"))),
    stringField("seq", "1"),
    stringField("hg", generation),
    stringField("ts", timestamp),
    stringField("ld", load),
    stringField("ttl", "3"),
  ],
});

const sha1 = keys("sha1", "LabSecret-sha1");

Deno.test("example A: a status as text with sha1", () => {
  const message = statusOf("EYuDd5tkTYWtovlkNBJY9A==", "6b02705e", "6b02705d", "0.24 0.31 0.18 2/117 20");
  const sealed = Buffer.from(seal(message, { format: "text", authentication: sha1 })).toString("latin1");
  assert.equal(
    sealed,
    ">>>\nt=status\nst=init\ndt=bb8\nprotocol=1\nsrc=node1\n(1)srcuuid=EYuDd5tkTYWtovlkNBJY9A==\nseq=1\n" +
      "hg=6b02705e\nts=6b02705d\nld=0.24 0.31 0.18 2/117 20\nttl=3\n" +
      "auth=1 6ee29be5e0f72eaa5449dd60963bcc7d2aa51257\n<<<\n",
  );
  const first = capture("media-serial-1to2.raw").packets[0]!;
  assert.equal(sealed, Buffer.from(first).toString("latin1"));
});

Deno.test("example B: a status as netstring with sha1 and a classic daemon's inner auth", () => {
  const plain = statusOf("ZoUOWCJQRDWyL/sGDFnx8w==", "6b026e41", "6b026e40", "0.11 0.16 0.11 2/113 20");
  const inner = decode(seal(plain, { format: "text", authentication: sha1 }));
  assert(inner.ok);
  assert.equal(inner.claim, "1 7668c01d0956e95244ecf516c5d99dda6f3e8958");

  const body = Buffer.from(writeNetstring(inner.message), "latin1");
  assert.equal(body.length, 258);
  const claim = token("sha1", "LabSecret-sha1", [body]);
  assert.equal(claim, "d848d5234663f5e71323d0ff41e2d7b726e3fa04");
  const first = capture("cold-start-both.pcap").packets[0]!;
  assert.equal(first.length, 304);
  assert.deepEqual(Buffer.concat([body, Buffer.from(`42:1 ${claim},`)]), Buffer.from(first));
});

const netstringExamples = [
  { name: "C", file: "auth-md5.pcap", bytes: 288, signed: 250, trailer: "49bd432d54dc4d29df8a77f311a4f5be" },
  { name: "D", file: "auth-crc.pcap", bytes: 240, signed: 226, trailer: "65285c79" },
];
const innerTokens: Readonly<Record<string, string>> = {
  C: "81222b4e6248133e3ebb83276525f4cc",
  D: "942ebd1b",
};

for (const { name, file, bytes, signed, trailer } of netstringExamples) {
  Deno.test(`example ${name}: the first packet of ${file}`, () => {
    const { packets, authentication } = capture(file);
    const packet = packets[0]!;
    const { method, secret } = authentication.keys[0]!;
    assert.equal(packet.length, bytes);
    assert.equal(token(method, secret, [packet.subarray(0, signed)]), trailer);
    const decoded = decode(packet);
    assert(decoded.ok);
    assert.equal(decoded.claim, `1 ${trailer}`);
    assert.equal(decoded.signed.length, 1);
    assert.equal(decoded.signed[0]!.length, signed);
    const text = decode(encodeText(decoded.message));
    assert(text.ok);
    assert.equal(text.claim, `1 ${innerTokens[name]}`);
    assert.equal(token(method, secret, text.signed), innerTokens[name]);
    assert(open(packet, { authentication, isPrivate: false }).ok);
  });
}

Deno.test("the crc is computed over pieces as over the whole, and printed without leading zeros", () => {
  const bytes = Buffer.from("123456789");
  assert.equal(crc32([bytes]), 0x765e7680); // The published check value of CRC-32/CKSUM.
  assert.equal(crc32([bytes]), crc32([bytes.subarray(0, 4), bytes.subarray(4)]));
  assert.equal(crc32([]), 0xffffffff);
  const small = Array.from({ length: 4096 }, (_, i) => Buffer.from(`n=${i}\n`)).find((each) =>
    crc32([each]) < 2 ** 28
  )!;
  assert(token("crc", "", [small]).length < 8);
});

Deno.test("sha256 is HMAC-SHA-256 at full length (RFC 4231, test case 2)", () => {
  assert.equal(
    token("sha256", "Jefe", [Buffer.from("what do ya want "), Buffer.from("for nothing?")]),
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  );
});

Deno.test("md5 and sha1 are the HMACs of RFC 2202, keys longer than a block hashed first", () => {
  const key = "\x0b";
  assert.equal(
    token("md5", key.repeat(16), [Buffer.from("Hi There")]),
    "9294727a3638bb1c13f48ef8158bfc9d",
  );
  assert.equal(
    token("sha1", "Jefe", [Buffer.from("what do ya want for nothing?")]),
    "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
  );
  assert.equal(token("md5", "k".repeat(80), [Buffer.from("x")]).length, 32);
});
