/**
 * Unicast UDP, the Heartbeat directives `ucast` and `ucast6`: all directives of one interface are one medium, hence
 * one link, with a copy of each packet to each peer. Peers of different families (or ports) need sockets of their
 * own; the medium is well when all of them are.
 *
 * It never looks into a packet and never asks who sent it: authentication is done by whoever it hands packets to.
 */

import type { UcastSettings } from "../core/settings.ts";
import { EnvironmentError } from "../errors.ts";
import { udpPacketBytesMax } from "../wire/limits.ts";
import { familyOf } from "./addresses.ts";
import { type Medium, type MediumEvents, noTraffic } from "./medium.ts";
import { UdpEndpoint, type UdpEndpointSettings } from "./udp_endpoint.ts";

export class Ucast implements Medium {
  readonly name: string;
  readonly description: string;
  readonly packetBytesMax = udpPacketBytesMax;
  readonly format = "any";
  readonly isPrivate = false;
  readonly counters = noTraffic();
  readonly #endpoints: readonly UdpEndpoint[];
  readonly #problems = new Map<UdpEndpoint, string>();
  #events: MediumEvents | null = null;
  #isOpen = false;
  #isClosed = false;

  /** The sockets must be of one interface. Usually made by `ucastMedia`. */
  constructor(sockets: readonly [UdpEndpointSettings, ...UdpEndpointSettings[]]) {
    this.name = sockets[0].device;
    const peers = sockets.flatMap((socket) => socket.peers.map((peer) => peer.address));
    this.description = `ucast ${this.name} ${peers.join(" ")}`;
    this.#endpoints = sockets.map((settings) => this.#endpoint(settings));
  }

  /** The first own address in use. */
  get localAddress(): string | null {
    return this.#endpoints.find((endpoint) => endpoint.localAddress !== null)?.localAddress ?? null;
  }

  /**
   * An interface that has no address yet is no error: `failed` is called at once, and `recovered` when it has one.
   * No permission and a port in use are.
   */
  async open(events: MediumEvents): Promise<void> {
    this.#events = events;
    for (const endpoint of this.#endpoints) {
      try {
        await endpoint.open();
      } catch (error) {
        await this.close();
        throw openError(this.description, endpoint.settings, error);
      }
    }
    if (this.#isClosed) return;
    this.#isOpen = true;
    const [problem] = this.#problems.values();
    if (problem !== undefined) events.failed(problem);
  }

  send(packet: Uint8Array): void {
    if (this.#isClosed || !this.#isOpen || packet.length > this.packetBytesMax) {
      this.counters.sendErrors++;
      return;
    }
    for (const endpoint of this.#endpoints) endpoint.send(packet);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#endpoints.map((endpoint) => endpoint.close()));
  }

  #endpoint(settings: UdpEndpointSettings): UdpEndpoint {
    const endpoint: UdpEndpoint = new UdpEndpoint(settings, this.counters, {
      received: (packet, from, reply) => {
        if (!this.#isClosed) this.#events?.received(packet, from, reply);
      },
      state: (problem) => this.#changed(endpoint, problem),
    });
    return endpoint;
  }

  #changed(endpoint: UdpEndpoint, problem: string | null): void {
    const wasWell = this.#problems.size === 0;
    if (problem === null) this.#problems.delete(endpoint);
    else this.#problems.set(endpoint, problem);
    const isWell = this.#problems.size === 0;
    if (!this.#isOpen || this.#isClosed || wasWell === isWell) return;
    if (isWell) this.#events?.recovered();
    else this.#events?.failed(problem!);
  }
}

/** One medium for each interface, in the order of the directives. */
export function ucastMedia(directives: readonly UcastSettings[]): Ucast[] {
  const byDevice = Map.groupBy(directives, (directive) => directive.device);
  return [...byDevice.values()].map((ofDevice) => {
    const bySocket = Map.groupBy(ofDevice, ({ peer, local, port }) => `${familyOf(peer)} ${local} ${port}`);
    const sockets = [...bySocket.values()].map(([first, ...rest]): UdpEndpointSettings => ({
      device: first!.device,
      local: first!.local,
      port: first!.port,
      peers: [first!, ...rest].map(({ peer, port }) => ({ address: peer, port })),
    }));
    return new Ucast(sockets as [UdpEndpointSettings, ...UdpEndpointSettings[]]);
  });
}

function openError(description: string, settings: UdpEndpointSettings, cause: unknown): EnvironmentError {
  const cannot = `Cannot open medium "${description}":`;
  const port = `port ${settings.port} of ${settings.local ?? settings.device}`;
  return (cause as { code?: string }).code === "EADDRINUSE"
    ? new EnvironmentError(
      `${cannot} UDP ${port} is in use; stop the other program (heartbeat, or a second heartline) or set another port`,
      69,
      { cause },
    )
    : new EnvironmentError(
      `${cannot} no permission to listen on UDP ${port}; run as root, or set a port of 1024 or more`,
      77,
      { cause },
    );
}
