import assert from "node:assert/strict";
import fc from "fast-check";
import { buildArp, buildArpAnnouncement, buildArpProbe, readArp } from "../../../lib/system/packets/arp.ts";
import { hex } from "./bytes.ts";

const own = hex("02 00 5e 00 00 01");
const address = hex("c0 00 02 0a"); // 192.0.2.10
const ethernet = 1;

Deno.test("ARP packets have the bytes of RFC 826, 5227 and 5944", () => {
  const header = "0001 0800 06 04";
  const cases: Array<[string, Uint8Array, string]> = [
    [
      "probe: sender 0.0.0.0, target hardware empty",
      buildArpProbe(ethernet, own, address),
      `${header} 0001  02005e000001 00000000  000000000000 c000020a`,
    ],
    [
      "announcement by request: both addresses, target hardware empty",
      buildArpAnnouncement(ethernet, own, address, "request"),
      `${header} 0001  02005e000001 c000020a  000000000000 c000020a`,
    ],
    [
      "announcement by reply: target hardware our own",
      buildArpAnnouncement(ethernet, own, address, "reply"),
      `${header} 0002  02005e000001 c000020a  02005e000001 c000020a`,
    ],
  ];
  for (const [name, built, expected] of cases) assert.deepEqual(built, hex(expected), name);
});

Deno.test("the hardware address has the interface's length, also the 20 bytes of InfiniBand", () => {
  const infiniband = Uint8Array.from({ length: 20 }, (_, index) => index + 1);
  const packet = buildArpAnnouncement(32, infiniband, address, "reply");
  assert.equal(packet.length, 8 + 2 * (20 + 4));
  assert.deepEqual(packet.subarray(0, 8), hex("0020 0800 14 04 0002"));
  assert.deepEqual(readArp(packet)?.targetHardware, infiniband);
});

Deno.test("what was built is read back, with the padding of a short frame or without", () => {
  const hardware = fc.uint8Array({ minLength: 6, maxLength: 20 });
  const four = fc.uint8Array({ minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(
      hardware,
      four,
      four,
      fc.constantFrom(1, 2),
      fc.nat(18),
      (mac, from, to, operation, padding) => {
        const packet = buildArp(1, operation, mac, from, mac, to);
        const read = readArp(Uint8Array.of(...packet, ...new Uint8Array(padding)));
        assert.deepEqual(read, {
          operation,
          senderHardware: mac,
          senderAddress: from.join("."),
          targetHardware: mac,
          targetAddress: to.join("."),
        });
      },
    ),
  );
});

Deno.test("a packet that is cut off anywhere, or is not for IPv4, is no ARP packet", () => {
  const packet = buildArpProbe(ethernet, own, address);
  for (let length = 0; length < packet.length; length++) {
    assert.equal(readArp(packet.subarray(0, length)), null, `${length} bytes`);
  }
  for (const [offset, value] of [[2, 0x86], [3, 0xdd], [5, 16], [4, 255]] as const) {
    const changed = packet.slice();
    changed[offset] = value;
    assert.equal(readArp(changed), null, `byte ${offset}`);
  }
});

Deno.test("any bytes are read or refused without an exception", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
    readArp(bytes);
    const plausible = bytes.slice();
    plausible.set(hex("0001 0800 06 04").subarray(0, plausible.length));
    readArp(plausible);
  }));
});
