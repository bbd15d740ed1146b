/** Answers from a socket to whoever sent something to it. An answer that cannot be sent is lost: it is owed to nobody. */

import type { DatagramSender } from "../system/datagram_sender.ts";
import { internetSocketAddress } from "../system/socket.ts";
import type { MediumCounters } from "./medium.ts";

export class UdpReplies {
  constructor(readonly sender: DatagramSender, readonly counters: MediumCounters) {}

  send(packet: Uint8Array, { address, port }: { readonly address: string; readonly port: number }): void {
    if (this.sender.send(packet, internetSocketAddress(address, port)) === 0) {
      this.counters.sentPackets++;
      this.counters.sentBytes += packet.length;
    } else this.counters.sendErrors++;
  }
}
