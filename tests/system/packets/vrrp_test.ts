import assert from "node:assert/strict";
import fc from "fast-check";
import { internetChecksum, pseudoHeaderChecksum } from "../../../lib/system/packets/checksum.ts";
import { type CarpAdvertisement, readCarp } from "../../../lib/system/packets/carp.ts";
import { type IpPacket, readIpPacket } from "../../../lib/system/packets/ip_packet.ts";
import { readVrrp, type VrrpAdvertisement } from "../../../lib/system/packets/vrrp.ts";
import { flipped, hex } from "./bytes.ts";

/** Packets from the wire, with their IP header: keepalived 2.2.7 and ucarp 1.5.2. */
const captured = {
  password: "45c000280001 0000ff70c788 0a090901e0000012 21339601 0101f842 0a090964 7333637265740000",
  resigning: "45c000280005 0000ff70c784 0a090901e0000012 21330001 01018e43 0a090964 7333637265740000",
  header: `45c000440001 0000ff33c7a9 0a090901e0000012 70040000 0a090901 00000001 7783931f 6cfc1ab4 44aba2e2
     21346402 020151eb 0a090965 0a090966 0000000000000000`,
  multicast: "45c000200001 0000ff70c790 0a090901e0000012 3135c801 0032ff8d 0a090967",
  unicast: "45c000200001 0000ff709498 0a0909010a090902 31375a01 001e3aa6 0a090969",
  six: `6c01ce7c002870ff fe80000000000000f0df60fffe58f62d ff020000000000000000000000000012
     31365a02 001e32a6 fe800000000000000000000000000054 fd990000000000000000000000000100`,
  carp: `45100038d595 4000ff70b293 0a090901e0000012 21076407 0001cc06
     a9e504af58909c8c d775c1a3c48d1cbd988e630f23782a39f84c4f37`,
} as const;

function packetOf(name: keyof typeof captured): IpPacket {
  return readIpPacket(hex(captured[name]))!;
}

const expected: Partial<Record<keyof typeof captured, Partial<VrrpAdvertisement>>> = {
  password: {
    version: 2,
    family: 4,
    routerId: 51,
    priority: 150,
    intervalMs: 1000,
    addresses: ["10.9.9.100"],
    authentication: { kind: "password", password: "s3cret" },
    checksum: "plain",
  },
  resigning: { version: 2, routerId: 51, priority: 0, checksum: "plain" },
  header: {
    version: 2,
    routerId: 52,
    priority: 100,
    addresses: ["10.9.9.101", "10.9.9.102"],
    authentication: { kind: "header" },
    checksum: "plain",
  },
  multicast: {
    version: 3,
    family: 4,
    routerId: 53,
    priority: 200,
    intervalMs: 500,
    addresses: ["10.9.9.103"],
    authentication: { kind: "none" },
    checksum: "with-pseudo-header",
  },
  unicast: { version: 3, routerId: 55, intervalMs: 300, checksum: "with-pseudo-header" },
  six: {
    version: 3,
    family: 6,
    routerId: 54,
    priority: 90,
    intervalMs: 300,
    addresses: ["fe80::54", "fd99::100"],
    checksum: "with-pseudo-header",
  },
};

for (const [name, fields] of Object.entries(expected) as Array<[keyof typeof captured, object]>) {
  Deno.test(`an advertisement of keepalived is read as it was configured: ${name}`, () => {
    const read = readVrrp(packetOf(name));
    assert(read !== null);
    assert.deepEqual({ ...read, ...fields }, read);
    assert.equal(readCarp(packetOf(name)), null);
  });
}

Deno.test("an advertisement of ucarp is CARP, although it begins like VRRP", () => {
  const read = readCarp(packetOf("carp")) as CarpAdvertisement;
  const { hostId, skew, intervalMs, isChecksumRight } = read;
  assert.deepEqual({ hostId, skew, intervalMs, isChecksumRight }, {
    hostId: 7,
    skew: 100,
    intervalMs: 1391,
    isChecksumRight: true,
  });
});

