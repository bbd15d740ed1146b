/**
 * Probes by UDP, a daemon or `heartline probe --listen`, from a port of its own: one far end by its address, or all
 * on a wire by broadcast or multicast, as the link of the settings does it.
 */

import { networkInterfaces } from "node:os";
import { EnvironmentError } from "../errors.ts";
import type { Answer } from "../measure/series.ts";
import { endpointText, familyOf, isOwnAddress, scoped } from "../media/addresses.ts";
import { noTraffic } from "../media/medium.ts";
import { UdpReplies } from "../media/udp_replies.ts";
import { bindSocket, closeQuietly, type UdpSocket } from "../media/udp_socket.ts";
import { monotonicMs } from "../system/clock.ts";
import type { Prober } from "./prober.ts";
import { Questions, type QuestionSettings } from "./questions.ts";

export interface UdpTarget {
  readonly address: string;
  readonly port: number;
  readonly device: string | null;
  /** Own address to ask from; `null`: the kernel's choice. */
  readonly local: string | null;
  /** The address is that of a group: broadcast, or multicast with this TTL. */
  readonly group: { readonly kind: "bcast" } | { readonly kind: "mcast"; readonly ttl: number } | null;
  /** Instead of address and port. */
  readonly description: string | null;
}

export class UdpProber implements Prober {
  readonly kind = "udp";
  readonly description: string;
  readonly device: string | null;
  readonly caveat = null;
  readonly #questions: Questions;
  #outward: UdpReplies | null = null;
  #socket: UdpSocket | null = null;
  readonly #counters = noTraffic();

  constructor(readonly target: UdpTarget, settings: QuestionSettings) {
    this.description = target.description ?? `udp ${endpointText(target.address, target.port)}`;
    this.device = target.device;
    this.#questions = new Questions(settings);
  }

  async open(answered: (answer: Answer, from: string) => void): Promise<void> {
    const { address, local, group, device } = this.target;
    try {
      const any = familyOf(address) === "ipv6" ? "::" : "0.0.0.0";
      const own = local === null || device === null ? local : scoped(local, device);
      const { socket, sender } = this.#socket = await bindSocket(own ?? any, 0);
      socket.on("error", () => {});
      socket.on("message", (packet) => {
        const read = this.#questions.read(packet, monotonicMs());
        if (read !== null) answered(read.answer, read.node);
      });
      if (group?.kind === "bcast") socket.setBroadcast(true);
      if (group?.kind === "mcast") {
        socket.setMulticastTTL(group.ttl);
        if (own !== null) socket.setMulticastInterface(own);
      }
      this.#outward = new UdpReplies(sender, this.#counters);
    } catch (cause) {
      await this.close();
      const isMissing = local !== null && !isOwnAddress(local, networkInterfaces());
      const why = isMissing ? `${local} is no address of this machine now` : (cause as Error).message;
      throw new EnvironmentError(
        `Cannot probe ${this.description}: ${why}; see ip address, or name another link`,
        69,
        { cause },
      );
    }
  }

  ask(number: number): boolean {
    if (this.#outward === null) return false;
    const { address, port, device } = this.target;
    const errors = this.#counters.sendErrors;
    this.#outward.send(this.#questions.packet(number), {
      address: device === null ? address : scoped(address, device),
      port,
    });
    return this.#counters.sendErrors === errors;
  }

  close(): Promise<void> {
    const socket = this.#socket;
    this.#socket = null;
    this.#outward = null;
    if (socket === null) return Promise.resolve();
    socket.socket.removeAllListeners("message");
    return new Promise((resolve) => closeQuietly(socket, resolve));
  }
}
