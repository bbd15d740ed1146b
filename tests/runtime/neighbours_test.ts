/** The kernel is told of a neighbour only what the neighbour has just proved, and not more often than is of use. */

import assert from "node:assert/strict";
import { Neighbours } from "../../lib/runtime/neighbours.ts";
import { Errno, SystemError } from "../../lib/system/errno.ts";
import { libc } from "../../lib/system/libc.ts";
import { Netlink } from "../../lib/system/netlink.ts";
import type { Statement } from "../../lib/wire/statement.ts";
import { settings, statement } from "../core/samples.ts";
import { networkTest } from "../system/network.ts";

libc(); // opened once for all tests: it stays open

const generation = 4;
const peer = "192.0.2.2"; // of each link in the settings of tests

/** What n2 states: its address on hb0, and when it heard which of our heartbeats there. */
function stated(sequence: number, agoMs: number, address = peer, of = generation): Statement {
  return statement({
    media: [{ name: "hb0", address }],
    hears: { n1: { generation: of, sequence, on: [0], last: [[sequence, agoMs]] } },
  });
}

function scene() {
  const confirmed: string[] = [];
  let nowMs = 0;
  const netlink = {
    link: (name: string) => ({ index: 7, name }) as never,
    confirmNeighbour: (index: number, address: string) => confirmed.push(`${index} ${address}`) * 0,
    close: () => {},
  };
  const neighbours = new Neighbours(settings(), "n1", generation, netlink, () => nowMs);
  return (atMs: number, said: Statement, lastSent = 100) => {
    nowMs = atMs;
    neighbours.hear(said, lastSent);
    return confirmed.splice(0);
  };
}

Deno.test("who has just heard us is confirmed, every three seconds at most", () => {
  const hear = scene();
  assert.deepEqual(hear(0, stated(100, 150)), [`7 ${peer}`]);
  assert.deepEqual([hear(200, stated(101, 150)), hear(2_999, stated(110, 150))], [[], []]);
  assert.deepEqual(hear(3_000, stated(111, 150)), [`7 ${peer}`]);
});

Deno.test("where netlink fails, or there is none, heartbeats go on without it", () => {
  const fails = () => {
    throw new SystemError("look up an interface", "netlink", Errno.EPERM);
  };
  const broken = { link: fails, confirmNeighbour: fails, close: () => {} };
  for (const netlink of [broken, null]) {
    new Neighbours(settings(), "n1", generation, netlink, () => 0).hear(stated(100, 150), 100);
  }
});

const unproved: readonly (readonly [string, Statement])[] = [
  ["it heard us too long ago", stated(100, 3_001)],
  ["it is an old statement, replayed", stated(79, 10)],
  ["it heard an earlier run of ours", stated(100, 10, peer, generation - 1)],
  ["it names an address that we do not send to", stated(100, 10, "192.0.2.99")],
  ["it does not hear us", statement({ media: [{ name: "hb0", address: peer }] })],
];

for (const [why, said] of unproved) {
  Deno.test(`nothing is confirmed: ${why}`, () => assert.deepEqual(scene()(0, said), []));
}

networkTest("the kernel takes what is stale for reachable, and learns no neighbour by it", [], (network) => {
  network.ip("b", "addr add 10.9.0.2/24 dev e0");
  network.ip("b", "neigh replace 10.9.0.7 lladdr 02:00:00:00:00:07 dev e0 nud stale");
  const netlink = network.on("b", () => Netlink.open());
  try {
    const { index } = netlink.link("e0")!;
    assert.equal(netlink.confirmNeighbour(index, "10.9.0.7"), 0);
    assert.match(network.ip("b", "neigh show 10.9.0.7"), /02:00:00:00:00:07 .*REACHABLE/);
    assert.equal(netlink.confirmNeighbour(index, "10.9.0.8"), Errno.ENOENT);
    assert.equal(network.ip("b", "neigh show 10.9.0.8"), "");
  } finally {
    netlink.close();
  }
});
