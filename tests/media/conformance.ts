/**
 * What every medium must do, whatever it is made of. A medium's own test hands in how to make a connected pair and,
 * where strangers can reach it, how one would put a packet on it.
 */

import assert from "node:assert/strict";
import type { Medium, MediumEvents, Reply } from "../../lib/media/medium.ts";
import { libc } from "../../lib/system/libc.ts";

// Opened before any test, so that none is blamed for it.
libc();

export interface MediumPair {
  /** Both not open yet; what one sends the other receives. */
  readonly a: Medium;
  readonly b: Medium;
  /** One more end like `b`, for when `b` is closed. */
  readonly anotherB: () => Medium;
  /** Puts a packet on the medium towards `b` as neither of them; `null`: nobody else can. */
  readonly inject: ((packet: Uint8Array) => Promise<void>) | null;
  /** Puts a packet on the medium like `inject`, and awaits a reply; left out: `a` itself hears replies. */
  readonly ask?: (packet: Uint8Array) => Promise<Uint8Array>;
  /** Takes away what the pair rests on, after both are closed. */
  readonly dispose?: () => Promise<void>;
}

export interface MediumConformance {
  readonly name: string;
  readonly ignore?: boolean;
  readonly makePair: () => Promise<MediumPair>;
  /** For media that carry nothing but text: the packet that stands for these bytes. */
  readonly packet?: (content: Uint8Array) => Uint8Array;
}

/** One sentence of the suite, to be run under any runtime. */
export interface MediumCase {
  readonly sentence: string;
  run(): Promise<void>;
}

/** Registers the suite with the runner of Deno. */
export function testMedium(conformance: MediumConformance): void {
  for (const { sentence, run } of mediumCases(conformance)) {
    Deno.test({ name: `${conformance.name}: ${sentence}`, ignore: conformance.ignore ?? false, fn: run });
  }
}

