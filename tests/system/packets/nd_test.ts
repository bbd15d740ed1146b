import assert from "node:assert/strict";
import fc from "fast-check";
import {
  buildAdvertisement,
  buildSolicitation,
  multicastHardware,
  readNd,
  solicitedNodeAddress,
  unspecifiedAddress,
} from "../../../lib/system/packets/nd.ts";
import { icmp6Checksum } from "../../../lib/system/packets/checksum.ts";
import { addressBytes, addressText } from "../../../lib/system/packets/ip_address.ts";
import { flipped, hex } from "./bytes.ts";

const own = hex("02 00 5e 00 00 01");
const vip = addressBytes("2001:db8::10")!;
const linkLocal = addressBytes("fe80::1")!;

Deno.test("the solicited-node group and its Ethernet address follow from the last three bytes", () => {
  const cases = [
    ["2001:db8::10", "ff02::1:ff00:10", "33 33 ff 00 00 10"],
    ["fe80::2aa:ff:fe28:9c5a", "ff02::1:ff28:9c5a", "33 33 ff 28 9c 5a"], // the example of RFC 2464 and 4291
  ] as const;
  const ethernetBroadcast = hex("ff ff ff ff ff ff");
  for (const [address, group, hardware] of cases) {
    const bytes = solicitedNodeAddress(addressBytes(address)!);
    assert.equal(addressText(bytes), group);
    assert.deepEqual(multicastHardware(bytes, ethernetBroadcast), hex(hardware));
  }
  const infinibandBroadcast = new Uint8Array(20).fill(0xff);
  assert.deepEqual(multicastHardware(solicitedNodeAddress(vip), infinibandBroadcast), infinibandBroadcast);
});

Deno.test("packets have the bytes of RFC 4861; the checksums are those that tcpdump accepts", () => {
  const cases: Array<[string, { packet: Uint8Array; destination: Uint8Array }, string, string]> = [
    [
      "solicitation from a link-local address, with option 1",
      buildSolicitation(linkLocal, own, vip),
      "ff02::1:ff00:10",
      `60000000 0020 3a ff  fe80000000000000 0000000000000001  ff02000000000000 00000001ff000010
       87 00 ed42 00000000  20010db800000000 0000000000000010  01 01 02005e000001`,
    ],
    [
      "solicitation from the unspecified address, without an option",
      buildSolicitation(unspecifiedAddress, own, vip),
      "ff02::1:ff00:10",
      `60000000 0018 3a ff  0000000000000000 0000000000000000  ff02000000000000 00000001ff000010
       87 00 4ccf 00000000  20010db800000000 0000000000000010`,
    ],
    [
      "advertisement: O=1, S=0, R=0, option 2",
      buildAdvertisement(own, vip, false),
      "ff02::1",
      `60000000 0020 3a ff  20010db800000000 0000000000000010  ff02000000000000 0000000000000001
       88 00 9b0c 20000000  20010db800000000 0000000000000010  02 01 02005e000001`,
    ],
    [
      "advertisement of a router: R=1",
      buildAdvertisement(own, vip, true),
      "ff02::1",
      `60000000 0020 3a ff  20010db800000000 0000000000000010  ff02000000000000 0000000000000001
       88 00 1b0c a0000000  20010db800000000 0000000000000010  02 01 02005e000001`,
    ],
  ];
  for (const [name, built, destination, expected] of cases) {
    assert.equal(Buffer.from(built.packet).toString("hex"), Buffer.from(hex(expected)).toString("hex"), name);
    assert.equal(addressText(built.destination), destination, name);
  }
});

Deno.test("what was built is read back", () => {
  assert.deepEqual(readNd(buildSolicitation(linkLocal, own, vip).packet), {
    kind: "solicitation",
    source: "fe80::1",
    destination: "ff02::1:ff00:10",
    target: "2001:db8::10",
    hardware: own,
    isSolicited: false,
  });
  assert.deepEqual(readNd(buildSolicitation(unspecifiedAddress, own, vip).packet)?.hardware, null);
  const infiniband = Uint8Array.from({ length: 20 }, (_, index) => index + 1);
  const advertised = readNd(buildAdvertisement(infiniband, vip, false).packet);
  assert.deepEqual([advertised?.kind, advertised?.hardware], ["advertisement", infiniband]);
});

Deno.test("a packet that is cut off anywhere is refused", () => {
  const { packet } = buildAdvertisement(own, vip, false);
  for (let length = 0; length < packet.length; length++) {
    assert.equal(readNd(packet.subarray(0, length)), null, `${length} bytes`);
  }
  assert.notEqual(readNd(Uint8Array.of(...packet, 0, 0)), null, "padding after the packet is ignored");
});

Deno.test("one turned bit anywhere that matters makes a packet invalid", () => {
  const { packet } = buildSolicitation(linkLocal, own, vip);
  const trafficClassAndFlowLabel = { from: 4, to: 32 };
  for (let bit = 0; bit < packet.length * 8; bit++) {
    if (bit >= trafficClassAndFlowLabel.from && bit < trafficClassAndFlowLabel.to) continue;
    assert.equal(readNd(flipped(packet, bit)), null, `bit ${bit}`);
  }
});

Deno.test("an option of no length ends nothing in an endless loop: the packet is refused", () => {
  const { packet } = buildSolicitation(linkLocal, own, vip);
  const broken = packet.slice();
  broken[65] = 0;
  // The turned byte is put right in the checksum, so that it is the option that is refused.
  new DataView(broken.buffer).setUint16(42, new DataView(packet.buffer).getUint16(42) + 1);
  assert.equal(icmp6Checksum(broken.slice(8, 24), broken.slice(24, 40), broken.slice(40)), 0);
  assert.equal(readNd(broken), null);
});

Deno.test("any bytes are read or refused without an exception", () => {
  const { packet } = buildAdvertisement(own, vip, false);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 120 }), fc.nat(packet.length), (bytes, at) => {
    readNd(bytes);
    readNd(Uint8Array.of(...packet.subarray(0, at), ...bytes));
  }));
});
