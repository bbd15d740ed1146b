/**
 * UDP to everybody on a wire, broadcast or multicast: a socket bound to the group's address that hears the wire, and
 * one bound to the interface's own address that sends. Both are tied to the interface, so that what arrives on
 * another never keeps this link alive. Comes back by itself:
 *
 *     closed ──open──▶ open ──address gone, sends fail──▶ retrying ──bound (and sent)──▶ open
 *        ╰────open, no address yet─────────────────────────▲
 *
 * The wire hands our own packets back to us: known by the sending socket's address, they are left out. The port is
 * shared, unlike that of unicast: the kernel gives every socket a copy, so that nobody is made deaf.
 */

import { networkInterfaces } from "node:os";
import { EnvironmentError } from "../errors.ts";
import { bindToDevice } from "../system/bind_to_device.ts";
import { udpPacketBytesMax } from "../wire/limits.ts";
import { endpointText, type Interfaces, isOwnAddress, isSameAddress } from "./addresses.ts";
import { type Medium, type MediumEvents, noTraffic, type Reply } from "./medium.ts";
import { UdpPeer } from "./udp_peer.ts";
import { UdpReplies } from "./udp_replies.ts";
import { bindSocket, closeQuietly, explain, fitted, type UdpSocket } from "./udp_socket.ts";

/** First and last wait between two attempts, doubled each time; the dangers are those of unicast. */
const retryMsMin = 200;
const retryMsMax = 2_000;

/** Failed sends in a row before the medium counts as down; the dangers are those of unicast. */
const sendFailuresMax = 3;

export interface GroupEnds {
  /** Own address to send from, and the group's address, both with their scope where they have one. */
  readonly local: string;
  readonly group: string;
}

/** What makes the difference between broadcast and multicast. */
export interface GroupSettings {
  readonly description: string;
  readonly device: string;
  readonly port: number;
  /** From the addresses that the interfaces have now; a text says why there are none to use. */
  find(interfaces: Interfaces): GroupEnds | string;
  prepare(sockets: GroupSockets, ends: GroupEnds): void;
}

export interface GroupSockets {
  readonly receiver: UdpSocket;
  readonly sender: UdpSocket;
}

/** Descriptors are told apart by when they appear: one medium after the other binds. */
let previousBind: Promise<unknown> = Promise.resolve();

export class UdpGroup implements Medium {
  readonly name: string;
  readonly description: string;
  readonly packetBytesMax = udpPacketBytesMax;
  readonly format = "any";
  readonly isPrivate = false;
  readonly counters = noTraffic();
  localAddress: string | null = null;
  #events: MediumEvents | null = null;
  #sockets: GroupSockets | null = null;
  #group: UdpPeer | null = null;
  #problem: string | null = null;
  /** Sends failed: what is bound again must send before it counts as well. */
  #mustProve = false;
  #retryTimer: ReturnType<typeof setTimeout> | null = null;
  #retryMs = retryMsMin;
  #isOpen = false;
  #isClosed = false;

  constructor(readonly settings: GroupSettings) {
    this.name = settings.device;
    this.description = settings.description;
  }

