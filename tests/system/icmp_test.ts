import assert from "node:assert/strict";
import { Errno } from "../../lib/system/errno.ts";
import { type EchoReply, EchoSocket } from "../../lib/system/icmp.ts";
import { libc } from "../../lib/system/libc.ts";
import { networkTest, until } from "./network.ts";

libc(); // opened once for all tests: it stays open

const payload = new TextEncoder().encode("a payload that comes back");

async function reply(socket: EchoSocket): Promise<EchoReply> {
  const replies: EchoReply[] = [];
  await until("an echo reply", () => {
    replies.push(...socket.poll());
    return replies.length > 0;
  });
  return replies[0]!;
}

networkTest("an echo comes back on loopback with identifier, sequence and payload", [], async () => {
  for (const [family, address] of [[4, "127.0.0.1"], [6, "::1"]] as const) {
    const socket = EchoSocket.open(family);
    try {
      assert.equal(socket.send(address, 0xbeef, 0xffff, payload), 0);
      const { waitedMs, ...echo } = await reply(socket);
      assert.deepEqual(echo, { from: address, identifier: 0xbeef, sequence: 0xffff, payload });
      assert.ok(waitedMs >= 0 && waitedMs < 5_000, `waited ${waitedMs} ms`);
    } finally {
      socket.close();
    }
  }
});

networkTest(
  "an echo comes back from another host, also by link-local address and interface",
  [],
  async (network) => {
    network.ip("b", "addr add 10.9.0.2/24 dev e0");
    network.ip("c", "addr add 10.9.0.3/24 dev e0");
    const linkLocal = JSON.parse(network.ip("c", "-j -6 addr show dev e0 scope link"))[0].addr_info[0].local;
    const cases = [
      [4, "10.9.0.3", "10.9.0.3", {}],
      [4, "10.9.0.3", "10.9.0.3", { device: "e0" }],
      [6, linkLocal, linkLocal, { device: "e0" }],
    ] as const;
    for (const [family, target, from, options] of cases) {
      const socket = network.on("b", () => EchoSocket.open(family, options));
      try {
        assert.equal(socket.send(target, 1, 2, payload), 0);
        assert.equal((await reply(socket)).from, from);
      } finally {
        socket.close();
      }
    }
    const socket = network.on("b", () => EchoSocket.open(6));
    try {
      // The name of the interface is looked up where the call is made.
      assert.equal(network.on("b", () => socket.send(`${linkLocal}%e0`, 1, 2, payload)), 0);
      assert.equal((await reply(socket)).from, linkLocal);
    } finally {
      socket.close();
    }
  },
);

networkTest("a request that the kernel refuses is answered with its error number", [], (network) => {
  const socket = network.on("b", () => EchoSocket.open(4));
  try {
    assert.equal(socket.send("192.0.2.1", 1, 1, payload), Errno.ENETUNREACH);
    for (const wrong of ["::1", "nonsense"]) assert.equal(socket.send(wrong, 1, 1, payload), Errno.EINVAL);
    assert.deepEqual(socket.poll(), []);
  } finally {
    socket.close();
  }
  assert.throws(
    () => network.on("b", () => EchoSocket.open(4, { device: "e7" })),
    /Cannot tie an ICMP socket to interface "e7": no such device/,
  );
});
