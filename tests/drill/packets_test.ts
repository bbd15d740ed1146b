/** What the rules do to real packets, in a network of three hosts: "c" drills on its interface e0. */

import assert from "node:assert/strict";
import { type DrillPlan, rulesOf, tableName } from "../../lib/drill/plan.ts";
import { setRules } from "../../lib/drill/helper.ts";
import { readDrill, removeDrill } from "../../lib/drill/tables.ts";
import { libc } from "../../lib/system/libc.ts";
import { hardwareText } from "../../lib/system/packets/ip_address.ts";
import { Netlink } from "../../lib/system/netlink.ts";
import { tryRun } from "../../scripts/lab/run.ts";
import { type Host, networkTest, type TestNetwork, until } from "../system/network.ts";

libc(); // opened once for all tests: it stays open

const addresses: Readonly<Record<Host, readonly [four: string, six: string]>> = {
  a: ["10.55.0.1", "fd55::1"],
  b: ["10.55.0.2", "fd55::2"],
  c: ["10.55.0.3", "fd55::3"],
};

/** Children are born in the namespace that this thread is in at that moment. */
function inHost<Result>(network: TestNetwork, host: Host, action: () => Promise<Result>): Promise<Result> {
  let result: Promise<Result> | undefined;
  network.on(host, () => {
    result = action();
  });
  return result!;
}

function exec(network: TestNetwork, host: Host, ...command: string[]) {
  return tryRun("ip", ["netns", "exec", network.name(host), ...command]);
}

/** Echo requests that a host's kernel has seen, of both families. */
async function echoesSeen(network: TestNetwork, host: Host): Promise<number> {
  const { stdout } = await exec(network, host, "cat", "/proc/self/net/snmp", "/proc/self/net/snmp6");
  const [names = "", values = ""] = stdout.split("\n").filter((line) => line.startsWith("Icmp:"));
  const four = Number(values.split(" ")[names.split(" ").indexOf("InEchos")]);
  return four + Number(/^Icmp6InEchos\s+(\d+)/m.exec(stdout)?.[1] ?? 0);
}

/** `arrives`: the request reached the other end; `answered`: the reply came back. Of IPv4 and IPv6. */
async function ping(network: TestNetwork, from: Host, to: Host): Promise<string> {
  const results: string[] = [];
  for (const address of addresses[to]) {
    const before = await echoesSeen(network, to);
    // Three: on a busy machine one may come late, or be spent on asking for the neighbour.
    const { code } = await exec(network, from, "ping", "-c3", "-i0.1", "-W0.3", address);
    const arrives = await echoesSeen(network, to) > before;
    results.push(code === 0 ? "answered" : arrives ? "arrives" : "lost");
  }
  return results[0] === results[1] ? results[0]! : results.join("/");
}

networkTest("each drill cuts what it says and nothing else, and all is whole after it", [
  "nft",
  "ping",
  "bash",
], async (network) => {
  for (const host of ["a", "b", "c"] as const) {
    for (const address of addresses[host]) {
      network.ip(
        host,
        `addr add ${address}/${address.includes(":") ? "64 nodad" : "24"} dev ${host === "a" ? "br0" : "e0"}`,
      );
    }
  }
  const [hardware, ownHardware] = (["b", "c"] as const).map((host) =>
    network.on(host, () => {
      const netlink = Netlink.open();
      const text = hardwareText(netlink.link("e0")!.hardware);
      netlink.close();
      return text;
    })
  ) as [string, string];
  const toB = { kind: "peer", address: addresses.b[0], family: 4, hardware } as const;
  const toBAddressOnly = { ...toB, hardware: null };
  const whole = { cb: "answered", bc: "answered", ca: "answered" };
  const cases: ReadonlyArray<readonly [string, Partial<DrillPlan>, typeof whole]> = [
    ["both ways", {}, { cb: "lost", bc: "lost", ca: "lost" }],
    ["in", { directions: ["in"] }, { cb: "arrives", bc: "lost", ca: "arrives" }],
    ["out", { directions: ["out"] }, { cb: "lost", bc: "arrives", ca: "lost" }],
    ["one peer", { scope: toB }, { cb: "lost", bc: "lost", ca: "answered" }],
    ["one address of a peer", { scope: toBAddressOnly }, {
      cb: "lost/answered",
      bc: "lost/answered",
      ca: "answered",
    }],
    ["one port", { port: 694 }, whole],
  ];
  const basis: DrillPlan = {
    id: "00",
    link: "e0",
    ownHardware,
    directions: ["in", "out"],
    scope: { kind: "everything" },
    port: null,
    lossPermille: 1000,
    durationMs: 60_000,
  };
  // Each counts at another host: they may run side by side.
  const seen = async () => {
    const pings = [ping(network, "c", "b"), ping(network, "b", "c"), ping(network, "c", "a")] as const;
    const [cb, bc, ca] = await Promise.all(pings);
    return { cb, bc, ca };
  };
  await seen(); // neighbours are known from here on
  for (const [index, [what, change, expected]] of cases.entries()) {
    const plan = { ...basis, ...change, id: `0${index}` };
    const table = tableName(plan.id, 1);
    await inHost(network, "c", () => setRules(table, rulesOf(plan, table), plan.durationMs));
    try {
      assert.deepEqual(await seen(), expected, what);
      if (plan.port !== null) {
        for (const port of [694, 695]) {
          await exec(network, "c", "bash", "-c", `echo x > /dev/udp/${addresses.b[0]}/${port}`);
        }
        const drill = await inHost(network, "c", () => readDrill(table));
        assert.equal(drill?.dropped.out, 1, "only the packet to the port is dropped");
      }
    } finally {
      assert.equal(await inHost(network, "c", () => removeDrill(table)), true);
    }
    // A neighbour that was lost is asked for again once a second.
    await until(
      `all is whole after ${what}`,
      async () => JSON.stringify(await seen()) === JSON.stringify(whole),
      60_000,
    );
  }
  const lossy = { ...basis, id: "ff", lossPermille: 300 };
  const table = tableName("ff", 1);
  await inHost(network, "c", () => setRules(table, rulesOf(lossy, table), lossy.durationMs));
  const { stdout, stderr } = await exec(
    network,
    "c",
    "ping",
    "-q",
    "-c400",
    "-i0.002",
    "-W0.3",
    addresses.b[0],
  );
  assert.equal(stderr, "", "the sender is told nothing of what is lost");
  await inHost(network, "c", () => removeDrill(table));
  const received = Number(/(\d+) received/.exec(stdout)?.[1]);
  // 49 % of 400 are expected; six standard deviations are 60.
  assert.ok(received > 136 && received < 256, `with 30 % loss each way, ${received} of 400 came back`);
}, { leavesChildren: true });
