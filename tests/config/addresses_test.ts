import assert from "node:assert/strict";
import fc from "fast-check";
import { isIP } from "node:net";
import { parseAddress, parsePrefix, unusableReason } from "../../lib/config/text/addresses.ts";

Deno.test("addresses have one canonical spelling", () => {
  const cases: readonly [string, string | null][] = [
    ["10.0.0.9", "10.0.0.9"],
    ["010.0.0.9", null],
    ["10.0.0", null],
    ["10.0.0.256", null],
    ["10.0.0.9/24", null],
    ["FD00:0:0:0:0:0:0:9", "fd00::9"],
    ["fd00::0009", "fd00::9"],
    ["::", "::"],
    ["::1", "::1"],
    ["1::", "1::"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["::ffff:10.0.0.9", "::ffff:a00:9"],
    ["10.0.0.9::", null],
    ["1::2::3", null],
    ["1:2:3:4:5:6:7:8:9", null],
    ["1:2:3:4:5:6:7::8", null],
    ["fe80::1%eth0", null],
    ["12345::", null],
    [":1::", null],
    ["", null],
  ];
  for (const [text, expected] of cases) assert.equal(parseAddress(text)?.text ?? null, expected, text);
});

Deno.test("the same texts are addresses here as in node:net, zones and IPv4 tails apart", () => {
  const nearAddresses = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.string({ unit: fc.constantFrom(..."0123456789abcdef:.".split("")), maxLength: 24 }),
  );
  fc.assert(
    fc.property(nearAddresses, (text) => {
      assert.equal(parseAddress(text)?.family ?? 0, isIP(text), text);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("canonical texts stay as they are", () => {
  fc.assert(fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
    const first = parseAddress(text);
    assert.deepEqual(parseAddress(first!.text), first);
  }));
});

Deno.test("prefixes are lengths or contiguous netmasks", () => {
  const cases: readonly [string, 4 | 6, number | null][] = [
    ["24", 4, 24],
    ["255.255.255.0", 4, 24],
    ["255.255.255.255", 4, 32],
    ["128.0.0.0", 4, 1],
    ["255.0.255.0", 4, null],
    ["0.0.0.0", 4, null],
    ["0", 4, null],
    ["33", 4, null],
    ["64", 6, 64],
    ["129", 6, null],
    ["255.255.0.0", 6, null],
    ["x", 4, null],
  ];
  for (const [text, family, expected] of cases) assert.equal(parsePrefix(text, family), expected, text);
});

Deno.test("addresses that no node can hold are told with the reason", () => {
  const usable = ["10.0.0.9", "127.0.0.2", "fd00::9"];
  const unusable = ["0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "ff02::1"];
  for (const text of usable) assert.equal(unusableReason(parseAddress(text)!), null, text);
  for (const text of unusable) assert.notEqual(unusableReason(parseAddress(text)!), null, text);
});
