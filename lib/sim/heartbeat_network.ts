/**
 * The heartbeat links: one directed path per (sender, medium, receiver), each with its own delay, loss, copies and
 * cuts. Decides from chance which packets arrive when; a delay that varies more than the packets' distance reorders
 * them.
 */

import type { Input, MessageInput } from "../core/inputs.ts";
import type { EventQueue, Task } from "./event_queue.ts";
import type { Prng } from "../core/prng.ts";
import { fates, goodLink, type LinkQuality, type PathMemory } from "./link_quality.ts";
import type { Passage } from "./wiring.ts";

export { goodLink, type LinkQuality } from "./link_quality.ts";

/** Packets kept for replays. Too low: only recent ones can be replayed. Too high: memory of the simulator. */
const recordedMax = 4_000;

/** What a heartbeat takes as text, and what each group adds to it, as `config/checks/links.ts` counts them. */
const heartbeatBytes = 500;
const groupBytes = 150;

/** What is sent; the medium is added for each. */
export type Packet = Omit<MessageInput, "medium" | "kind">;

export type Deliver = (to: string, input: Input) => void;

/** What became of one packet on one path. */
export interface PacketRecord {
  readonly from: string;
  readonly medium: string;
  readonly to: string;
  readonly type: string;
  /** Of the sender's run: its numbers begin anew with each. */
  readonly generation: number;
  readonly sequence: number | null;
  readonly sentMs: number;
  /** `null`: it was lost. */
  readonly arrivedMs: number | null;
}

export interface NetworkOptions {
  /** Of a medium, when nothing is wrong with it. */
  readonly usual?: (medium: string) => LinkQuality;
  readonly passage?: (from: string, medium: string, to: string) => Passage;
}

interface Path extends PathMemory {
  readonly from: string;
  readonly medium: string;
  readonly to: string;
  readonly passage: Passage;
  readonly usual: LinkQuality;
  quality: LinkQuality;
  changedMs: number;
}

export class HeartbeatNetwork {
  /** Told what becomes of each packet. Telling changes nothing. */
  onPacket: ((packet: PacketRecord) => void) | null = null;
  readonly #paths: readonly Path[];
  /** By sender, in the order of media and receivers. */
  readonly #from = new Map<string, readonly Path[]>();
  /** Somebody records packets, to send them again later. Nobody does unless a replay is planned: it costs memory. */
  isRecording = false;
  /** A ring: `#recordedCount` tells where the next one goes. */
  readonly #recorded: Packet[] = [];
  #recordedCount = 0;

  constructor(
    readonly nodes: readonly string[],
    readonly media: readonly string[],
    readonly queue: EventQueue,
    readonly random: Prng,
    readonly deliver: Deliver,
    { usual = () => goodLink, passage = () => ({ kind: "open" }) }: NetworkOptions = {},
  ) {
    for (const from of nodes) {
      const paths = media.flatMap((medium) =>
        nodes.filter((to) => to !== from).map((to): Path => ({
          from,
          medium,
          to,
          passage: passage(from, medium, to),
          usual: usual(medium),
          quality: usual(medium),
          isBad: false,
          busyUntilMs: 0,
          changedMs: 0,
        }))
      );
      this.#from.set(from, paths);
    }
    this.#paths = [...this.#from.values()].flat();
  }

  heal(): void {
    this.restore(null, null, null);
  }

