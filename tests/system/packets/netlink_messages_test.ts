import assert from "node:assert/strict";
import fc from "fast-check";
import {
  addressHeader,
  buildMessage,
  readAddress,
  readError,
  readLink,
  readMessages,
  readRoute,
  RTM,
  uint32,
} from "../../../lib/system/packets/netlink_messages.ts";
import { hex } from "./bytes.ts";

const request = buildMessage(RTM.NEWADDR, 0x505, 7, addressHeader(4, 24, 0, 0, 3), [
  [2, hex("0a000005")],
  [3, hex("653000")], // three bytes: padded to four
  [8, uint32(0x80)],
]);

Deno.test("a request has the layout of netlink(7) and rtnetlink(7), attributes padded to four bytes", () => {
  assert.deepEqual(
    request,
    hex(`30000000 1400 0505 07000000 00000000  02 18 00 00 03000000
         0800 0200 0a000005  0700 0300 65300000  0800 0800 80000000`),
  );
});

Deno.test("messages and their attributes are read back", () => {
  const [message, second, ...more] = readMessages(Uint8Array.of(...request, ...request));
  assert.deepEqual(more, []);
  assert.deepEqual([message!.type, message!.flags, message!.sequence], [RTM.NEWADDR, 0x505, 7]);
  assert.deepEqual(second, message);
  assert.deepEqual(readAddress(message!.body), {
    index: 3,
    family: 4,
    address: "10.0.0.5",
    prefix: 24,
    label: "e0",
    validSeconds: null,
    flags: 0x80,
  });
});

Deno.test("an acknowledgement is error 0, a refusal its positive number", () => {
  assert.equal(readError(hex("00000000")), 0);
  assert.equal(readError(hex("ffffffff")), 1);
  assert.equal(readError(hex("ed")), 0);
});

Deno.test("a message that is cut off is left out, and a body that is cut off never throws", () => {
  for (let length = 0; length < request.length; length++) {
    assert.deepEqual(readMessages(request.subarray(0, length)), [], `${length} bytes`);
  }
  const [message] = readMessages(request);
  for (let length = 0; length < message!.body.length; length++) {
    const read = readAddress(message!.body.slice(0, length));
    assert.ok(read === null || read.address === "10.0.0.5", `${length} bytes`);
  }
});

Deno.test("any bytes are read or refused without an exception, and reading ends", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(request.length), (bytes, at) => {
    const datagram = Uint8Array.of(...request.subarray(0, at), ...bytes);
    for (const { body } of [...readMessages(bytes), ...readMessages(datagram)]) {
      readAddress(body);
      readLink(body);
      readRoute(body);
      readError(body);
    }
    readAddress(bytes);
    readLink(bytes);
    readRoute(bytes);
  }));
});
