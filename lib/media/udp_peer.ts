/** Sends packets from one socket to one peer, or group, and counts what became of them. */

import type { DatagramSender } from "../system/datagram_sender.ts";
import { Errno } from "../system/errno.ts";
import { internetSocketAddress } from "../system/socket.ts";
import type { MediumCounters } from "./medium.ts";

/** The network takes nothing for the moment: the packet is lost, and tells nothing of the path. */
const isFull: readonly number[] = [Errno.EAGAIN, Errno.ENOBUFS];

export class UdpPeer {
  /** Failed sends in a row. */
  failures = 0;
  readonly #destination: Uint8Array;

  constructor(
    readonly sender: DatagramSender,
    readonly address: string,
    port: number,
    readonly counters: MediumCounters,
    /** Called after every send with the error number; 0: it went out. */
    readonly sent: (peer: UdpPeer, code: number) => void,
  ) {
    this.#destination = internetSocketAddress(address, port);
  }

  send(packet: Uint8Array): void {
    const code = this.sender.send(packet, this.#destination);
    if (code === 0) {
      this.counters.sentPackets++;
      this.counters.sentBytes += packet.length;
      this.failures = 0;
    } else {
      this.counters.sendErrors++;
      // "Nobody listens there" comes from the peer's machine: the path carries, only its daemon does not run.
      if (code === Errno.ECONNREFUSED) this.failures = 0;
      else if (!isFull.includes(code)) this.failures++;
    }
    this.sent(this, code);
  }
}
