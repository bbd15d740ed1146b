/**
 * How fast messages are read, and how many numbered messages a second get from one peer to another, each once and
 * complete: two peers in this process over UDP on loopback, with the daemon's own messenger and exchange. What is lost
 * is dropped by chance at the receiver, in both directions.
 */

import { createSocket, type Socket } from "node:dgram";
import { AlarmBook } from "../../lib/core/alarms.ts";
import { Context } from "../../lib/core/context.ts";
import { type Instant, instant } from "../../lib/core/instant.ts";
import { Peer } from "../../lib/core/membership/peer.ts";
import { Exchange } from "../../lib/core/messaging/exchange.ts";
import { Outbox } from "../../lib/core/messaging/outbox.ts";
import { receive } from "../../lib/core/messaging/reception.ts";
import { isAccepted } from "../../lib/core/messaging/sequencing.ts";
import { Prng } from "../../lib/core/prng.ts";
import type { AuthenticationMethod, Settings } from "../../lib/core/settings.ts";
import { type Medium, type MediumEvents, noTraffic } from "../../lib/media/medium.ts";
import { Messenger } from "../../lib/runtime/messenger.ts";
import { clusterSettings } from "../../lib/sim/cluster_settings.ts";
import { monotonicMs } from "../../lib/system/clock.ts";
import { text } from "../../lib/wire/message.ts";
import { open } from "../../lib/wire/packet.ts";
import { statementField } from "../../lib/wire/statement.ts";
import { readStatement } from "../../lib/wire/statement_codec.ts";
import { statement } from "../../tests/core/samples.ts";

function settingsFor(method: AuthenticationMethod): Settings {
  const plain = clusterSettings({
    nodes: ["n1", "n2"],
    links: 1,
    timing: { keepaliveMs: 200, deadTimeMs: 2_000 },
    groups: [],
  });
  return {
    ...plain,
    authentication: { signWith: 1, keys: [{ index: 1, method, secret: "bench" }], allowCrc: false },
  };
}

const uuid = new Uint8Array(16).fill(7);
const generation = 7;
/** Keepalive of the two peers. */
const beatMs = 200;

/** Heartbeats with a statement, verified and read, a second. */
export function readingRate(method: AuthenticationMethod, seconds = 2): number {
  const settings = settingsFor(method);
  const messenger = new Messenger(settings, { node: "n1", generation, uuid }, [], () => {});
  const packet = messenger.pack({
    kind: "send",
    type: "status",
    sequence: 4711,
    destination: null,
    fields: [["st", "active"], ["dt", "7d0"], ["protocol", "1"]],
    statement: statement(),
  });
  const { authentication } = settings;
  const endMs = monotonicMs() + seconds * 1000;
  let count = 0;
  for (let nowMs = 0; nowMs < endMs; nowMs = monotonicMs()) {
    for (let n = 0; n < 500; n++, count++) {
      const opened = open(packet, { authentication, isPrivate: false });
      if (!opened.ok || !readStatement(text(opened.message.message, statementField)!).ok) {
        throw new Error("a sound heartbeat was refused");
      }
    }
  }
  return count / seconds;
}

/** Messages sent before the receiver, in the same thread, gets its turn. More only fills the socket's buffer. */
const burst = 1;

/** A UDP socket on loopback that loses some of what arrives. */
class Loopback implements Medium {
  readonly name = "hb0";
  readonly description = "loopback";
  readonly packetBytesMax = 65_507;
  readonly format = "any";
  readonly isPrivate = false;
  readonly localAddress = "127.0.0.1";
  readonly counters = noTraffic();
  readonly #socket: Socket = createSocket("udp4");
  other: Loopback | null = null;
  port = 0;

  constructor(readonly lossRate: number, readonly random: Prng) {}

  open(events: MediumEvents): Promise<void> {
    this.#socket.on("message", (packet) => {
      if (!this.random.chance(this.lossRate)) events.received(packet, "127.0.0.1", () => {});
    });
    return new Promise((resolve) =>
      this.#socket.bind(0, "127.0.0.1", () => {
        this.port = this.#socket.address().port;
        resolve();
      })
    );
  }

  send(packet: Uint8Array): void {
    this.#socket.send(packet, this.other!.port, "127.0.0.1");
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }
}

