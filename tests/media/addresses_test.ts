import assert from "node:assert/strict";
import type { NetworkInterfaceInfo } from "node:os";
import {
  endpointText,
  type Interfaces,
  isOwnAddress,
  isSameAddress,
  scoped,
  sourceFor,
} from "../../lib/media/addresses.ts";

function info(cidr: string): NetworkInterfaceInfo {
  const address = cidr.split("/")[0]!;
  const common = { address, netmask: "", mac: "00:00:00:00:00:00", internal: false, cidr };
  return address.includes(":") ? { ...common, family: "IPv6", scopeid: 0 } : { ...common, family: "IPv4" };
}

const interfaces: Interfaces = {
  lo: [info("127.0.0.1/8"), info("::1/128")],
  hb0: [
    info("192.168.5.1/24"),
    info("10.0.0.1/24"),
    info("fe80::1/64"),
    info("fd00:1::1/64"),
    info("10.0.0.100/24"),
  ],
  hb1: [info("fe80::9/64")],
};

const sources: ReadonlyArray<
  readonly [sentence: string, peer: string, device: string, expected: string | null]
> = [
  ["the address of the peer's subnet", "10.0.0.2", "hb0", "10.0.0.1"],
  ["the first of several in the subnet, which is the primary one", "10.0.0.200", "hb0", "10.0.0.1"],
  ["the first address of the family for a peer behind a router", "172.16.0.1", "hb0", "192.168.5.1"],
  ["the IPv6 address of the subnet", "fd00:1::2", "hb0", "fd00:1::1"],
  ["a global IPv6 address for a global peer, never a link-local one", "fd00:2::2", "hb0", "fd00:1::1"],
  ["none for a global peer when there is only a link-local address", "fd00:1::2", "hb1", null],
  ["the link-local address, with its interface, for a link-local peer", "fe80::2", "hb0", "fe80::1%hb0"],
  ["the same when the peer is written with its interface", "fe80::2%hb0", "hb0", "fe80::1%hb0"],
  ["none of another family", "10.0.0.2", "hb1", null],
  ["none of an interface that is not there", "10.0.0.2", "hb7", null],
  ["any of 127.0.0.0/8 is near the loopback address", "127.0.0.2", "lo", "127.0.0.1"],
];

for (const [sentence, peer, device, expected] of sources) {
  Deno.test(`towards ${peer} on ${device}: ${sentence}`, () => {
    assert.equal(sourceFor(peer, device, interfaces), expected);
  });
}

Deno.test("addresses are compared by what they mean", () => {
  assert(isSameAddress("fd00::1", "FD00:0:0::0001"));
  assert(isSameAddress("fe80::1%hb0", "fe80::1"));
  assert(!isSameAddress("10.0.0.1", "10.0.0.10"));
  assert(!isSameAddress("::1", "127.0.0.1"));
  assert(isOwnAddress("10.0.0.100", interfaces));
  assert(isOwnAddress("fe80:0::9%hb1", interfaces));
  assert(!isOwnAddress("10.0.0.2", interfaces));
});

Deno.test("only link-local addresses get the interface behind them, and only once", () => {
  assert.deepEqual(
    ["fe80::1", "fe80::1%hb1", "febf::1", "fec0::1", "fd00::1", "10.0.0.1"].map((each) =>
      scoped(each, "hb0")
    ),
    ["fe80::1%hb0", "fe80::1%hb1", "febf::1%hb0", "fec0::1", "fd00::1", "10.0.0.1"],
  );
});

Deno.test("endpoints are written as people write them", () => {
  assert.equal(endpointText("10.0.0.1", 694), "10.0.0.1:694");
  assert.equal(endpointText("fe80::1%hb0", 694), "[fe80::1%hb0]:694");
});