export function mediumCases({ makePair, packet = (content) => content }: MediumConformance): MediumCase[] {
  const cases: MediumCase[] = [];
  const test = (sentence: string, body: (pair: OpenPair) => Promise<void> | void) =>
    cases.push({
      sentence,
      run: async () => {
        const pair = await makePair();
        const received = { a: new Inbox(), b: new Inbox() };
        await pair.a.open(received.a);
        await pair.b.open(received.b);
        try {
          await body({ ...pair, received });
        } finally {
          await pair.a.close();
          await pair.b.close();
          await pair.dispose?.();
        }
      },
    });
  const bytes = (...values: number[]) => packet(Uint8Array.from(values));
  const sized = (length: number, byte = 0) => {
    const overhead = packet(new Uint8Array()).length;
    return packet(new Uint8Array(length - overhead).fill(byte));
  };

  test("delivers in both directions", async ({ a, b, received }) => {
    a.send(bytes(1, 2, 3));
    b.send(bytes(4));
    await received.b.has(1);
    await received.a.has(1);
    assert.deepEqual(received.b.packets[0], bytes(1, 2, 3));
    assert.deepEqual(received.a.packets[0], bytes(4));
    assert.notEqual(received.b.senders[0], "");
  });

  test("replies to the sender of a packet", async ({ a, received, ask }) => {
    if (ask !== undefined) {
      const answer = ask(bytes(1));
      await received.b.has(1);
      received.b.replies[0]!(bytes(2));
      assert.deepEqual(await answer, bytes(2));
      return;
    }
    a.send(bytes(1));
    await received.b.has(1);
    received.b.replies[0]!(bytes(2));
    received.b.replies[0]!(bytes(3));
    await received.a.has(2);
    assert.deepEqual(received.a.packets, [bytes(2), bytes(3)]);
  });

  test("keeps every byte value, and packets apart", async ({ a, received }) => {
    const every = Uint8Array.from({ length: 256 }, (_, i) => i);
    const packets = [packet(every), packet(every.toReversed()), bytes(0)];
    for (const each of packets) a.send(each);
    await received.b.has(3);
    assert.deepEqual(received.b.packets, packets);
  });

  test("carries its largest packet, and packets received earlier stay as they were", async ({ a, received }) => {
    const overhead = packet(new Uint8Array()).length;
    const large = packet(
      Uint8Array.from({ length: a.packetBytesMax - overhead }, (_, i) => (i * 31 + (i >> 8)) & 255),
    );
    assert.equal(large.length, a.packetBytesMax);
    a.send(large);
    await received.b.has(1);
    for (let i = 0; i < 20; i++) a.send(sized(Math.floor(a.packetBytesMax * 0.9), i));
    await received.b.has(2);
    assert.deepEqual(received.b.packets[0], large);
  });

  test("loses a packet that is too large, counts it, and goes on", async ({ a, received }) => {
    a.send(new Uint8Array(a.packetBytesMax + 1));
    await until(() => a.counters.sendErrors === 1, "the error is counted");
    a.send(bytes(7));
    await received.b.has(1);
    assert.deepEqual(received.b.packets, [bytes(7)]);
  });

  test("counts packets and bytes", async ({ a, b, received }) => {
    a.send(sized(100));
    a.send(sized(50));
    await received.b.has(2);
    await until(() => a.counters.sentPackets === 2, "both sends are counted");
    assert.deepEqual({ ...a.counters }, {
      sentPackets: 2,
      sentBytes: 150,
      sendErrors: 0,
      receivedPackets: 0,
      receivedBytes: 0,
    });
    assert.deepEqual({ ...b.counters }, {
      sentPackets: 0,
      sentBytes: 0,
      sendErrors: 0,
      receivedPackets: 2,
      receivedBytes: 150,
    });
  });

  test("delivers what strangers send as it is: authentication is not its business", async ({ inject, received }) => {
    if (inject === null) return;
    const stray = bytes(0, 255, 10, 13);
    await inject(stray);
    await received.b.has(1);
    assert.deepEqual(received.b.packets, [stray]);
  });

  test("counts a send after close as an error and throws nothing", async ({ a }) => {
    await a.close();
    a.send(bytes(1));
    assert.equal(a.counters.sendErrors, 1);
    assert.equal(a.counters.sentPackets, 0);
  });

  test("is silent after close, and closing twice is harmless", async ({ a, b, received }) => {
    await b.close();
    await b.close();
    for (let i = 0; i < 10; i++) a.send(bytes(i));
    await until(() => a.counters.sentPackets + a.counters.sendErrors === 10, "all sends are counted");
    assert.deepEqual(received.b.packets, []);
    assert.deepEqual(received.b.changes, []);
  });

  test("goes on when its peer is away and back", async ({ a, b, received, anotherB }) => {
    await b.close();
    a.send(bytes(1));
    await until(() => a.counters.sentPackets + a.counters.sendErrors === 1, "the send is counted");
    const again = new Inbox();
    const back = anotherB();
    await back.open(again);
    try {
      let sentAtMs = 0;
      await until(() => {
        // A connection takes its time to come back; what is sent meanwhile may be lost.
        if (performance.now() > sentAtMs + 20) {
          a.send(bytes(2));
          sentAtMs = performance.now();
        }
        return again.packets.some((each) => sameBytes(each, bytes(2)));
      }, "a packet arrives at the new end");
      assert.deepEqual(received.a.changes, []);
    } finally {
      await back.close();
    }
  });

  test("says where its packets come from and what it was asked for", ({ a, b }) => {
    assert.notEqual(a.name, "");
    assert.notEqual(a.description, "");
    assert.notEqual(b.localAddress, "");
    assert.notEqual(b.localAddress, null);
  });

  return cases;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

interface OpenPair extends MediumPair {
  readonly received: { readonly a: Inbox; readonly b: Inbox };
}

/** Keeps what a medium reports. */
export class Inbox implements MediumEvents {
  readonly packets: Uint8Array[] = [];
  readonly senders: string[] = [];
  readonly replies: Reply[] = [];
  /** `recovered`, or the reason of a failure. */
  readonly changes: string[] = [];

  received(packet: Uint8Array, from: string, reply: Reply): void {
    this.replies.push(reply);
    this.packets.push(new Uint8Array(packet.buffer, packet.byteOffset, packet.byteLength));
    this.senders.push(from);
  }

  failed(reason: string): void {
    this.changes.push(reason);
  }

  recovered(): void {
    this.changes.push("recovered");
  }

  has(count: number): Promise<void> {
    return until(() => this.packets.length >= count, `${count} packets arrive, ${this.packets.length} did`);
  }
}

export async function until(condition: () => boolean, what: string, limitMs = 30_000): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited ${limitMs} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
