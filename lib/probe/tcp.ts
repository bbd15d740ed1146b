/**
 * Probes by TCP: each question is a connection that is closed as soon as it stands, or refused: both are an answer.
 * It tells of a firewall and of the round trip. A lost packet is sent again by the kernel after a second, which with
 * the usual patience counts as lost; which direction lost it nobody can tell.
 */

import { connect, type Socket } from "node:net";
import type { Answer } from "../measure/series.ts";
import { endpointText, familyOf } from "../media/addresses.ts";
import { monotonicMs } from "../system/clock.ts";
import type { Prober } from "./prober.ts";

/** Connections under way. More would exhaust descriptors at a far end that drops everything. */
const openMax = 512;

export class TcpProber implements Prober {
  readonly kind = "tcp";
  readonly description: string;
  readonly caveat = "the time to connect, or to be refused";
  readonly #open = new Set<Socket>();
  #answered: (answer: Answer, from: string) => void = () => {};

  constructor(
    readonly address: string,
    readonly port: number,
    readonly device: string | null,
    readonly patienceMs: number,
  ) {
    this.description = `tcp ${endpointText(address, port)}`;
  }

  open(answered: (answer: Answer, from: string) => void): Promise<void> {
    this.#answered = answered;
    return Promise.resolve();
  }

  ask(number: number): boolean {
    if (this.#open.size >= openMax) return false;
    const family = familyOf(this.address) === "ipv6" ? 6 : 4;
    const socket = connect({ host: this.address, port: this.port, family });
    this.#open.add(socket);
    const limit = setTimeout(() => end(), 2 * this.patienceMs);
    const end = () => {
      clearTimeout(limit);
      this.#open.delete(socket);
      socket.destroy();
    };
    const answer = (from: string) => {
      if (this.#open.has(socket)) this.#answered({ number, atMs: monotonicMs(), far: null }, from);
      end();
    };
    socket.once("connect", () => answer("a connection"));
    // Stays for good: an error after the end is nobody's business.
    socket.on("error", (error: { code?: string }) => {
      if (error.code === "ECONNREFUSED") answer("a refusal");
      else end();
    });
    socket.once("close", end);
    return true;
  }

  close(): Promise<void> {
    for (const socket of [...this.#open]) socket.destroy();
    this.#open.clear();
    return Promise.resolve();
  }
}
