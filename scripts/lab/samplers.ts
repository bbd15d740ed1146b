/**
 * Looks at the laboratory while things happen to it, with one monotonic clock: who holds the address, and what a
 * client sees. Each looks from a thread of its own and notes the longest that it did not look.
 */

import { EnvironmentError } from "../../lib/errors.ts";
import { inNetworkNamespace, networkNamespacePath } from "../../lib/system/namespaces.ts";
import { Netlink } from "../../lib/system/netlink.ts";
import type { Lab } from "./lab.ts";
import { CLIENT } from "./network.ts";
import { Observation, type ObservationTask } from "./observation.ts";
import type { HolderChange, HolderTimeline } from "./timeline.ts";

/** Shorter costs a core; longer hides a short overlap. */
const INTERVAL_MS = 5;
/** Too low: a loaded machine fails a sound test. Too high: a broken thread blocks the laboratory for as long. */
const START_LIMIT_MS = 10_000;
const STOP_LIMIT_MS = 1000;

/** A thread that fills an observation until it is stopped. */
class Observer {
  readonly observation = new Observation();
  readonly #worker: Worker;
  #isStopped = false;

  /** Answers after the first look. */
  constructor(task: DistributiveOmit<ObservationTask, "memory">) {
    this.#worker = new Worker(new URL("./observer_worker.ts", import.meta.url).href, { type: "module" });
    this.#worker.postMessage({ ...task, memory: this.observation.memory });
    if (this.observation.waitForFirstLook(START_LIMIT_MS)) return;
    this.stop();
    throw new EnvironmentError(`Cannot observe ${task.address}: the observing thread does not start`);
  }

  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.observation.stopAndWait(STOP_LIMIT_MS);
    this.#worker.terminate();
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** Samples which nodes hold an address. */
export class HolderSampler {
  readonly #nodes: readonly string[];
  readonly #readers: readonly Netlink[];
  readonly #observer: Observer;

  constructor(lab: Lab, readonly address: string, intervalMs = INTERVAL_MS) {
    this.#nodes = lab.nodes;
    const namespaces = lab.nodes.map((node) => networkNamespacePath(lab.network.namespace(node)));
    this.#readers = namespaces.map((path) => inNetworkNamespace(path, () => Netlink.open()));
    this.#observer = new Observer({ kind: "holders", namespaces, address, intervalMs });
  }

  /** Looks now, beside the thread; answers who holds the address. */
  sample(): readonly string[] {
    const family = this.address.includes(":") ? 6 : 4;
    return this.#nodes.filter((_, index) =>
      this.#readers[index]?.addresses(family).some(({ address }) => address === this.address)
    );
  }

  /** What the thread has seen so far. */
  timeline(): HolderTimeline {
    const { observation } = this.#observer;
    const changes: HolderChange[] = [];
    for (let index = 0; index + 1 < observation.length; index += 2) {
      const holders = observation.at(index + 1);
      changes.push({
        atMs: observation.at(index),
        holders: this.#nodes.filter((_, bit) => (holders & (1 << bit)) !== 0),
      });
    }
    return {
      fromMs: changes[0]?.atMs ?? observation.lastAtMs,
      toMs: observation.lastAtMs,
      changes,
      samples: observation.looks,
      samplingGapMaxMs: observation.gapMaxMs,
    };
  }

  stop(): HolderTimeline {
    this.#observer.stop();
    for (const netlink of this.#readers) netlink.close();
    return this.timeline();
  }
}

/** Pings the address from the client's namespace, and notes when replies come. */
export class ClientPinger {
  readonly #observer: Observer;

  constructor(lab: Lab, readonly address: string, intervalMs = INTERVAL_MS) {
    const namespace = networkNamespacePath(lab.network.namespace(CLIENT));
    this.#observer = new Observer({ kind: "ping", namespace, address, intervalMs });
  }

  get sent(): number {
    return this.#observer.observation.sent;
  }

  get received(): number {
    return this.#observer.observation.length;
  }

  /** Instant of the latest reply; `null`: none yet. */
  get lastReplyAtMs(): number | null {
    const { observation } = this.#observer;
    return observation.length === 0 ? null : observation.at(observation.length - 1);
  }

  /** The longest that this pinger itself did not look: what an outage may be too long by. */
  get pollGapMaxMs(): number {
    return this.#observer.observation.gapMaxMs;
  }

  /**
   * The longest time between two consecutive replies of which a part lies in the window; one interval is included.
   * Before the first and after the last reply the window's own ends count.
   */
  outageMs(fromMs: number, toMs: number): number {
    const { observation } = this.#observer;
    let longestMs = 0;
    let lastMs = fromMs;
    for (let index = 0; index < observation.length; index++) {
      const atMs = observation.at(index);
      if (atMs > fromMs) longestMs = Math.max(longestMs, atMs - lastMs);
      lastMs = atMs;
      if (atMs >= toMs) return longestMs;
    }
    return Math.max(longestMs, toMs - Math.max(lastMs, fromMs));
  }

  stop(): void {
    this.#observer.stop();
  }
}
