import assert from "node:assert/strict";
import type { WireVerdict } from "../../lib/core/inputs.ts";
import { askWire, WireAsker, type WireQuestion } from "../../lib/system/ask_wire.ts";
import { libc } from "../../lib/system/libc.ts";
import { NeighbourSocket } from "../../lib/system/neighbour.ts";
import { Netlink } from "../../lib/system/netlink.ts";
import { networkTest, type TestNetwork, until } from "./network.ts";

libc(); // opened once for all tests: it stays open

const four = "10.9.0.9";
const six = "fd09::9";
const places = (device: string, ...addresses: string[]): WireQuestion["addresses"] =>
  addresses.map((address) => ({ address, device }));

/** An asker on host "b". */
async function withAsker(network: TestNetwork, fn: (asker: WireAsker) => Promise<void>): Promise<void> {
  const asker = network.on("b", () => {
    const made = new WireAsker();
    assert.equal(made.prepare(places("e0", four, six)), null);
    return made;
  });
  try {
    await fn(asker);
  } finally {
    asker.close();
  }
}

function hardwareOf(network: TestNetwork, host: "b" | "c"): string {
  return JSON.parse(network.ip(host, "-j link show dev e0"))[0].address;
}

async function timed(ask: () => Promise<WireVerdict>): Promise<[WireVerdict, number]> {
  const start = performance.now();
  const verdict = await ask();
  return [verdict, performance.now() - start];
}

networkTest(
  "nobody has the address: silent, when the window is over and not much later",
  [],
  (network) =>
    withAsker(network, async (asker) => {
      for (const windowMs of [10, 50, 200]) {
        const times: number[] = [];
        // The best of some: a busy machine is late now and then, and never early.
        for (let round = 0; round < 5; round++) {
          const [verdict, tookMs] = await timed(() =>
            asker.ask({ addresses: places("e0", four, six), windowMs })
          );
          assert.deepEqual(verdict, { kind: "silent" });
          assert.ok(tookMs >= windowMs, `window ${windowMs} ms took ${tookMs} ms`);
          times.push(tookMs);
        }
        assert.ok(Math.min(...times) < windowMs + 40, `window ${windowMs} ms took ${times}`);
      }
    }),
);

for (const [address, prefix] of [[four, 24], [six, 64]] as const) {
  networkTest(
    `somebody has ${address}: answered at once, also in a window of 10 ms`,
    [],
    (network) =>
      withAsker(network, async (asker) => {
        network.ip("c", `addr add ${address}/${prefix} dev e0`);
        const answered = { kind: "answered", address, hardware: hardwareOf(network, "c") };
        // The first answer of a kernel may wait for its own neighbour discovery of us.
        await asker.ask({ addresses: places("e0", address), windowMs: 1000 });
        for (const windowMs of [10, 1000]) {
          const [verdict, tookMs] = await timed(() =>
            asker.ask({ addresses: places("e0", four, six), windowMs })
          );
          assert.deepEqual(verdict, answered);
          assert.ok(tookMs < 900, `answered after ${tookMs} ms`);
        }
      }),
  );
}

networkTest(
  "our own address, on this or on another interface of ours, is no answer",
  [],
  (network) =>
    withAsker(network, async (asker) => {
      network.ip("b", `addr add ${four}/24 dev e0`);
      // A second interface of this machine on the same network, which answers for it too.
      network.ip("a", `link add vx type veth peer name e1 netns ${network.name("b")}`);
      network.ip("a", "link set vx master br0 up");
      network.ip("b", "link set e1 up");
      await until("e1 has a carrier", () => network.ip("b", "link show dev e1").includes("LOWER_UP"));
      const verdict = await asker.ask({ addresses: places("e0", four), windowMs: 100 });
      assert.deepEqual(verdict, { kind: "silent" });
    }),
);

networkTest(
  "hardware addresses that the operator names do not count, however they are written",
  [],
  (network) =>
    withAsker(network, async (asker) => {
      network.ip("c", `addr add ${four}/24 dev e0`);
      const ignore = [hardwareOf(network, "c").toUpperCase()];
      const verdict = await asker.ask({ addresses: places("e0", four), windowMs: 50, ignore });
      assert.deepEqual(verdict, { kind: "silent" });
    }),
);

