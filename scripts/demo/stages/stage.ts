/**
 * Where the demo plays: two nodes with their daemons and a client that watches the service. With root these are
 * network namespaces (`lab_stage.ts`), without it loopback addresses (`loopback_stage.ts`); the scenarios see no
 * other difference than `hardware`.
 *
 * A stage does what it is told and shows what is so; it judges nothing. `destroy` leaves nothing behind.
 */

import type { Ended } from "../../lab/run.ts";
import type { HolderTimeline } from "../../lab/timeline.ts";

export const NODES = ["node1", "node2"] as const;
export const GROUP = "web";
export const keepaliveMs = 200;
export const deadTimeMs = 1000;
/** How often the client asks. Its own delays come on top and are told with each figure. */
export const askIntervalMs = 5;

export type Mode = "namespaces" | "loopback";

export interface Stage {
  readonly mode: Mode;
  /** What was built, for the reader; lines of at most 78 columns. */
  readonly introduction: readonly string[];
  readonly links: readonly string[];
  /** What befalls machines and cables; `null`: not possible here. */
  readonly hardware: Hardware | null;
  /** Starts `heartline peer`. */
  start(node: string): void;
  /** SIGKILL to the daemon. */
  kill(node: string): Promise<void>;
  /** `ended`: although nobody stopped it. */
  daemon(node: string): "off" | "running" | "ended";
  /** Where the daemon's control socket is, as seen by the demo. */
  socketPath(node: string): string;
  /** Runs `heartline ARGS` on a node, as an operator would. */
  heartline(node: string, args: readonly string[]): Promise<Ended>;
  /** Everything that the daemons have said, in order of time. */
  lines(): ReadonlyArray<{ readonly node: string; readonly atMs: number; readonly line: string }>;
  /** Begins to watch the service; a fresh one for each scenario. */
  watchService(): ServiceWatch;
  destroy(): Promise<void>;
}

export interface Hardware {
  powerOff(node: string): Promise<void>;
  powerOn(node: string): Promise<void>;
  cut(node: string, link: string): Promise<void>;
  heal(node: string, link: string): Promise<void>;
  /** Nothing gets in or out of the node. */
  isolate(node: string): Promise<void>;
  rejoin(node: string): Promise<void>;
  /** Heartbeats pass on no link, everything else does. `null`: this kernel cannot do it. */
  readonly heartbeats: { stop(): Promise<void>; pass(): Promise<void> } | null;
}

/** What the client sees, and who really holds the service; the instants are of one monotonic clock. */
export interface ServiceWatch {
  /** Looks now. */
  holders(): readonly string[];
  timeline(): HolderTimeline;
  /** The longest time without an answer of which a part lies in the window. */
  outageMs(fromMs: number, toMs: number): number;
  /** Instant of the latest answer; `null`: none. */
  readonly lastAnswerAtMs: number | null;
  /** The longest that the client itself did not look: by so much an outage may be wrong. */
  readonly uncertaintyMs: number;
  stop(): void;
}

export function otherThan(node: string): string {
  return NODES.find((name) => name !== node) ?? node;
}
