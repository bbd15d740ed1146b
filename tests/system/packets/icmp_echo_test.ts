import assert from "node:assert/strict";
import fc from "fast-check";
import { internetChecksum } from "../../../lib/system/packets/checksum.ts";
import { buildEchoRequest, ipv4Payload, readEchoReply } from "../../../lib/system/packets/icmp_echo.ts";
import { flipped, hex } from "./bytes.ts";

Deno.test("the checksum is that of the example in RFC 1071, section 3", () => {
  assert.equal(internetChecksum(hex("0001 f203 f4f5 f6f7")), 0xffff - 0xddf2);
  assert.equal(internetChecksum(hex("0001 f203 f4f5 f6f7 220d")), 0);
  assert.equal(internetChecksum(hex("ff")), 0x00ff, "an odd byte is padded");
  assert.equal(internetChecksum(new Uint8Array()), 0xffff);
});

Deno.test("requests have the bytes of RFC 792 and RFC 4443", () => {
  const message = { identifier: 0x1234, sequence: 0xabcd, payload: hex("01 02 03") };
  assert.deepEqual(buildEchoRequest(4, message), hex("08 00 35fc 1234 abcd 010203"));
  assert.deepEqual(buildEchoRequest(6, message), hex("80 00 0000 1234 abcd 010203"));
});

Deno.test("a reply is read, a request or another message is not, nor one with a turned bit", () => {
  const reply = hex("00 00 3dfc 1234 abcd 010203");
  assert.deepEqual(readEchoReply(4, reply), {
    identifier: 0x1234,
    sequence: 0xabcd,
    payload: hex("01 02 03"),
  });
  for (let bit = 0; bit < reply.length * 8; bit++) {
    assert.equal(readEchoReply(4, flipped(reply, bit)), null, `bit ${bit}`);
  }
  assert.equal(readEchoReply(4, hex("08 00 35fc 1234 abcd 010203")), null);
  for (let length = 0; length < 8; length++) {
    assert.equal(readEchoReply(4, reply.subarray(0, length)), null);
    assert.equal(readEchoReply(6, reply.subarray(0, length)), null);
  }
  assert.deepEqual(readEchoReply(6, hex("81 00 0000 0001 0002"))?.sequence, 2);
});

Deno.test("the header of an IPv4 packet is skipped with its options", () => {
  assert.deepEqual(ipv4Payload(Uint8Array.of(0x45, ...new Uint8Array(19), 7)), hex("07"));
  assert.deepEqual(ipv4Payload(Uint8Array.of(0x46, ...new Uint8Array(23), 7)), hex("07"));
  for (const bad of ["", "45", "65" + "00".repeat(30), "44" + "00".repeat(30)]) {
    assert.equal(ipv4Payload(hex(bad)), null);
  }
});

Deno.test("any bytes are read or refused without an exception", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
    readEchoReply(4, bytes);
    readEchoReply(6, bytes);
    ipv4Payload(bytes);
  }));
});