  /** An interface that has no address yet is no error, but no permission and a port in use are. */
  async open(events: MediumEvents): Promise<void> {
    this.#events = events;
    try {
      await this.#bind();
    } catch (error) {
      if (isFinal(error)) {
        await this.close();
        throw openError(this.settings, error);
      }
      this.#retryLater(error);
    }
    this.#isOpen = true;
    if (this.#problem !== null && !this.#isClosed) events.failed(this.#problem);
  }

  send(packet: Uint8Array): void {
    if (this.#group === null || packet.length > this.packetBytesMax) this.counters.sendErrors++;
    else this.#group.send(packet);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    this.#retryTimer = null;
    await this.#closeSockets();
  }

  async #bind(): Promise<void> {
    const ends = this.settings.find(networkInterfaces());
    if (typeof ends === "string") throw new Error(ends);
    const turn = previousBind.then(() => this.#bindBoth(ends));
    previousBind = turn.catch(() => {});
    const sockets = await turn;
    if (this.#isClosed) return closeBoth(sockets);
    const { receiver, sender } = sockets;
    const own = sender.socket.address();
    const replies = new UdpReplies(sender.sender, this.counters);
    receiver.socket.on("message", (packet, from) => {
      if (from.port === own.port && isSameAddress(from.address, own.address)) return;
      this.counters.receivedPackets++;
      this.counters.receivedBytes += packet.length;
      const reply: Reply = (answer) => replies.send(answer, from);
      this.#events?.received(fitted(packet), endpointText(from.address, from.port), reply);
    });
    for (const { socket } of [receiver, sender]) {
      socket.on("error", (error) => this.#lost(sockets, error.message));
    }
    this.#sockets = sockets;
    this.localAddress = ends.local;
    this.#group = new UdpPeer(
      sender.sender,
      ends.group,
      this.settings.port,
      this.counters,
      (group, code) => this.#sent(group, code),
    );
    if (!this.#mustProve) this.#well();
  }

  async #bindBoth(ends: GroupEnds): Promise<GroupSockets> {
    const { device, port } = this.settings;
    const receiver = await bindSocket(ends.group, port, { reuseAddr: true });
    try {
      const sender = await bindSocket(ends.local, 0);
      try {
        for (const { sender: { descriptor } } of [receiver, sender]) bindToDevice(descriptor, device);
        const sockets = { receiver, sender };
        this.settings.prepare(sockets, ends);
        return sockets;
      } catch (error) {
        closeQuietly(sender);
        throw error;
      }
    } catch (error) {
      closeQuietly(receiver);
      throw error;
    }
  }

  #sent(group: UdpPeer, code: number): void {
    if (group !== this.#group || this.#isClosed) return;
    if (code === 0) {
      this.#mustProve = false;
      this.#well();
      return;
    }
    const local = this.localAddress!;
    if (!isOwnAddress(local, networkInterfaces())) {
      this.#lost(this.#sockets, `${local} is no longer an address of ${this.settings.device}`);
    } else if (group.failures >= sendFailuresMax) {
      // An interface that was made anew has the address too, but not our sockets.
      this.#mustProve = true;
      this.#lost(this.#sockets, `cannot send to ${group.address}: ${explain(code)}`);
    }
  }

  #lost(sockets: GroupSockets | null, reason: string): void {
    if (this.#sockets !== sockets || this.#isClosed) return;
    void this.#closeSockets();
    this.#retryLater(new Error(reason));
  }

  #retryLater(error: unknown): void {
    if (this.#isClosed) return;
    const isNews = this.#problem === null;
    this.#problem = error instanceof Error ? error.message : String(error);
    if (isNews && this.#isOpen) this.#events?.failed(this.#problem);
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = null;
      if (!this.#isClosed) this.#bind().catch((error) => this.#retryLater(error));
    }, this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, retryMsMax);
  }

  #well(): void {
    this.#retryMs = retryMsMin;
    if (this.#problem === null) return;
    this.#problem = null;
    if (this.#isOpen) this.#events?.recovered();
  }

  async #closeSockets(): Promise<void> {
    const sockets = this.#sockets;
    this.#group = null;
    this.#sockets = null;
    this.localAddress = null;
    if (sockets !== null) await closeBoth(sockets);
  }
}

async function closeBoth({ receiver, sender }: GroupSockets): Promise<void> {
  receiver.socket.removeAllListeners("message");
  await Promise.all(
    [receiver, sender].map((socket) => new Promise<void>((resolve) => closeQuietly(socket, resolve))),
  );
}

/** Waiting would not help. */
function isFinal(error: unknown): boolean {
  const code = (error as { code?: string }).code;
  return code === "EACCES" || code === "EPERM" || code === "EADDRINUSE" || error instanceof EnvironmentError;
}

function openError({ description, port, device }: GroupSettings, cause: unknown): EnvironmentError {
  const cannot = `Cannot open medium "${description}":`;
  if (cause instanceof EnvironmentError) {
    return new EnvironmentError(`${cannot} ${cause.message.replace(/^C/, "c")}`, cause.exitCode, { cause });
  }
  return (cause as { code?: string }).code === "EADDRINUSE"
    ? new EnvironmentError(
      `${cannot} UDP port ${port} of ${device} is in use by a program that does not share it; stop it or set another port`,
      69,
      { cause },
    )
    : new EnvironmentError(
      `${cannot} no permission to listen on UDP port ${port}; run as root, or set a port of 1024 or more`,
      77,
      { cause },
    );
}
