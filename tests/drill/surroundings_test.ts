/** Whom the machine's own tables and neighbours name as the next hop, in a network of three hosts: "a" routes. */

import assert from "node:assert/strict";
import { deviceTowards, neighbourTowards } from "../../lib/drill/surroundings.ts";
import { libc } from "../../lib/system/libc.ts";
import { Netlink } from "../../lib/system/netlink.ts";
import { hardwareText } from "../../lib/system/packets/ip_address.ts";
import { deviceOf, type Host, networkTest } from "../system/network.ts";

libc(); // opened once for all tests: it stays open

networkTest(
  "the next hop of a connection is known by its hardware address, or not at all",
  [],
  async (network) => {
    for (
      const [host, address] of [["a", "10.55.0.1"], ["a", "10.55.0.8"], ["b", "10.55.0.2"], [
        "c",
        "10.55.0.3",
      ]] as const
    ) {
      network.ip(host, `addr add ${address}/24 dev ${deviceOf[host]}`);
    }
    for (const [host, address] of [["a", "fd55::1"], ["b", "fd55::2"]] as const) {
      network.ip(host, `addr add ${address}/64 dev ${deviceOf[host]} nodad`);
    }
    network.ip("b", "route add default via 10.55.0.1");
    network.ip("b", "route add 10.55.0.9/32 via 10.55.0.3");
    network.ip("b", "route add 203.0.113.0/24 via 10.55.0.77");
    network.ip("b", "-6 route add default via fd55::1");
    const hardware = (host: Host) =>
      network.on(host, () => {
        const netlink = Netlink.open();
        const text = hardwareText(netlink.link(deviceOf[host])!.hardware);
        netlink.close();
        return text;
      });
    const [router, other] = [hardware("a"), hardware("c")];
    // A second link, on which link-local addresses are as well.
    network.ip("b", "link add spare type veth peer name other");
    for (const link of ["spare", "other"]) network.ip("b", `link set ${link} up`);
    const linkLocal = /inet6 (fe80:[^/]+)/.exec(network.ip("c", "-6 -o addr show dev e0 scope link"))![1]!;
    const netlink = network.on("b", () => Netlink.open());
    try {
      const cases: ReadonlyArray<readonly [remote: string, expected: string | null]> = [
        ["192.0.2.1", router],
        ["10.55.0.8", router],
        ["10.55.0.3", other],
        ["10.55.0.9", other],
        ["2001:db8::1", router],
        [linkLocal, other],
        ["203.0.113.1", null],
        ["10.55.0.66", null],
      ];
      for (const [remote, expected] of cases) {
        // Sockets belong to the namespace in which they are opened, which is before the first answer is waited for.
        let found: Promise<string | null> | undefined;
        network.on("b", () => {
          found = neighbourTowards(netlink, netlink.link("e0")!, remote);
        });
        assert.equal(await found, expected, remote);
      }
      // Without its zone nobody knows the link of such an address.
      const connections = [{ remote: "192.0.2.1" }, { remote: linkLocal, zone: "spare" }, {
        remote: linkLocal,
      }];
      const places = connections.map((connection) =>
        ["e0", "spare"].map((name) => deviceTowards(netlink, netlink.link(name)!, connection))
      );
      assert.deepEqual(places, [["e0", "e0"], ["spare", "spare"], ["e0", "spare"]]);
    } finally {
      netlink.close();
    }
  },
);
