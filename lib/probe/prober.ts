/**
 * One way to ask a far end and to hear its answer: what all of `icmp`, `udp`, `tcp`, `serial` and a daemon's own links
 * have in common. A
 * prober counts and judges nothing; it hands over answers with the instant at which they came.
 */

import type { Answer } from "../measure/series.ts";

export interface Prober {
  readonly kind: "icmp" | "udp" | "tcp" | "serial" | "link";
  /** What is measured, for people: `udp 10.0.0.2:694`. */
  readonly description: string;
  /** The interface that it leaves by; `null`: none, or not known. */
  readonly device: string | null;
  /** Why round trips are longer here than on the wire; `null`: they are not. */
  readonly caveat: string | null;
  /** Rejects with an environment error. `answered` is called once for each answer, copies included. */
  open(answered: (answer: Answer, from: string) => void): Promise<void>;
  /** Asks; `false`: this machine itself refused to send. Never blocks, never throws. */
  ask(number: number): boolean;
  close(): Promise<void>;
}

/** Told of another path of the same measurement: its number, and how many of its questions the far end heard. */
export type HeardElsewhere = (path: number, count: number) => void;
