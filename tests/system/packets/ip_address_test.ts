import assert from "node:assert/strict";
import fc from "fast-check";
import {
  addressBytes,
  addressFamily,
  addressText,
  canonicalAddress,
  hardwareText,
  isSameSubnet,
} from "../../../lib/system/packets/ip_address.ts";

Deno.test("addresses are read and written in canonical form", () => {
  const cases: Array<[string, string | null]> = [
    ["192.0.2.1", "192.0.2.1"],
    ["0.0.0.0", "0.0.0.0"],
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["2001:db8::1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:0:0:1::1", "2001:0:0:1::1"],
    ["::", "::"],
    ["::1", "::1"],
    ["1::", "1::"],
    ["fe80::1", "fe80::1"],
    ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"],
    ["1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8"],
    ["64:ff9b::192.0.2.1", "64:ff9b::c000:201"],
    ["10.1", null],
    ["010.0.0.1", null],
    ["256.0.0.1", null],
    ["10.0.0.1/24", null],
    [":::", null],
    ["1::2::3", null],
    ["fe80::1%eth0", null],
    ["", null],
    ["eth0", null],
  ];
  for (const [text, expected] of cases) assert.equal(canonicalAddress(text), expected, text);
});

Deno.test("any IPv6 address survives the way to text and back, and the text is that of the URL standard", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 }),
      (groups) => {
        const bytes = Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
        const text = addressText(bytes);
        assert.deepEqual(addressBytes(text), bytes);
        assert.equal(
          new URL(`http://[${groups.map((group) => group.toString(16)).join(":")}]`).hostname,
          `[${text}]`,
        );
        assert.equal(addressFamily(text), 6);
      },
    ),
  );
});

Deno.test("any IPv4 address survives the way to text and back", () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), (bytes) => {
    assert.deepEqual(addressBytes(addressText(bytes)), bytes);
    assert.equal(addressFamily(addressText(bytes)), 4);
  }));
});

Deno.test("any text is read or refused without an exception", () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(..."0123456789abcdef:.%/") }), (text) => {
    const canonical = canonicalAddress(text);
    if (canonical !== null) assert.equal(canonicalAddress(canonical), canonical);
  }));
});

Deno.test("subnets are compared in bits", () => {
  const cases: Array<[string, string, number, boolean]> = [
    ["10.1.2.3", "10.1.2.200", 24, true],
    ["10.1.2.3", "10.1.3.3", 24, false],
    ["10.1.2.3", "10.1.3.3", 23, true],
    ["10.1.2.127", "10.1.2.128", 25, false],
    ["10.1.2.3", "192.0.2.1", 0, true],
    ["10.1.2.3", "10.1.2.3", 32, true],
    ["10.1.2.3", "10.1.2.2", 32, false],
    ["fd00::1", "fd00::2", 64, true],
    ["fd00:0:0:1::1", "fd00::2", 64, false],
    ["10.1.2.3", "fd00::2", 0, false],
  ];
  for (const [a, b, prefix, expected] of cases) {
    assert.equal(isSameSubnet(addressBytes(a)!, addressBytes(b)!, prefix), expected, `${a} ${b} /${prefix}`);
  }
});

Deno.test("hardware addresses of any length are written in pairs of digits", () => {
  assert.equal(hardwareText(Uint8Array.of(2, 0, 0x5e, 0, 0xa, 0xff)), "02:00:5e:00:0a:ff");
  assert.equal(hardwareText(new Uint8Array(20)).length, 59);
  assert.equal(hardwareText(new Uint8Array()), "");
});
