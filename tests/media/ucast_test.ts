import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import type { UcastSettings } from "../../lib/core/settings.ts";
import { EnvironmentError } from "../../lib/errors.ts";
import { createMedia } from "../../lib/media/registry.ts";
import { Ucast } from "../../lib/media/ucast.ts";
import { Inbox, type MediumPair, testMedium, until } from "./conformance.ts";

testMedium({ name: "ucast over IPv4", makePair: () => pair("127.0.0.1", "127.0.0.2") });
testMedium({ name: "ucast over IPv6", makePair: () => pair("::1", "::1") });

/** Two ends on loopback; with ports of their own, since IPv6 has but one loopback address. */
async function pair(aAddress: string, bAddress: string): Promise<MediumPair> {
  const aPort = await freePort(aAddress);
  const bPort = await freePort(bAddress);
  const end = (local: string, port: number, peer: string, peerPort: number) =>
    new Ucast([{ device: "lo", local, port, peers: [{ address: peer, port: peerPort }] }]);
  const makeB = () => end(bAddress, bPort, aAddress, aPort);
  return {
    a: end(aAddress, aPort, bAddress, bPort),
    b: makeB(),
    anotherB: makeB,
    inject: (packet) => sendFromStranger(packet, bAddress, bPort),
  };
}

async function freePort(address: string): Promise<number> {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  await new Promise<void>((resolve) => socket.bind(0, address, resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

async function sendFromStranger(packet: Uint8Array, address: string, port: number): Promise<void> {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  await new Promise<void>((resolve, reject) =>
    socket.send(packet, port, address, (error) => error ? reject(error) : resolve())
  );
  await new Promise<void>((resolve) => socket.close(() => resolve()));
}

function directive(changes: Partial<UcastSettings>): UcastSettings {
  return { kind: "ucast", device: "lo", peer: "127.0.0.2", port: 40_694, local: null, ...changes };
}

Deno.test("directives of one interface are one medium, in the order of the configuration", () => {
  const media = createMedia([
    directive({ device: "hb0", peer: "10.0.0.1" }),
    directive({ device: "hb1", peer: "10.0.1.2" }),
    directive({ device: "hb0", peer: "10.0.0.2" }),
    directive({ device: "hb0", peer: "fe80::2" }),
  ]);
  assert.deepEqual(media.map((medium) => [medium.name, medium.description]), [
    ["hb0", "ucast hb0 10.0.0.1 10.0.0.2 fe80::2"],
    ["hb1", "ucast hb1 10.0.1.2"],
  ]);
});

Deno.test("one medium sends a copy to each peer and hears all of them", async () => {
  const port = await freePort("127.0.0.1");
  const addresses = ["127.0.0.1", "127.0.0.2", "127.0.0.3"];
  const inboxes = addresses.map(() => new Inbox());
  const media = addresses.map((local) =>
    createMedia(addresses.map((peer) => directive({ peer, local, port })))[0]!
  );
  try {
    for (const [i, medium] of media.entries()) await medium.open(inboxes[i]!);
    for (const [i, medium] of media.entries()) medium.send(Uint8Array.of(i));
    for (const inbox of inboxes) await inbox.has(2);
    // The directive that names the node itself was dropped: nobody hears himself.
    const heard = inboxes.map((inbox) => inbox.packets.map((packet) => packet[0]).sort());
    assert.deepEqual(heard, [[1, 2], [0, 2], [0, 1]]);
  } finally {
    for (const medium of media) await medium.close();
  }
});

Deno.test("IPv4 and IPv6 peers of one interface are one medium", async () => {
  const port = await freePort("127.0.0.1");
  const peerPort = await freePort("::1");
  const medium = new Ucast([
    { device: "lo", local: "127.0.0.1", port, peers: [{ address: "127.0.0.2", port }] },
    { device: "lo", local: "::1", port, peers: [{ address: "::1", port: peerPort }] },
  ]);
  const four = new Ucast([{
    device: "lo",
    local: "127.0.0.2",
    port,
    peers: [{ address: "127.0.0.1", port }],
  }]);
  const six = new Ucast([{ device: "lo", local: "::1", port: peerPort, peers: [{ address: "::1", port }] }]);
  const inboxes = { medium: new Inbox(), four: new Inbox(), six: new Inbox() };
  try {
    await medium.open(inboxes.medium);
    await four.open(inboxes.four);
    await six.open(inboxes.six);
    medium.send(Uint8Array.of(9));
    four.send(Uint8Array.of(4));
    six.send(Uint8Array.of(6));
    await inboxes.four.has(1);
    await inboxes.six.has(1);
    await inboxes.medium.has(2);
    assert.deepEqual(inboxes.medium.packets.map((packet) => packet[0]).sort(), [4, 6]);
    assert.deepEqual(inboxes.medium.senders.sort(), [`127.0.0.2:${port}`, `[::1]:${peerPort}`]);
  } finally {
    for (const each of [medium, four, six]) await each.close();
  }
});

Deno.test("a port in use is refused with a message that names it", async () => {
  const port = await freePort("127.0.0.1");
  const first = createMedia([directive({ local: "127.0.0.1", port })])[0]!;
  const second = createMedia([directive({ local: "127.0.0.1", port })])[0]!;
  const inbox = new Inbox();
  try {
    await first.open(inbox);
    await assert.rejects(second.open(new Inbox()), (error: EnvironmentError) => {
      assert(error instanceof EnvironmentError);
      assert.equal(
        error.message,
        `Cannot open medium "ucast lo 127.0.0.2": UDP port ${port} of 127.0.0.1 is in use; ` +
          "stop the other program (heartbeat, or a second heartline) or set another port",
      );
      assert.equal(error.exitCode, 69);
      return true;
    });
    await sendFromStranger(Uint8Array.of(1), "127.0.0.1", port);
    await inbox.has(1);
  } finally {
    await first.close();
    await second.close();
  }
});

Deno.test("an interface that is not there is no error: the medium is down and keeps trying", async () => {
  const medium = createMedia([directive({ device: "no-such-if", peer: "10.255.0.2" })])[0]!;
  const inbox = new Inbox();
  try {
    await medium.open(inbox);
    assert.deepEqual(inbox.changes, ["interface no-such-if does not exist or is down"]);
    assert.equal(medium.localAddress, null);
    medium.send(Uint8Array.of(1));
    await until(() => medium.counters.sendErrors === 1, "the send is counted");
  } finally {
    await medium.close();
  }
});