/** One end: what a node does with numbered messages, and nothing else. */
class End {
  readonly medium: Loopback;
  readonly messenger: Messenger;
  readonly outbox = new Outbox();
  readonly exchange: Exchange;
  readonly peer: Peer;
  readonly context = new Context(new AlarmBook(), 0 as Instant);
  delivered = 0;

  constructor(readonly self: string, other: string, settings: Settings, lossRate: number, seed: number) {
    this.medium = new Loopback(lossRate, new Prng(seed));
    this.peer = new Peer(other, ["hb0"], settings.timing);
    this.peer.isInView = true;
    this.peer.hasAcks = true;
    const random = new Prng(seed + 1);
    const { outbox, peer } = this;
    this.exchange = new Exchange(self, generation, [peer], outbox, random, settings.maxRexmitDelayMs);
    this.messenger = new Messenger(settings, { node: self, generation, uuid }, [this.medium], (input) => {
      if (input.kind !== "message") return;
      this.context.now = instant(monotonicMs());
      if (input.message.sequence === null) this.exchange.hear(this.context, this.peer, input.message);
      else {
        const reception = receive(this.context.now, this.peer, input);
        if (reception !== "unknown-run" && isAccepted(reception)) this.delivered++;
        if (input.statement !== null) this.exchange.hearStatement(this.peer, input.statement);
      }
      this.tick();
    });
  }

  say(): void {
    this.outbox.send(this.context, {
      type: "bench",
      fields: [["info", "a message of some length, as they are"]],
    });
  }

  /** With the acknowledgement that each heartbeat carries. */
  beat(): void {
    const { node, tracker } = this.peer;
    const heard = { generation, sequence: 1, on: [], acked: tracker.contiguous };
    const hears = tracker.generation === null ? {} : { [node]: heard };
    this.outbox.send(this.context, {
      type: "status",
      fields: [["st", "active"]],
      statement: statement({ hears }),
    });
  }

  tick(): void {
    this.context.now = instant(monotonicMs());
    this.exchange.tick(this.context);
    for (const effect of this.context.takeEffects()) {
      if (effect.kind === "send") this.messenger.send(effect);
      else if (effect.kind === "resend") this.messenger.resend(effect.sequence);
    }
  }
}

export interface Carried {
  readonly perSecond: number;
  readonly requests: number;
  readonly resent: number;
}

/** One peer sends as fast as flow control lets it; throws when a message is missing at the end, or came twice. */
export async function carried(lossRate: number, seconds = 4): Promise<Carried> {
  const settings = settingsFor("sha256");
  const [a, b] = [new End("n1", "n2", settings, lossRate, 1), new End("n2", "n1", settings, lossRate, 3)];
  a.medium.other = b.medium;
  b.medium.other = a.medium;
  await a.messenger.open();
  await b.messenger.open();
  const ticks = setInterval(() => [a, b].forEach((end) => end.tick()), 5);
  const beats = setInterval(() => [a, b].forEach((end) => end.beat()), beatMs);
  try {
    // A heartbeat makes a run known; over a lossy link it may take several.
    while (a.peer.tracker.generation === null || b.peer.tracker.generation === null) {
      for (const end of [a, b]) end.beat();
      await pause(a, 10);
      b.tick();
    }
    const startMs = monotonicMs();
    const endMs = startMs + seconds * 1000;
    const before = b.delivered;
    while (monotonicMs() < endMs) {
      for (let n = 0; n < burst && !a.exchange.isCongested; n++) a.say();
      a.tick();
      await new Promise((resolve) => setImmediate(resolve));
    }
    const perSecond = (b.delivered - before) / seconds;
    const wanted = a.outbox.last;
    clearInterval(beats);
    for (let n = 0; n < 100 && b.peer.tracker.contiguous < wanted; n++) await pause(a, 50);
    if (b.peer.tracker.contiguous < wanted) throw new Error("not all messages arrived within 5 s");
    if (b.delivered !== b.peer.tracker.last - b.peer.tracker.first + 1) {
      throw new Error(`${b.delivered} messages were delivered, not each once`);
    }
    return { perSecond, requests: b.exchange.exchanges[0]!.requests.count, resent: a.exchange.resent };
  } finally {
    for (const timer of [ticks, beats]) clearInterval(timer);
    await Promise.all([a.messenger.close(), b.messenger.close()]);
  }
}

async function pause(end: End, ms: number): Promise<void> {
  end.tick();
  await new Promise((resolve) => setTimeout(resolve, ms));
}