  /** Changes all directed paths that match; `null` matches every one. */
  set(from: string | null, medium: string | null, to: string | null, quality: Partial<LinkQuality>): void {
    for (const path of this.#matching(from, medium, to)) this.#change(path, { ...path.quality, ...quality });
  }

  /** All directed paths that match are as usual again. */
  restore(from: string | null, medium: string | null, to: string | null): void {
    for (const path of this.#matching(from, medium, to)) this.#change(path, path.usual);
  }

  /** What one directed path is like now. */
  quality(from: string, medium: string, to: string): LinkQuality {
    return this.#from.get(from)?.find((path) => path.medium === medium && path.to === to)?.quality ??
      goodLink;
  }

  /** When anything between two nodes was last changed, in either direction. */
  changedMs(one: string, other: string): number {
    const paths = [...this.#matching(one, null, other), ...this.#matching(other, null, one)];
    return Math.max(0, ...paths.map(({ changedMs }) => changedMs));
  }

  /** Sends one packet on all media to all other nodes. */
  send(from: string, packet: Packet): void {
    if (this.isRecording) this.#recorded[this.#recordedCount++ % recordedMax] = packet;
    let input: MessageInput | null = null;
    for (const path of this.#from.get(from)!) {
      if (path.passage.kind === "none") continue;
      if (input === null || input.medium !== path.medium) {
        input = { kind: "message", medium: path.medium, ...packet };
      }
      this.#carry(path, input);
    }
  }

  /** Somebody who recorded a packet sends it again, from anywhere, on any medium. `null`: none was recorded. */
  replay(to: string, age: number): MessageInput | null {
    const back = 1 + Math.floor(age * this.#recorded.length);
    const packet = this.#recorded[(this.#recordedCount - back) % recordedMax];
    if (packet === undefined) return null;
    const replayed: MessageInput = { kind: "message", medium: this.random.pick(this.media), ...packet };
    // One that was never heard is news, although nothing came from its sender.
    for (const path of this.#matching(packet.message.source, null, null)) path.changedMs = this.queue.nowMs;
    this.queue.in(0.1, () => this.deliver(to, replayed));
    return replayed;
  }

  #matching(from: string | null, medium: string | null, to: string | null): readonly Path[] {
    return this.#paths.filter((path) =>
      (from === null || path.from === from) && (medium === null || path.medium === medium) &&
      (to === null || path.to === to)
    );
  }

  #change(path: Path, quality: LinkQuality): void {
    path.quality = quality;
    path.changedMs = this.queue.nowMs;
  }

  #carry(path: Path, input: MessageInput): void {
    const sentMs = this.queue.nowMs;
    const bytes = path.quality.bitsPerSecond ? sizeOf(input) : 0;
    const delays = path.passage.kind === "nowhere"
      ? []
      : fates(path.quality, path, bytes, sentMs, this.random);
    if (delays.length === 0) this.tell(path, input, sentMs, null);
    for (const delayMs of delays) {
      this.queue.put(sentMs + delayMs, new Arrival(this, path, input, sentMs));
    }
  }

  /** What became of a packet, to whoever wants to know. */
  tell(
    { from, medium, to }: Path,
    { message }: MessageInput,
    sentMs: number,
    arrivedMs: number | null,
  ): void {
    const { type, generation, sequence } = message;
    this.onPacket?.({ from, medium, to, type, generation, sequence, sentMs, arrivedMs });
  }
}

/** A packet under way; one whose path is cut meanwhile is lost. */
class Arrival implements Task {
  constructor(
    readonly network: HeartbeatNetwork,
    readonly path: Path,
    readonly input: MessageInput,
    readonly sentMs: number,
  ) {}

  run(): void {
    const { network, path, input, sentMs } = this;
    const isLost = path.quality.isCut;
    if (network.onPacket !== null) network.tell(path, input, sentMs, isLost ? null : network.queue.nowMs);
    if (!isLost) network.deliver(path.to, arriving(path, input));
  }
}

/** As the receiver's reader of packets hands it on. */
function arriving({ passage, medium, from }: Path, input: MessageInput): Input {
  if (passage.kind !== "refused") return input;
  return { kind: "refused", medium, reason: passage.reason, detail: passage.detail, from, count: 1 };
}

function sizeOf({ message, statement }: MessageInput): number {
  const groups = statement === null ? 0 : Object.keys(statement.groups).length;
  let bytes = heartbeatBytes + groups * groupBytes;
  for (const { value } of message.message.fields) bytes += typeof value === "string" ? value.length : 0;
  return bytes;
}
