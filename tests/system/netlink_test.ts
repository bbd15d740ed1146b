import assert from "node:assert/strict";
import { SystemError } from "../../lib/system/errno.ts";
import { monotonicMs } from "../../lib/system/clock.ts";
import { type AddressEvent, AddressMonitor, IFA_F, Netlink } from "../../lib/system/netlink.ts";
import { libc } from "../../lib/system/libc.ts";
import { hardwareText } from "../../lib/system/packets/ip_address.ts";
import { networkTest, type TestNetwork, until } from "./network.ts";

libc(); // opened once for all tests: it stays open

function open(network: TestNetwork, test: (netlink: Netlink, index: number) => Promise<void> | void) {
  return withClosed(
    network.on("b", () => Netlink.open()),
    (netlink) => test(netlink, netlink.link("e0")!.index),
  );
}

async function withClosed<Thing extends { close(): void }>(thing: Thing, fn: (thing: Thing) => unknown) {
  try {
    await fn(thing);
  } finally {
    thing.close();
  }
}

function describe(event: AddressEvent): string {
  switch (event.kind) {
    case "overrun":
      return "overrun";
    case "link-set":
    case "link-removed":
      return `${event.kind} ${event.link.name} ${event.link.isUp ? "up" : "down"} ${
        event.link.hasCarrier ? "carrier" : "no-carrier"
      }`;
    default:
      return `${event.kind} ${event.address.address}/${event.address.prefix}`;
  }
}

networkTest(
  "interfaces are listed with their link-layer addresses and state",
  [],
  (network) =>
    open(network, (netlink, index) => {
      const shown = JSON.parse(network.ip("b", "-j link show dev e0"))[0];
      const link = netlink.links().find((candidate) => candidate.name === "e0")!;
      assert.equal(link.index, index);
      assert.equal(hardwareText(link.hardware), shown.address);
      assert.equal(hardwareText(link.broadcast), "ff:ff:ff:ff:ff:ff");
      assert.deepEqual([link.type, link.mtu, link.isUp, link.hasCarrier, link.hasNeighbours], [
        1,
        1500,
        true,
        true,
        true,
      ]);
      const loopback = netlink.link("lo")!;
      assert.deepEqual([loopback.type, loopback.isUp, loopback.hasNeighbours], [772, true, false]);
      assert.equal(netlink.link("nothing"), null);
      assert.equal(netlink.link("a-name-that-is-far-too-long"), null);
    }),
);

networkTest(
  "an address is set with label and broadcast, and the ip command sees the same",
  [],
  (network) =>
    open(network, (netlink, index) => {
      netlink.setAddress({
        index,
        address: "10.9.0.5",
        prefix: 24,
        label: "e0:vip",
        broadcast: "10.9.0.255",
        validSeconds: 30,
      });
      const [shown] = JSON.parse(network.ip("b", "-j -4 addr show dev e0"))[0].addr_info;
      assert.deepEqual(
        [shown.local, shown.prefixlen, shown.label, shown.broadcast, shown.valid_life_time],
        ["10.9.0.5", 24, "e0:vip", "10.9.0.255", 30],
      );
      const read = netlink.addresses(4).find((own) => own.address === "10.9.0.5");
      assert.deepEqual(read, {
        index,
        family: 4,
        address: "10.9.0.5",
        prefix: 24,
        label: "e0:vip",
        validSeconds: 30,
        flags: 0,
      });
    }),
);

networkTest(
  "an IPv6 address without duplicate detection is usable at once and never preferred",
  [],
  (network) =>
    open(network, (netlink, index) => {
      netlink.setAddress({
        index,
        address: "fd09::5",
        prefix: 64,
        validSeconds: 30,
        preferredSeconds: 0,
        skipDuplicateDetection: true,
      });
      const read = netlink.addresses(6).find((own) => own.address === "fd09::5")!;
      assert.equal(read.flags & (IFA_F.TENTATIVE | IFA_F.DADFAILED), 0);
      assert.notEqual(read.flags & IFA_F.DEPRECATED, 0);
    }),
);

networkTest(
  "without a lease an address stays for ever, and noPrefixRoute adds no route",
  [],
  (network) =>
    open(network, (netlink, index) => {
      netlink.setAddress({ index, address: "10.9.0.5", prefix: 24, validSeconds: null, noPrefixRoute: true });
      assert.equal(netlink.addresses(4).find((own) => own.address === "10.9.0.5")!.validSeconds, null);
      assert.equal(network.ip("b", "route show 10.9.0.0/24"), "");
    }),
);

for (const [family, address, prefix] of [[4, "10.9.0.5", 24], [6, "fd09::5", 64]] as const) {
  networkTest(
    `IPv${family}: a renewed lease lives on, an abandoned one is ended by the kernel`,
    [],
    (network) =>
      open(network, async (netlink, index) => {
        const isThere = () => netlink.addresses(family).some((own) => own.address === address);
        const renew = () =>
          netlink.setAddress({ index, address, prefix, validSeconds: 2, skipDuplicateDetection: true });
        renew();
        const start = monotonicMs();
        let lastRenewal = start;
        await until("it was renewed for 3.5 s", () => {
          if (monotonicMs() - lastRenewal > 300) {
            assert.ok(isThere(), "the address went although it was renewed");
            renew();
            lastRenewal = monotonicMs();
          }
          return monotonicMs() - start > 3500;
        });
        await until("the kernel removed it", () => !isThere());
        const outlivedMs = monotonicMs() - lastRenewal;
        assert.ok(outlivedMs > 1900 && outlivedMs < 8000, `removed after ${outlivedMs} ms`);
      }),
  );

  networkTest(
    `IPv${family}: removing says whether the address was there`,
    [],
    (network) =>
      open(network, (netlink, index) => {
        netlink.setAddress({ index, address, prefix, validSeconds: null, skipDuplicateDetection: true });
        assert.equal(netlink.removeAddress(index, address, prefix), true);
        assert.equal(netlink.removeAddress(index, address, prefix), false);
        assert.equal(netlink.removeAddress(9999, address, prefix), false, "no such interface");
      }),
  );
}

