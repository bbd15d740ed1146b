import assert from "node:assert/strict";
import { readRefusal } from "../../../lib/system/packets/icmp_unreachable.ts";
import { readIpPacket } from "../../../lib/system/packets/ip_packet.ts";
import { hex } from "./bytes.ts";

const quotedUdp = "450000240000 4000 40 11 0000 0a4d0202 0a4d0201  9e29 02b6 0010 0000";
const quotedVrrp = "450000200000 4000 40 70 0000 0a4d0202 0a4d0201  0000000000000000";

function error(type: string, quoted: string): string {
  return `45c00040 0000 0000 40 01 0000 0a4d0201 0a4d0202  ${type} 0000 00000000 ${quoted}${"00".repeat(8)}`;
}

const quotedSix = `60000000 0010 11 40 ${"fd00000000000000 0000000000000002".repeat(2)} 9e29 02b6 0010 0000`;
const six = `60000000 0040 3a 40 ${
  "fd00000000000000 0000000000000001".repeat(2)
} 01 04 0000 00000000 ${quotedSix}
  0000000000000000`;

const cases: ReadonlyArray<
  readonly [what: string, packet: string, expected: ReturnType<typeof readRefusal>]
> = [
  ["a port", error("03 03", quotedUdp), { protocol: 17, port: 694 }],
  ["a protocol", error("03 02", quotedVrrp), { protocol: 112, port: null }],
  ["a host", error("03 01", quotedUdp), null],
  ["time exceeded", error("0b 00", quotedUdp), null],
  ["a port over IPv6", six, { protocol: 17, port: 694 }],
];

for (const [what, text, expected] of cases) {
  Deno.test(`an ICMP error: ${what}: ${expected === null ? "no refusal" : "nobody listens"}`, () => {
    const packet = readIpPacket(hex(text));
    assert(packet !== null);
    assert.deepEqual(readRefusal(packet), expected);
    for (let length = 0; length < packet.payload.length; length++) {
      const cut = readRefusal({ ...packet, payload: packet.payload.subarray(0, length) });
      assert(cut === null || cut.port === null || cut.port === expected?.port);
    }
  });
}
