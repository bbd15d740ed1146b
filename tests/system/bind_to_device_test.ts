/** A socket is found among the process's own although its descriptor has the number of one just closed. */

import assert from "node:assert/strict";
import dgram from "node:dgram";
import { once } from "node:events";
import { bindToDevice, ownSockets } from "../../lib/system/bind_to_device.ts";
import { libc } from "../../lib/system/libc.ts";

// Loaded once for the process, before the tests: it stays.
libc();

async function bound(): Promise<dgram.Socket> {
  const socket = dgram.createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return socket;
}

async function closed(socket: dgram.Socket): Promise<void> {
  const end = once(socket, "close");
  socket.close();
  await end;
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
      descriptor = bindToDevice(socket.address(), "lo", earlier);
    }
    assert.ok(formerNumbers.has(descriptor), "no socket got the number of the one that was closed");
  } finally {
    for (const socket of sockets) await closed(socket);
  }
});
