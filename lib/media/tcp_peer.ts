/**
 * All connections with one peer. Of two ends the one with the lower address listens and the other one dials, so that
 * there is one connection and no argument about it; it dials again, later and later, until it is closed.
 *
 * An accepted connection is a stranger's until a packet of it was accepted above. Strangers are few: a new one takes
 * the place of the oldest. Whoever is trusted takes the place of all earlier ones, which a peer that crashed left
 * half open.
 */

import { connect, type Socket } from "node:net";
import { addressBytes } from "../system/packets/ip_address.ts";
import { endpointText, familyOf, scoped, unscoped } from "./addresses.ts";
import { freshMsMax, FreshQueue } from "./fresh_queue.ts";
import type { MediumCounters, Reply } from "./medium.ts";
import { TcpConnection, type TcpTiming } from "./tcp_connection.ts";

export interface DialTiming {
  /** First and last wait between two attempts, doubled each time, less up to half at random. */
  readonly retryMsMin: number;
  readonly retryMsMax: number;
  /** Longer hangs on a peer that is switched off; shorter gives up on a line that loses packets. */
  readonly connectMsMax: number;
}

/** More lets strangers cost memory (256 KiB each); fewer lets them crowd out a peer that comes back. */
const connectionsMax = 4;

/** Longer delays the end of the daemon while the peer takes nothing; shorter may cut its farewell. */
const lastWordsMsMax = 300;

export interface TcpPeerSettings {
  readonly address: string;
  readonly port: number;
  readonly device: string;
}

export type Received = (packet: Uint8Array, from: string, reply: Reply) => boolean | void;

export class TcpPeer {
  readonly #connections: TcpConnection[] = [];
  readonly #waiting: FreshQueue;
  #staleTimer: ReturnType<typeof setTimeout> | null = null;
  #dialTimer: ReturnType<typeof setTimeout> | null = null;
  /** Not connected yet. */
  #dialled: Socket | null = null;
  #local: string | null = null;
  #retryMs: number;
  #isClosed = false;

  constructor(
    readonly settings: TcpPeerSettings,
    readonly timing: TcpTiming & DialTiming,
    readonly counters: MediumCounters,
    readonly received: Received,
  ) {
    this.#waiting = new FreshQueue(() => counters.sendErrors++);
    this.#retryMs = timing.retryMsMin;
  }

  /** Goes on from this own address: dials when it is the higher one. `null`: there is none now. */
  use(local: string | null): void {
    if (local === this.#local || this.#isClosed) return;
    this.#local = null;
    this.#stopDialling();
    for (const connection of [...this.#connections]) connection.close("the own address changed");
    this.#local = local;
    if (local !== null && !listens(local, this.settings.address)) this.#dial();
  }

  /** Takes over a connection that the peer made. */
  accept(socket: Socket): void {
    if (this.#isClosed) return void socket.destroy();
    if (this.#connections.length >= connectionsMax) {
      const oldest = this.#connections.find((connection) => !connection.isTrusted) ?? this.#connections[0]!;
      oldest.close("a newer one took its place");
    }
    this.#adopt(socket, false);
  }

  send(packet: Uint8Array): void {
    if (this.#isClosed) {
      this.counters.sendErrors++;
      return;
    }
    if (this.#connections.length === 0) {
      this.#waiting.push(packet);
      this.#staleTimer ??= setTimeout(() => this.#dropStale(), freshMsMax);
    } else {
      for (const connection of [...this.#connections]) connection.send(packet);
    }
  }

  /** Last words leave, unless the peer takes nothing. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopDialling();
    if (this.#staleTimer !== null) clearTimeout(this.#staleTimer);
    this.#staleTimer = null;
    this.#waiting.clear();
    await Promise.all(
      this.#connections.map((connection) => connection.finish(lastWordsMsMax, "the medium was closed")),
    );
  }

  #adopt(socket: Socket, isDialled: boolean): void {
    const { address, port } = this.settings;
    const from = endpointText(socket.remoteAddress ?? address, socket.remotePort ?? port);
    const connection = new TcpConnection(socket, this.timing, this.counters, {
      received: (packet) =>
        this.#isClosed ? false : this.received(packet, from, (answer) => connection.send(answer)),
      trusted: (trusted) => {
        this.#retryMs = this.timing.retryMsMin;
        const earlier = this.#connections.slice(0, this.#connections.indexOf(trusted));
        for (const each of earlier) each.close("a newer one took its place");
      },
      closed: (closed) => {
        const index = this.#connections.indexOf(closed);
        if (index >= 0) this.#connections.splice(index, 1);
        if (isDialled) this.#dialLater();
      },
    });
    this.#connections.push(connection);
    for (let packet = this.#waiting.shift(); packet !== undefined; packet = this.#waiting.shift()) {
      connection.send(packet);
    }
  }

  #dial(): void {
    const { address, port, device } = this.settings;
    const socket = connect({
      host: scoped(address, device),
      port,
      localAddress: this.#local!,
      family: familyOf(address) === "ipv6" ? 6 : 4,
    });
    this.#dialled = socket;
    const limit = setTimeout(() => failed(), this.timing.connectMsMax);
    const failed = () => {
      clearTimeout(limit);
      socket.destroy();
      if (this.#dialled !== socket) return;
      this.#dialled = null;
      this.#dialLater();
    };
    // Stays for good: an error after the end is nobody's business.
    socket.on("error", failed);
    socket.once("connect", () => {
      clearTimeout(limit);
      if (this.#dialled !== socket) return void socket.destroy();
      this.#dialled = null;
      this.#adopt(socket, true);
    });
  }

  #dialLater(): void {
    if (this.#isClosed || this.#local === null) return;
    const waitMs = this.#retryMs * (0.5 + Math.random() / 2);
    this.#retryMs = Math.min(this.#retryMs * 2, this.timing.retryMsMax);
    this.#dialTimer = setTimeout(() => {
      this.#dialTimer = null;
      this.#dial();
    }, waitMs);
  }

  #stopDialling(): void {
    if (this.#dialTimer !== null) clearTimeout(this.#dialTimer);
    this.#dialTimer = null;
    const socket = this.#dialled;
    this.#dialled = null;
    socket?.destroy();
  }

  #dropStale(): void {
    this.#staleTimer = null;
    this.#waiting.dropStale();
    if (!this.#waiting.isEmpty) this.#staleTimer = setTimeout(() => this.#dropStale(), freshMsMax / 4);
  }
}

/** Whether the end at `own` listens: it has the lower address, compared as numbers. */
export function listens(own: string, peer: string): boolean {
  const [a, b] = [addressBytes(unscoped(own))!, addressBytes(unscoped(peer))!];
  const differs = a.findIndex((byte, i) => byte !== b[i]);
  return differs >= 0 && a[differs]! < b[differs]!;
}
