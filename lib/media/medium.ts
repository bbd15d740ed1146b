/**
 * One way to carry packets between nodes. The daemon sends every message on every medium and lets the core remove
 * the copies; a medium knows nothing of messages. All media pass the same conformance suite.
 */

export interface Medium {
  /** Name of the link as people know it: the interface or the device, `hb0`. */
  readonly name: string;
  /** What `open` was asked for, for messages: `ucast hb0 10.0.0.2`. */
  readonly description: string;
  /** Largest packet it takes, in bytes. */
  readonly packetBytesMax: number;
  /**
   * The encoding it carries: a serial line has no packets but those that the text encoding itself delimits. A medium
   * for `text` is handed text packets whatever the settings say of the others.
   */
  readonly format: "any" | "text";
  /** Only a serial line is a wire nobody else is on: there, `crc` suffices. */
  readonly isPrivate: boolean;
  /** Own address of the packets sent, of a serial line the device; `null` while the medium cannot carry anything. */
  readonly localAddress: string | null;
  /**
   * Opens the medium. Rejects with an environment error that names the medium, what is wrong and the next step.
   * `events.received` is called once for each packet; `events.failed` whenever the medium goes down after it was open
   * and `events.recovered` when it works again: a medium keeps trying by itself until closed.
   */
  open(events: MediumEvents): Promise<void>;
  /** Hands a packet to the network. Never throws, never blocks: what cannot be sent is counted and lost. */
  send(packet: Uint8Array): void;
  close(): Promise<void>;
  readonly counters: Readonly<MediumCounters>;
}

export type Reply = (packet: Uint8Array) => void;

export interface MediumEvents {
  /**
   * Answers `false` for a packet that was refused. A medium that strangers can connect to keeps those apart who never
   * sent anything else. `reply` sends to that one sender, with the manners of `send`, also later.
   */
  received(packet: Uint8Array, from: string, reply: Reply): boolean | void;
  failed(reason: string): void;
  recovered(): void;
}

export interface MediumCounters {
  sentPackets: number;
  sentBytes: number;
  sendErrors: number;
  receivedPackets: number;
  receivedBytes: number;
}

/** The counters of a medium that has carried nothing yet. */
export function noTraffic(): MediumCounters {
  return { sentPackets: 0, sentBytes: 0, sendErrors: 0, receivedPackets: 0, receivedBytes: 0 };
}
