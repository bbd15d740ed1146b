/** A medium without a network: what is sent is kept, and what "arrives" is handed in by the test. */

import type { Medium, MediumEvents } from "../../lib/media/medium.ts";

export class FakeMedium implements Medium {
  readonly description: string;
  readonly isPrivate = false;
  readonly counters = { sentPackets: 0, sentBytes: 0, sendErrors: 0, receivedPackets: 0, receivedBytes: 0 };
  readonly sent: Uint8Array[] = [];
  localAddress: string | null = "192.0.2.1";
  isOpen = false;
  events: MediumEvents | null = null;

  constructor(
    readonly name: string,
    readonly format: Medium["format"] = "any",
    readonly packetBytesMax = 65_507,
  ) {
    this.description = `fake ${name}`;
  }

  open(events: MediumEvents): Promise<void> {
    this.events = events;
    this.isOpen = true;
    return Promise.resolve();
  }

  send(packet: Uint8Array): void {
    this.sent.push(packet);
  }

  close(): Promise<void> {
    this.isOpen = false;
    return Promise.resolve();
  }

  /** What is replied to it counts as sent. */
  arrive(packet: Uint8Array, from = "192.0.2.2"): boolean | void {
    return this.events!.received(packet, from, (answer) => this.send(answer));
  }
}
