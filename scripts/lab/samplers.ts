/**
 * Looks at the laboratory while things happen to it, with one monotonic clock: who holds the address, and what a
 * client sees. Both run in the laboratory's own thread and note how late they were themselves.
 */

import { Buffer } from "node:buffer";
import { monotonicMs } from "../../lib/system/clock.ts";
import { EchoSocket } from "../../lib/system/icmp.ts";
import { inNetworkNamespace, networkNamespacePath } from "../../lib/system/namespaces.ts";
import { Netlink } from "../../lib/system/netlink.ts";
import type { Lab } from "./lab.ts";
import { CLIENT } from "./network.ts";
import type { HolderChange, HolderTimeline } from "./timeline.ts";

/** Shorter costs a core; longer hides a short overlap. */
const INTERVAL_MS = 5;
/** Replies are looked for this often: the error of an outage's end. */
const POLL_MS = 1;

/** Samples which nodes hold an address, through one netlink socket per node. */
export class HolderSampler {
  readonly #readers: ReadonlyArray<readonly [node: string, netlink: Netlink]>;
  readonly #changes: HolderChange[] = [];
  readonly #timer: ReturnType<typeof setInterval>;
  #lastAtMs: number | null = null;
  #samplingGapMaxMs = 0;
  #samples = 0;

  constructor(lab: Lab, readonly address: string, intervalMs = INTERVAL_MS) {
    this.#readers = lab.nodes.map((node) => {
      const path = networkNamespacePath(lab.network.namespace(node));
      return [node, inNetworkNamespace(path, () => Netlink.open())];
    });
    this.sample();
    this.#timer = setInterval(() => this.sample(), intervalMs);
  }

  /** Looks now; answers who holds the address. */
  sample(): readonly string[] {
    const family = this.address.includes(":") ? 6 : 4;
    const holders = this.#readers
      .filter(([, netlink]) => netlink.addresses(family).some(({ address }) => address === this.address))
      .map(([node]) => node);
    const atMs = monotonicMs();
    this.#samplingGapMaxMs = Math.max(this.#samplingGapMaxMs, atMs - (this.#lastAtMs ?? atMs));
    this.#lastAtMs = atMs;
    this.#samples++;
    const last = this.#changes.at(-1);
    if (last === undefined || last.holders.join() !== holders.join()) this.#changes.push({ atMs, holders });
    return holders;
  }

  /** What has been seen so far. */
  timeline(): HolderTimeline {
    const fromMs = this.#changes[0]?.atMs ?? monotonicMs();
    return {
      fromMs,
      toMs: this.#lastAtMs ?? fromMs,
      changes: [...this.#changes],
      samples: this.#samples,
      samplingGapMaxMs: this.#samplingGapMaxMs,
    };
  }

  stop(): HolderTimeline {
    clearInterval(this.#timer);
    for (const [, netlink] of this.#readers) netlink.close();
    return this.timeline();
  }
}

/** Pings the address from the client's namespace, and notes when replies come. */
export class ClientPinger {
  readonly #socket: EchoSocket;
  readonly #identifier = 1 + Math.floor(Math.random() * 0xfffe);
  readonly #timers: ReadonlyArray<ReturnType<typeof setInterval>>;
  readonly #repliesAtMs: number[] = [];
  #sent = 0;
  #lastPollAtMs: number | null = null;
  #pollGapMaxMs = 0;

  constructor(lab: Lab, readonly address: string, intervalMs = INTERVAL_MS) {
    const family = address.includes(":") ? 6 : 4;
    const path = networkNamespacePath(lab.network.namespace(CLIENT));
    this.#socket = inNetworkNamespace(path, () => EchoSocket.open(family));
    this.#timers = [
      setInterval(
        () => this.#socket.send(address, this.#identifier, this.#sent++ & 0xffff, Buffer.alloc(8)),
        intervalMs,
      ),
      setInterval(() => this.#poll(), POLL_MS),
    ];
  }

  get sent(): number {
    return this.#sent;
  }

  get received(): number {
    return this.#repliesAtMs.length;
  }

  /** Instant of the latest reply; `null`: none yet. */
  get lastReplyAtMs(): number | null {
    return this.#repliesAtMs.at(-1) ?? null;
  }

  /** The longest that this pinger itself did not look: what an outage may be too long by. */
  get pollGapMaxMs(): number {
    return this.#pollGapMaxMs;
  }

  /**
   * The longest time between two consecutive replies of which a part lies in the window; one interval is included.
   * Before the first and after the last reply the window's own ends count.
   */
  outageMs(fromMs: number, toMs: number): number {
    const before = this.#repliesAtMs.findLast((atMs) => atMs <= fromMs) ?? fromMs;
    const after = this.#repliesAtMs.find((atMs) => atMs >= toMs) ?? toMs;
    const instants = [before, ...this.#repliesAtMs.filter((atMs) => atMs > fromMs && atMs < toMs), after];
    return Math.max(...instants.slice(1).map((atMs, index) => atMs - (instants[index] ?? atMs)));
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#socket.close();
  }

  #poll(): void {
    const atMs = monotonicMs();
    this.#pollGapMaxMs = Math.max(this.#pollGapMaxMs, atMs - (this.#lastPollAtMs ?? atMs));
    this.#lastPollAtMs = atMs;
    for (const reply of this.#socket.poll()) {
      if (reply.identifier === this.#identifier && reply.from === this.address) this.#repliesAtMs.push(atMs);
    }
  }
}