Deno.test("VRRP with seven addresses is no CARP: its length differs", () => {
  const message = new Uint8Array(44);
  message.set([0x21, 7, 100, 7, 0, 1]);
  const packet: IpPacket = { ...packetOf("password"), payload: message };
  assert.equal(readCarp(packet), null);
  assert.equal(readVrrp(packet)?.addresses.length, 7);
});

Deno.test("each way to compute the checksum of version 3 over IPv4 is told by its name", () => {
  const packet = packetOf("unicast");
  const zeroed = packet.payload.slice();
  zeroed.set([0, 0], 6);
  const withSum = (sum: number): IpPacket => {
    const payload = zeroed.slice();
    payload.set([sum >> 8, sum & 255], 6);
    return { ...packet, payload };
  };
  const pseudo = (to: Uint8Array) => pseudoHeaderChecksum(packet.source, to, 112, zeroed);
  const cases = [
    ["plain", internetChecksum(zeroed)],
    ["with-pseudo-header", pseudo(packet.destination)],
    ["with-group-pseudo-header", pseudo(Uint8Array.of(224, 0, 0, 18))],
    ["wrong", 0x1234],
  ] as const;
  for (const [name, sum] of cases) assert.equal(readVrrp(withSum(sum))?.checksum, name);
});

Deno.test("the trailer of auth_hmac is tolerated, whether the checksum covers it or not", () => {
  const packet = packetOf("multicast");
  const trailer = new Uint8Array(28).fill(7);
  trailer.set([1, 9, 0, 0]);
  const payload = Uint8Array.of(...packet.payload, ...trailer);
  const read = readVrrp({ ...packet, payload })!;
  assert.deepEqual(read.authentication, { kind: "hmac", keyId: 9 });
  assert.equal(read.checksum, "with-pseudo-header");
  payload.set([0, 0], 6);
  const sum = pseudoHeaderChecksum(packet.source, packet.destination, 112, payload);
  payload.set([sum >> 8, sum & 255], 6);
  assert.equal(readVrrp({ ...packet, payload })!.checksum, "with-pseudo-header");
});

Deno.test("a truncated packet is never read as a whole one", () => {
  for (const text of Object.values(captured)) {
    const whole = hex(text);
    for (let length = 0; length < whole.length; length++) {
      assert.equal(readIpPacket(whole.subarray(0, length)), null);
    }
  }
  for (const name of Object.keys(captured) as Array<keyof typeof captured>) {
    const packet = packetOf(name);
    const addressesEnd = 8 + (packet.payload[3]! * packet.source.length);
    for (let length = 0; length < Math.min(addressesEnd, packet.payload.length); length++) {
      const cut = { ...packet, payload: packet.payload.subarray(0, length) };
      assert.equal(readCarp(cut), null);
      assert.equal(readVrrp(cut), null, `${name} cut to ${length}`);
    }
  }
});

Deno.test("one flipped bit makes the checksum wrong, or the packet something else", () => {
  for (const name of Object.keys(captured) as Array<keyof typeof captured>) {
    const packet = packetOf(name);
    for (let bit = 0; bit < packet.payload.length * 8; bit++) {
      const bad = { ...packet, payload: flipped(packet.payload, bit) };
      const [carp, vrrp] = [readCarp(bad), readVrrp(bad)];
      if (carp !== null) assert.equal(carp.isChecksumRight, false, `${name} bit ${bit}`);
      else if (vrrp !== null) assert.equal(vrrp.checksum, "wrong", `${name} bit ${bit}`);
    }
  }
});

Deno.test("any bytes are read or refused, never thrown upon", () => {
  const begins = fc.constantFrom<number[]>([0x21], [0x31], [0x45, 0xc0], [0x60]);
  fc.assert(
    fc.property(begins, fc.uint8Array({ maxLength: 300 }), (begin, rest) => {
      const bytes = Uint8Array.of(...begin, ...rest);
      const packet = readIpPacket(bytes);
      const other = { ...packetOf("password"), payload: bytes };
      for (const each of packet === null ? [other] : [packet, other]) {
        readCarp(each);
        const read = readVrrp(each);
        if (read !== null) assert(read.addresses.length <= 255 && read.intervalMs <= 255_000);
      }
    }),
    { numRuns: 2000 },
  );
});