for (
  const [name, isLate] of [["at the same instant", false], ["late in the other's window", true]] as const
) {
  for (const address of [four, six]) {
    networkTest(
      `two that ask for ${address} ${name}: the lower hardware address goes first`,
      [],
      (network) =>
        withAsker(network, async (onB) => {
          const onC = network.on("c", () => {
            const made = new WireAsker();
            assert.equal(made.prepare(places("e0", four, six)), null);
            return made;
          });
          try {
            const isLowerOnB = hardwareOf(network, "b") < hardwareOf(network, "c");
            const [lower, higher] = isLowerOnB ? [onB, onC] : [onC, onB];
            const addresses = places("e0", address);
            const start = performance.now();
            const first = lower.ask({ addresses, windowMs: 2_000 });
            // Late: both questions of the first were sent before the second begins to listen.
            if (isLate) {
              await until("both questions were sent", () => performance.now() - start > 1_200);
            }
            const second = higher.ask({ addresses, windowMs: 400 });
            assert.deepEqual(await second, {
              kind: "contended",
              address,
              hardware: hardwareOf(network, isLowerOnB ? "b" : "c"),
            });
            assert.deepEqual(await first, { kind: "silent" });
          } finally {
            onC.close();
          }
        }),
    );
  }
}

networkTest(
  "what was said before the question is no answer to it",
  [],
  (network) =>
    withAsker(network, async (asker) => {
      const former = network.on("c", () => {
        const netlink = Netlink.open();
        const link = netlink.link("e0")!;
        netlink.close();
        return NeighbourSocket.open(link, 4);
      });
      try {
        for (let count = 0; count < 50; count++) former.announce(four, "reply");
        const verdict = await asker.ask({ addresses: places("e0", four), windowMs: 50 });
        assert.deepEqual(verdict, { kind: "silent" });
        // The same, said while the question is open, is one: the check above can fail.
        const open = asker.ask({ addresses: places("e0", four), windowMs: 500 });
        former.announce(four, "reply");
        assert.equal((await open).kind, "answered");
      } finally {
        former.close();
      }
    }),
);

networkTest(
  "several questions on one interface at once do not take each other's answers",
  [],
  (network) =>
    withAsker(network, async (asker) => {
      network.ip("c", `addr add ${four}/24 dev e0`);
      network.ip("c", `addr add ${six}/64 dev e0`);
      const ask = (address: string) => asker.ask({ addresses: places("e0", address), windowMs: 200 });
      const addresses = [four, "10.9.0.10", four, six, "fd09::10", six];
      const verdicts = await Promise.all(addresses.map(ask));
      assert.deepEqual(
        verdicts.map((verdict) => verdict.kind),
        ["answered", "silent", "answered", "answered", "silent", "answered"],
      );
    }),
);

networkTest(
  "what keeps us from asking is blindness, with its reason, and never silence",
  [],
  (network) =>
    withAsker(network, async (asker) => {
      const cases: Array<[string, WireQuestion["addresses"], RegExp]> = [
        ["no such interface", places("e7", four), /there is no interface "e7"/],
        ["one of two interfaces is missing", [...places("e0", four), ...places("e7", four)], /"e7"/],
        ["loopback", places("lo", four), /no neighbours/],
        ["no address", places("e0", "10.9.0"), /"10.9.0" is no IP address/],
      ];
      for (const [name, addresses, reason] of cases) {
        const verdict = await asker.ask({ addresses, windowMs: 10 });
        assert.equal(verdict.kind, "blind", name);
        assert.match((verdict as { reason: string }).reason, reason, name);
      }
      network.ip("a", "link set vb down");
      await until("e0 has no carrier", () => network.ip("b", "link show dev e0").includes("NO-CARRIER"));
      assert.deepEqual(await asker.ask({ addresses: places("e0", four), windowMs: 10 }), {
        kind: "blind",
        reason: 'interface "e0" has no carrier',
      });
      network.ip("b", "link set e0 down");
      assert.deepEqual(await asker.ask({ addresses: places("e0", four), windowMs: 10 }), {
        kind: "blind",
        reason: 'interface "e0" is down',
      });
    }),
);

networkTest(
  "an interface that loses its carrier while the question is open makes it blind",
  [],
  (network) =>
    withAsker(network, async (asker) => {
      const open = asker.ask({ addresses: places("e0", four), windowMs: 300 });
      network.ip("a", "link set vb down");
      const verdict = await open;
      assert.equal(verdict.kind, "blind");
    }),
);

networkTest("with sockets of its own, a question in a place that cannot exist is blind", [], async () => {
  const verdict = await askWire({ addresses: places("no-such", four), windowMs: 10 });
  assert.equal(verdict.kind, "blind");
});
