import assert from "node:assert/strict";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { TcpSettings } from "../../lib/core/settings.ts";
import type { Reply } from "../../lib/media/medium.ts";
import { Tcp } from "../../lib/media/tcp.ts";
import { listens } from "../../lib/media/tcp_peer.ts";
import { frame, greeting } from "../../lib/media/tcp_frames.ts";
import { Inbox, until } from "./conformance.ts";

const quick = {
  pingIntervalMs: 50,
  missedMax: 3,
  trustMsMax: 1_000,
  retryMsMin: 20,
  retryMsMax: 80,
  connectMsMax: 200,
};
const lower = "127.0.0.1";
const higher = "127.0.0.2";

Deno.test("of two ends the one with the lower address listens", () => {
  for (
    const [a, b] of [["10.0.0.2", "10.0.0.10"], ["9.0.0.1", "10.0.0.1"], ["fd00::2", "fd00::10"], [
      "fe80::1%hb0",
      "fe80::2",
    ]] as const
  ) {
    assert(listens(a, b), `${a} ${b}`);
    assert(!listens(b, a), `${b} ${a}`);
  }
});

Deno.test("a peer that never answers is given up after the missed pings, and dialled again", async () => {
  const sockets: Socket[] = [];
  const server = await listener(lower, (socket) => sockets.push(socket));
  const medium = dialler(server.port);
  try {
    await medium.open(new Inbox());
    await until(() => sockets.length >= 1, "it is dialled");
    const startMs = performance.now();
    await until(() => sockets.length >= 2, "it is dialled again");
    const tookMs = performance.now() - startMs;
    // Greeting and three pings unanswered, then the wait before the next attempt.
    assert(tookMs > 3 * quick.pingIntervalMs && tookMs < 1_500, `${tookMs} ms`);
  } finally {
    await medium.close();
    await server.close(sockets);
  }
});

Deno.test("a peer that answers pings but never says anything valid is given up too", async () => {
  const sockets: Socket[] = [];
  const server = await listener(lower, (socket) => {
    sockets.push(socket);
    socket.write(greeting);
    socket.on("data", () => socket.write(frame("pong")));
    socket.write(frame("data", Uint8Array.of(1)));
  });
  const inbox = new class extends Inbox {
    override received(packet: Uint8Array, from: string, reply: Reply): boolean {
      super.received(packet, from, reply);
      return false;
    }
  }();
  const medium = dialler(server.port);
  try {
    await medium.open(inbox);
    const startMs = performance.now();
    await until(() => sockets.length >= 2, "it is dialled again");
    assert(performance.now() - startMs >= quick.trustMsMax);
    assert.deepEqual(inbox.packets[0], Uint8Array.of(1));
  } finally {
    await medium.close();
    await server.close(sockets);
  }
});

Deno.test("pings keep an idle connection alive, and a peer that never comes back costs little", async () => {
  const port = await freePort();
  const [a, b] = [listenerMedium(port), dialler(port)];
  const inbox = new Inbox();
  try {
    await a.open(inbox);
    await b.open(new Inbox());
    b.send(Uint8Array.of(1));
    await inbox.has(1);
    const from = inbox.senders[0];
    await pass(10 * quick.pingIntervalMs);
    b.send(Uint8Array.of(2));
    await inbox.has(2);
    assert.equal(inbox.senders[1], from, "it is the same connection");
    await b.close();
    await until(() => {
      for (let i = 0; i < 100; i++) a.send(Uint8Array.of(3));
      return a.counters.sendErrors >= 1_000;
    }, "what nobody takes is lost");
  } finally {
    await a.close();
    await b.close();
  }
});

Deno.test("a connection that a crashed peer left half open gives way to its new one", async () => {
  const port = await freePort();
  const medium = listenerMedium(port, { ...quick, pingIntervalMs: 10_000 });
  const inbox = new Inbox();
  const [old, fresh] = [new Client(port), new Client(port)];
  try {
    await medium.open(inbox);
    await old.connect();
    old.write(greeting, frame("data", Uint8Array.of(1)));
    await inbox.has(1);
    await fresh.connect();
    fresh.write(greeting);
    assert(!old.isClosed, "a stranger displaces nobody who is trusted");
    fresh.write(frame("data", Uint8Array.of(2)));
    await inbox.has(2);
    await until(() => old.isClosed, "the old connection is closed");
    assert(!fresh.isClosed);
  } finally {
    old.end();
    fresh.end();
    await medium.close();
  }
});