networkTest(
  "what the kernel refuses is an error that names address, reason and next step",
  [],
  (network) =>
    open(network, (netlink, index) => {
      const cases: Array<[Parameters<Netlink["setAddress"]>[0], string, RegExp]> = [
        [{ index: 9999, address: "10.9.0.5", prefix: 24, validSeconds: null }, "ENODEV", /interface is gone/],
        [{ index, address: "10.9.0.5", prefix: 40, validSeconds: null }, "EINVAL", /check prefix/],
        [{ index, address: "10.9.0", prefix: 24, validSeconds: null }, "EINVAL", /no IP address/],
      ];
      for (const [request, errno, next] of cases) {
        assert.throws(() => netlink.setAddress(request), (error) => {
          assert.ok(error instanceof SystemError);
          assert.equal(error.errno, errno);
          assert.ok(
            error.message.startsWith(`Cannot set address "${request.address}/${request.prefix}"`),
            error.message,
          );
          assert.match(error.message, next);
          return true;
        });
      }
      // The socket is usable after a refusal.
      assert.ok(netlink.links().length >= 2);
    }),
);

networkTest(
  "the interface for an address: smallest subnet, then own address, then route",
  [],
  (network) =>
    open(network, (netlink) => {
      const find = (address: string) => {
        const found = netlink.deviceForAddress(address);
        return found === null ? null : `${found.name} ${found.prefixOfLocalSubnet}`;
      };
      assert.equal(find("10.9.0.77"), null, "nothing leads there");
      network.ip("b", "link add spare type veth peer name other");
      network.ip("b", "link set spare up");
      network.ip("b", "link set other up");
      network.ip("b", "addr add 10.9.0.2/16 dev e0");
      network.ip("b", "addr add 10.9.7.2/24 dev spare");
      network.ip("b", "addr add fd09::2/64 dev e0 nodad");
      network.ip("b", "addr add 10.8.0.2/32 dev spare");
      const cases: Array<[string, string | null]> = [
        ["10.9.0.77", "e0 16"],
        ["10.9.7.77", "spare 24"],
        ["fd09::77", "e0 64"],
        ["10.8.0.2", "spare null"],
        ["127.0.0.9", "lo 8"],
        ["192.0.2.1", null],
        ["nonsense", null],
      ];
      for (const [address, expected] of cases) assert.equal(find(address), expected, address);
      network.ip("b", "route add 198.51.100.0/24 dev spare");
      network.ip("b", "route add default via 10.9.0.1");
      assert.equal(find("198.51.100.4"), "spare 24", "a route without an address of its own");
      assert.equal(find("192.0.2.1"), "e0 null", "behind a gateway");
      network.ip("b", "addr add 10.9.7.9/24 dev spare");
      assert.equal(find("10.9.7.9"), "spare 24", "an address that is held here already");
      network.ip("b", "link set spare down");
      assert.equal(find("10.9.7.77"), "e0 16", "a subnet of an interface that is down does not count");
    }),
);

networkTest(
  "the monitor tells of addresses set and removed by anybody, of expiry, and of carriers",
  [],
  async (network) => {
    const monitor = network.on("b", () => AddressMonitor.open());
    await withClosed(monitor, async () => {
      const seen: string[] = [];
      const await_ = (wanted: string) =>
        until(`the monitor says "${wanted}", not only ${JSON.stringify(seen)}`, () => {
          seen.push(...monitor.poll().map(describe));
          return seen.includes(wanted);
        });
      network.ip("b", "addr add 10.9.0.5/24 dev e0 valid_lft 1 preferred_lft 1");
      await await_("address-set 10.9.0.5/24");
      await await_("address-removed 10.9.0.5/24");
      network.ip("b", "addr add fd09::5/64 dev e0 nodad");
      await await_("address-set fd09::5/64");
      network.ip("b", "addr del fd09::5/64 dev e0");
      await await_("address-removed fd09::5/64");
      network.ip("a", "link set vb down");
      await await_("link-set e0 up no-carrier");
      network.ip("a", "link set vb up");
      await await_("link-set e0 up carrier");
      network.ip("b", "link set e0 down");
      await await_("link-set e0 down no-carrier");
      network.ip("a", "link del vb");
      await await_("link-removed e0 down no-carrier");
    });
  },
);

networkTest(
  "announcements that were lost are reported as an overrun, and later ones are seen",
  [],
  (network) =>
    open(network, async (netlink, index) => {
      await withClosed(network.on("b", () => AddressMonitor.open()), (monitor) => {
        for (let count = 0; count < 20_000; count++) {
          netlink.setAddress({ index, address: "10.9.0.5", prefix: 24, validSeconds: 60 });
        }
        assert.ok(monitor.poll().some((event) => event.kind === "overrun"));
        netlink.removeAddress(index, "10.9.0.5", 24);
        assert.ok(monitor.poll().map(describe).includes("address-removed 10.9.0.5/24"));
        assert.deepEqual(monitor.poll(), []);
      });
    }),
);
