/**
 * The far end of a measurement where no daemon runs, `heartline probe --listen`: answers on UDP, on all addresses or
 * one, and on serial lines, with a key or with none. It answers and counts; it takes no part in anything.
 */

import type { Authentication, SerialBaud } from "../core/settings.ts";
import { EnvironmentError } from "../errors.ts";
import { endpointText } from "../media/addresses.ts";
import { noTraffic, type Reply } from "../media/medium.ts";
import { Serial } from "../media/serial.ts";
import { UdpReplies } from "../media/udp_replies.ts";
import { bindSocket, closeQuietly, type UdpSocket } from "../media/udp_socket.ts";
import { monotonicMs } from "../system/clock.ts";
import { open } from "../wire/packet.ts";
import { isProbe } from "../wire/probe_message.ts";
import { ProbeResponder } from "./responder.ts";
import { openNow } from "./serial.ts";

export interface ListenSettings {
  readonly node: string;
  readonly authentication: Authentication;
  /** Own addresses; empty: no UDP. `0.0.0.0` and `::` are all of a family. */
  readonly addresses: readonly string[];
  readonly port: number;
  readonly serial: ReadonlyArray<{ readonly tty: string; readonly baud: SerialBaud }>;
}

/** Who asked, and what became of it. */
export interface Asker {
  readonly from: string;
  readonly on: string;
  heard: number;
  answered: number;
}

/** Askers told apart in the summary. More are counted together with the last one. */
const askersMax = 64;

export class ProbeListener {
  readonly askers = new Map<string, Asker>();
  /** Packets that were no question with our key. */
  refused = 0;
  readonly #responder: ProbeResponder;
  readonly #sockets: UdpSocket[] = [];
  readonly #lines: Serial[] = [];

  constructor(readonly settings: ListenSettings) {
    this.#responder = new ProbeResponder(settings.node);
  }

  /** Answers what it listens on. Rejects with an environment error, and leaves nothing open. */
  async open(): Promise<string[]> {
    try {
      const places: string[] = [];
      for (const address of this.settings.addresses) places.push(await this.#openUdp(address));
      for (const line of this.settings.serial) places.push(await this.#openSerial(line));
      return places;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const closing = this.#sockets.splice(0).map((socket) =>
      new Promise<void>((resolve) => closeQuietly(socket, resolve))
    );
    await Promise.all([...closing, ...this.#lines.splice(0).map((line) => line.close())]);
  }

  async #openUdp(address: string): Promise<string> {
    const { port } = this.settings;
    const place = endpointText(address, port);
    let bound: UdpSocket;
    try {
      bound = await bindSocket(address, port);
    } catch (cause) {
      const { code } = cause as { code?: string };
      const why = code === "EADDRINUSE"
        ? "the port is in use; a daemon that runs there answers by itself, else name another port"
        : code === "EADDRNOTAVAIL"
        ? "it is no address of this machine; see ip address"
        : `${(cause as Error).message}; name another address or port`;
      throw new EnvironmentError(`Cannot listen on UDP ${place}: ${why}`, code === "EACCES" ? 77 : 69, {
        cause,
      });
    }
    this.#sockets.push(bound);
    const { socket, sender } = bound;
    const replies = new UdpReplies(sender, noTraffic());
    socket.on("error", () => {});
    socket.on("message", (packet, from) => {
      this.#received(packet, place, from.address, "netstring", (answer) => replies.send(answer, from));
    });
    return `udp ${place}`;
  }

  async #openSerial({ tty, baud }: { readonly tty: string; readonly baud: SerialBaud }): Promise<string> {
    const line = new Serial({ kind: "serial", tty, baud });
    await openNow(line, {
      received: (packet, from, reply) => this.#received(packet, tty, from, "text", reply),
      failed: () => {},
      recovered: () => {},
    });
    this.#lines.push(line);
    return line.description;
  }

  #received(
    packet: Uint8Array,
    on: string,
    from: string,
    format: "netstring" | "text",
    reply: Reply,
  ): boolean {
    const nowMs = monotonicMs();
    const { authentication } = this.settings;
    const opened = open(packet, { authentication, isPrivate: false });
    if (!opened.ok || !isProbe(opened.message)) {
      this.refused++;
      return false;
    }
    const asker = this.#asker(from, on);
    asker.heard++;
    const answer = this.#responder.answer(opened.message, on, packet.length, nowMs, {
      format,
      authentication,
    });
    if (answer === null) return true;
    asker.answered++;
    reply(answer);
    return true;
  }

  #asker(from: string, on: string): Asker {
    const key = `${from} ${on}`;
    const known = this.askers.get(key) ?? { from, on, heard: 0, answered: 0 };
    if (this.askers.size < askersMax) this.askers.set(key, known);
    return known;
  }
}