Deno.test("strangers with the peer's address crowd each other out, but not the peer", async () => {
  const port = await freePort();
  const medium = listenerMedium(port, { ...quick, pingIntervalMs: 10_000, trustMsMax: 60_000 });
  const inbox = new class extends Inbox {
    override received(packet: Uint8Array, from: string, reply: Reply): boolean {
      super.received(packet, from, reply);
      return packet[0] === 1;
    }
  }();
  const peer = new Client(port);
  const flood = Array.from({ length: 30 }, () => new Client(port));
  try {
    await medium.open(inbox);
    await peer.connect();
    peer.write(greeting, frame("data", Uint8Array.of(1)));
    await inbox.has(1);
    for (const each of flood) {
      await each.connect();
      each.write(greeting, frame("data", Uint8Array.of(0)));
    }
    await until(() => flood.filter((each) => !each.isClosed).length <= 3, "only a few are kept");
    assert(!peer.isClosed);
    peer.write(frame("data", Uint8Array.of(1)));
    await until(() => inbox.packets.filter((packet) => packet[0] === 1).length === 2, "the peer is heard");
  } finally {
    for (const each of [peer, ...flood]) each.end();
    await medium.close();
  }
});

Deno.test("whoever has no peer's address is not even greeted, and nonsense ends a connection", async () => {
  const port = await freePort();
  const medium = listenerMedium(port);
  const [stranger, noise] = [new Client(port, "127.0.0.3"), new Client(port)];
  try {
    await medium.open(new Inbox());
    await stranger.connect();
    await until(() => stranger.isClosed, "the stranger is turned away");
    assert.equal(stranger.receivedBytes, 0);
    await noise.connect();
    noise.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
    await until(() => noise.isClosed, "nonsense ends it");
  } finally {
    stranger.end();
    noise.end();
    await medium.close();
  }
});

Deno.test("a peer that reads nothing costs packets, but no time and no memory", async () => {
  const sockets: Socket[] = [];
  const server = await listener(lower, (socket) => {
    sockets.push(socket);
    socket.pause();
    socket.write(greeting);
  });
  const medium = dialler(server.port, { ...quick, pingIntervalMs: 10_000 });
  try {
    await medium.open(new Inbox());
    await until(() => sockets.length === 1, "it is connected");
    const packet = new Uint8Array(100_000);
    let longestMs = 0;
    for (let i = 0; i < 500; i++) {
      const startMs = performance.now();
      medium.send(packet);
      longestMs = Math.max(longestMs, performance.now() - startMs);
      if (i % 20 === 0) await pass(1);
    }
    assert(longestMs < 2_000, `${longestMs} ms`);
    await until(() => medium.counters.sendErrors > 300, "what the peer does not take is lost");
  } finally {
    await medium.close();
    await server.close(sockets);
  }
});

Deno.test("a port in use and an interface that is not there are told as what they are", async () => {
  const port = await freePort();
  const first = listenerMedium(port);
  const second = listenerMedium(port);
  const nowhere = new Tcp([directive({ device: "no-such-if", local: null, peer: "10.255.0.2", port })]);
  const inbox = new Inbox();
  try {
    await first.open(new Inbox());
    await assert.rejects(second.open(new Inbox()), {
      name: "EnvironmentError",
      message: 'Cannot open medium "tcp lo 127.0.0.2": its TCP port is in use; ' +
        "stop the other program or set another port",
    });
    await nowhere.open(inbox);
    assert.deepEqual(inbox.changes, ["interface no-such-if does not exist or is down"]);
    assert.equal(nowhere.localAddress, null);
  } finally {
    for (const medium of [first, second, nowhere]) await medium.close();
  }
});

function directive(changes: Partial<TcpSettings>): TcpSettings {
  return { kind: "tcp", device: "lo", peer: higher, local: lower, port: 0, ...changes };
}

function listenerMedium(port: number, timing = quick): Tcp {
  return new Tcp([directive({ port })], timing);
}

function dialler(port: number, timing = quick): Tcp {
  return new Tcp([directive({ port, local: higher, peer: lower })], timing);
}

/** What the peer's host could do besides running Heartline. */
class Client {
  isClosed = false;
  receivedBytes = 0;
  #socket: Socket | null = null;

  constructor(readonly port: number, readonly from: string = higher) {}

  connect(): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: lower, port: this.port, localAddress: this.from }, resolve);
      this.#socket = socket;
      socket.on("error", reject);
      socket.on("data", (bytes: Uint8Array) => this.receivedBytes += bytes.length);
      socket.on("close", () => this.isClosed = true);
      socket.on("end", () => this.isClosed = true);
    });
  }

  write(...parts: Uint8Array[]): void {
    for (const part of parts) this.#socket!.write(part);
  }

  end(): void {
    this.#socket?.destroy();
  }
}

async function listener(address: string, accept: (socket: Socket) => void) {
  const server: Server = createServer((socket) => {
    socket.on("error", () => {});
    accept(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, address, () => resolve()));
  const { port } = server.address() as { port: number };
  return {
    port,
    close: async (sockets: readonly Socket[]) => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function freePort(): Promise<number> {
  const server = await listener(lower, (socket) => socket.destroy());
  await server.close([]);
  return server.port;
}

function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
