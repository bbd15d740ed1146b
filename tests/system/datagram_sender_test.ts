/** Sending on a socket of the runtime's: which descriptor it is, and that what is sent has left at once, in order. */

import assert from "node:assert/strict";
import dgram from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { DatagramSender, ownSockets } from "../../lib/system/datagram_sender.ts";
import { Errno } from "../../lib/system/errno.ts";
import { libc } from "../../lib/system/libc.ts";
import { internetSocketAddress } from "../../lib/system/socket.ts";

// Loaded once for the process, before the tests: it stays.
libc();

const text = (packet: Uint8Array) => new TextDecoder().decode(packet);
const bytes = (content: string) => new TextEncoder().encode(content);

async function bound(port = 0, address = "127.0.0.1"): Promise<dgram.Socket> {
  const socket = dgram.createSocket(address.includes(":") ? "udp6" : "udp4");
  socket.bind(port, address);
  await once(socket, "listening");
  return socket;
}

async function closed(socket: dgram.Socket): Promise<void> {
  const end = once(socket, "close");
  socket.close();
  await end;
}

for (const address of ["127.0.0.1", "::1"]) {
  Deno.test(`from ${address}: packets arrive in the order in which they were sent, from the socket's own port`, async () => {
    const receiver = await bound(0, address);
    const earlier = ownSockets();
    const socket = await bound(0, address);
    try {
      const sender = DatagramSender.of(socket.address(), earlier);
      const heard: string[] = [];
      const all = new Promise<void>((resolve) =>
        receiver.on("message", (packet, from) => {
          heard.push(`${text(packet)} ${from.port}`);
          if (heard.length === 20) resolve();
        })
      );
      const to = internetSocketAddress(address, receiver.address().port);
      for (let number = 0; number < 20; number++) assert.equal(sender.send(bytes(`${number}`), to), 0);
      // Nothing has given the event loop a turn to send anything.
      await all;
      const { port } = socket.address();
      assert.deepEqual(heard, Array.from({ length: 20 }, (_, number) => `${number} ${port}`));
    } finally {
      await Promise.all([closed(socket), closed(receiver)]);
    }
  });
}

Deno.test("a socket that got the descriptor of one closed meanwhile is found all the same", async () => {
  const former = await bound();
  const earlier = ownSockets();
  const formerNumbers = new Set(earlier.values());
  await closed(former);
  // Which number is free first is the kernel's business: sockets are made until one has a former number.
  const sockets: dgram.Socket[] = [];
  try {
    let descriptor = -1;
    while (!formerNumbers.has(descriptor) && sockets.length < 20) {
      const socket = await bound();
      sockets.push(socket);
      descriptor = DatagramSender.of(socket.address(), earlier).descriptor;
    }
    assert.ok(formerNumbers.has(descriptor), "no socket got the number of the one that was closed");
  } finally {
    for (const socket of sockets) await closed(socket);
  }
});

Deno.test("a TCP listener of the same port is not taken for it, and none at all is an error", async () => {
  const earlier = ownSockets();
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  try {
    const find = () => DatagramSender.of({ address: "127.0.0.1", port }, earlier);
    assert.throws(find, /Cannot send from UDP 127\.0\.0\.1 port \d+: its descriptor is not in/);
    const socket = await bound(port);
    try {
      assert.equal(find().send(bytes("x"), internetSocketAddress("127.0.0.1", port)), 0);
    } finally {
      await closed(socket);
    }
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

Deno.test("after its close nothing is sent: the descriptor may be another's", async () => {
  const earlier = ownSockets();
  const socket = await bound();
  try {
    const sender = DatagramSender.of(socket.address(), earlier);
    sender.close();
    assert.equal(sender.send(bytes("x"), internetSocketAddress("127.0.0.1", 9)), Errno.EBADF);
  } finally {
    await closed(socket);
  }
});
