/**
 * One UDP socket of a medium, bound to one own address, that comes back by itself:
 *
 *     closed ──open──▶ open ──address gone──▶ retrying ──bound──▶ open
 *        ╰────open, no address yet──────────────▲
 *
 * It decides when the socket is worth keeping, from the errors of bind and send and from the addresses that the
 * interface has. It must never bind to another address than the one asked for, and never share the port: with
 * SO_REUSEADDR the kernel would hand all packets to whichever daemon bound last, and the other, deaf, would take its
 * peer for dead.
 */

import { networkInterfaces } from "node:os";
import {
  endpointText,
  familyOf,
  type Interfaces,
  isOwnAddress,
  isSameAddress,
  scoped,
  sourceFor,
} from "./addresses.ts";
import type { MediumCounters, Reply } from "./medium.ts";
import { UdpPeer } from "./udp_peer.ts";
import { UdpReplies } from "./udp_replies.ts";
import { bindSocket, closeQuietly, explain, fitted, type UdpSocket } from "./udp_socket.ts";

/**
 * First and last wait between two attempts to bind, doubled each time. Shorter burns time while a cable is out;
 * longer leaves the link unused after it came back.
 */
const retryMsMin = 200;
const retryMsMax = 2_000;

/**
 * Failed sends in a row to one peer before the medium counts as down. Fewer takes one full queue for an outage;
 * more hides a firewall rule for that many heartbeats.
 */
const sendFailuresMax = 3;

export interface UdpEndpointSettings {
  readonly device: string;
  /** Own address, `null`: that of the device which reaches the first peer. */
  readonly local: string | null;
  /** Port to listen on. */
  readonly port: number;
  readonly peers: ReadonlyArray<{ readonly address: string; readonly port: number }>;
}

export interface UdpEndpointEvents {
  received(packet: Uint8Array, from: string, reply: Reply): void;
  /** `null`: all is well; otherwise why not. Called on changes only. */
  state(problem: string | null): void;
}

export class UdpEndpoint {
  /** Own address while bound. */
  localAddress: string | null = null;
  #socket: UdpSocket | null = null;
  #problem: string | null = null;
  #retryTimer: ReturnType<typeof setTimeout> | null = null;
  #retryMs = retryMsMin;
  #isClosed = false;
  /** Peers without those that are this machine. */
  #peers: readonly UdpPeer[] = [];

  constructor(
    readonly settings: UdpEndpointSettings,
    readonly counters: MediumCounters,
    readonly events: UdpEndpointEvents,
  ) {}

  /** Rejects with the socket's error when waiting would not help: no permission, port in use. */
  async open(): Promise<void> {
    try {
      await this.#bind();
    } catch (error) {
      const code = (error as { code?: string }).code;
      if (code === "EACCES" || code === "EPERM" || code === "EADDRINUSE") throw error;
      this.#retryLater(error);
    }
  }

  send(packet: Uint8Array): void {
    if (this.#socket === null) {
      this.counters.sendErrors += this.settings.peers.length;
      return;
    }
    for (const peer of this.#peers) peer.send(packet);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    this.#retryTimer = null;
    await this.#closeSocket();
  }

  async #bind(): Promise<void> {
    const { device, port } = this.settings;
    const interfaces = networkInterfaces();
    const local = this.#local(interfaces);
    if (local === null) throw new Error(this.#noAddress(interfaces));
    const bound = await bindSocket(local, port);
    if (this.#isClosed) return closeQuietly(bound);
    const { socket, sender } = bound;
    socket.on("error", (error) => this.#errored(bound, error));
    const replies = new UdpReplies(sender, this.counters);
    socket.on("message", (packet, from) => {
      this.counters.receivedPackets++;
      this.counters.receivedBytes += packet.length;
      const reply: Reply = (answer) => replies.send(answer, from);
      this.events.received(fitted(packet), endpointText(from.address, from.port), reply);
    });
    this.#socket = bound;
    this.localAddress = local;
    this.#retryMs = retryMsMin;
    this.#peers = this.settings.peers
      .filter((peer) => !this.#isSelf(peer, local, interfaces))
      .map(({ address, port }) =>
        new UdpPeer(
          sender,
          scoped(address, device),
          port,
          this.counters,
          (peer, code) => this.#sent(bound, peer, code),
        )
      );
    this.#report(null);
  }

  #local(interfaces: Interfaces): string | null {
    const { device, local, peers } = this.settings;
    if (local !== null) return scoped(local, device);
    const peer = peers.find((peer) => !isOwnAddress(peer.address, interfaces)) ?? peers[0];
    return peer === undefined ? null : sourceFor(peer.address, device, interfaces);
  }

  /** The same ha.cf on all nodes names each of them: the directive that names this one is dropped. */
  #isSelf(peer: { address: string; port: number }, local: string, interfaces: Interfaces): boolean {
    if (peer.port !== this.settings.port) return false;
    return this.settings.local === null
      ? isOwnAddress(peer.address, interfaces)
      : isSameAddress(peer.address, local);
  }

  #noAddress(interfaces: Interfaces): string {
    const { device, peers } = this.settings;
    const family = peers[0] !== undefined && familyOf(peers[0].address) === "ipv6" ? "IPv6" : "IPv4";
    return interfaces[device] === undefined
      ? `interface ${device} does not exist or is down`
      : `interface ${device} has no ${family} address that reaches ${
        peers.map((peer) => peer.address).join(", ")
      }`;
  }

  #sent(socket: UdpSocket, peer: UdpPeer, code: number): void {
    if (this.#socket !== socket || this.#isClosed) return;
    if (code === 0) {
      if (this.#problem !== null && this.#peers.every((each) => each.failures === 0)) this.#report(null);
      return;
    }
    const local = this.localAddress!;
    if (!isLoopback(local) && !isOwnAddress(local, networkInterfaces())) {
      this.#lost(socket, `${local} is no longer an address of ${this.settings.device}`);
    } else if (peer.failures >= sendFailuresMax) {
      this.#report(`cannot send to ${peer.address}: ${explain(code)}`);
    }
  }

  /** Some runtimes hand on what ICMP says of a peer that is away; the socket is as good as before. */
  #errored(socket: UdpSocket, error: Error): void {
    const code = (error as { code?: string }).code ?? "";
    if (/^E(CONNREFUSED|HOSTUNREACH|NETUNREACH|MSGSIZE)$/.test(code)) return;
    this.#lost(socket, error.message);
  }

  #lost(socket: UdpSocket, reason: string): void {
    if (this.#socket !== socket) return;
    void this.#closeSocket();
    this.#retryLater(new Error(reason));
  }

  #retryLater(error: unknown): void {
    if (this.#isClosed) return;
    this.#report(error instanceof Error ? error.message : String(error));
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = null;
      if (!this.#isClosed) this.#bind().catch((error) => this.#retryLater(error));
    }, this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, retryMsMax);
  }

  #report(problem: string | null): void {
    if (problem === this.#problem || this.#isClosed) return;
    const isChange = (problem === null) !== (this.#problem === null);
    this.#problem = problem;
    if (isChange) this.events.state(problem);
  }

  #closeSocket(): Promise<void> {
    const socket = this.#socket;
    this.#peers = [];
    this.#socket = null;
    this.localAddress = null;
    return socket === null ? Promise.resolve() : new Promise((resolve) => {
      socket.socket.removeAllListeners("message");
      closeQuietly(socket, resolve);
    });
  }
}

/** All of 127.0.0.0/8 is ours, though the interface lists but one address of it. */
function isLoopback(address: string): boolean {
  return address.startsWith("127.");
}
