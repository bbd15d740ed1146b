/**
 * One connection to a peer, dialled or accepted: packets in frames, and pings whenever one of the directions is idle.
 *
 *     greeting ──greeted──▶ open ──a packet accepted above──▶ trusted
 *         ╰─── no answer to pings · breach of protocol · socket error · not trusted in time ──▶ closed
 *
 * It decides when a connection is dead, never who the other end is. Sending never waits: while the socket takes
 * nothing, packets queue up and grow stale.
 */

import type { Socket } from "node:net";
import { FreshQueue } from "./fresh_queue.ts";
import type { MediumCounters } from "./medium.ts";
import { frame, FrameReader, greeting } from "./tcp_frames.ts";

export interface TcpTiming {
  /** A direction that is idle for this long is asked whether it lives. Shorter costs packets; longer delays the news. */
  readonly pingIntervalMs: number;
  /** Pings in a row without a sign of life. Fewer cut a line that loses packets; more keep a dead one. */
  readonly missedMax: number;
  /** For a connection on which no packet has been accepted. Shorter cuts peers with a long keepalive. */
  readonly trustMsMax: number;
}

export interface TcpConnectionEvents {
  /** `false`: the packet was refused. */
  received(packet: Uint8Array): boolean | void;
  /** The first packet was accepted. */
  trusted(connection: TcpConnection): void;
  /** Called once. */
  closed(connection: TcpConnection, reason: string): void;
}

export class TcpConnection {
  isTrusted = false;
  readonly #queue: FreshQueue;
  readonly #reader: FrameReader;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #sinceMs = performance.now();
  #isFull = false;
  #isClosed = false;
  #missed = 0;
  /** Since the last tick. */
  #hasHeard = false;
  #hasSent = false;

  /** The socket must be connected. */
  constructor(
    readonly socket: Socket,
    readonly timing: TcpTiming,
    readonly counters: MediumCounters,
    readonly events: TcpConnectionEvents,
  ) {
    this.#queue = new FreshQueue(() => counters.sendErrors++);
    this.#reader = new FrameReader(
      (kind, content) => this.#found(kind, content),
      (reason) => this.close(reason),
    );
    socket.setNoDelay(true);
    socket.on("data", (bytes: Uint8Array) => {
      this.#hasHeard = true;
      this.#reader.push(bytes);
    });
    socket.on("drain", () => this.#drained());
    socket.on("error", (error) => this.close(error.message));
    socket.on("end", () => this.close("the peer closed it"));
    socket.on("close", () => this.close("it was closed"));
    this.#timer = setInterval(() => this.#tick(), timing.pingIntervalMs);
    this.#write(greeting);
  }

  send(packet: Uint8Array): void {
    if (this.#isFull) this.#queue.push(packet);
    else this.#writePacket(packet);
  }

  /** Closes once what was sent has left, or the limit has passed. */
  async finish(limitMs: number, reason: string): Promise<void> {
    if (!this.#isClosed) {
      await new Promise<void>((resolve) => {
        const limit = setTimeout(resolve, limitMs);
        this.socket.once("close", resolve);
        this.socket.end(resolve);
        this.socket.once("close", () => clearTimeout(limit));
        this.socket.once("finish", () => clearTimeout(limit));
      });
    }
    this.close(reason);
  }

  close(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#queue.clear();
    this.socket.destroy();
    this.events.closed(this, reason);
  }

  #found(kind: "data" | "ping" | "pong", content: Uint8Array): void {
    if (this.#isClosed || kind === "pong") return;
    if (kind === "ping") {
      // Whoever pings without reading gets no answers that pile up.
      if (!this.#isFull) this.#write(frame("pong"));
      return;
    }
    this.counters.receivedPackets++;
    this.counters.receivedBytes += content.length;
    if (this.events.received(content) === false || this.isTrusted) return;
    this.isTrusted = true;
    this.events.trusted(this);
  }

  #tick(): void {
    const { missedMax, trustMsMax } = this.timing;
    this.#missed = this.#hasHeard ? 0 : this.#missed + 1;
    if (this.#missed > missedMax) return this.close(`the peer did not answer ${missedMax} pings`);
    if (!this.isTrusted && performance.now() - this.#sinceMs > trustMsMax) {
      return this.close(`no valid packet came in ${trustMsMax} ms`);
    }
    this.#queue.dropStale();
    if ((!this.#hasHeard || !this.#hasSent) && !this.#isFull) this.#write(frame("ping"));
    this.#hasHeard = false;
    this.#hasSent = false;
  }

  #drained(): void {
    this.#isFull = false;
    while (!this.#isFull) {
      const packet = this.#queue.shift();
      if (packet === undefined) return;
      this.#writePacket(packet);
    }
  }

  #writePacket(packet: Uint8Array): void {
    if (!this.#write(frame("data", packet))) return;
    this.counters.sentPackets++;
    this.counters.sentBytes += packet.length;
  }

  #write(bytes: Uint8Array): boolean {
    if (this.#isClosed || !this.socket.writable) {
      this.counters.sendErrors++;
      return false;
    }
    this.#isFull = !this.socket.write(bytes);
    this.#hasSent = true;
    return true;
  }
}
