/**
 * Judges a sequenced message of a known peer by generation and number, whatever its type (protocol reference 6.2), and
 * notes on which link it came. It must never let the same message through twice, nor one of an earlier run.
 */

import type { Instant } from "../instant.ts";
import type { MessageInput } from "../inputs.ts";
import type { Peer } from "../membership/peer.ts";
import type { SequenceVerdict } from "./sequencing.ts";

export type Reception =
  | SequenceVerdict
  /** Of a run that no heartbeat has made known: only a heartbeat does that. */
  | "unknown-run";

export function receive(now: Instant, peer: Peer, { message, medium, statement }: MessageInput): Reception {
  const { tracker } = peer;
  const { type, generation } = message;
  const sequence = message.sequence!;
  const isHeartbeat = type === "status";
  if (!isHeartbeat && (tracker.generation === null || generation > tracker.generation)) return "unknown-run";
  const verdict = tracker.judge(generation, sequence);
  if (verdict === "old-generation") return verdict;
  const link = peer.link(medium);
  const isNews = link?.hear(now, generation, sequence, tracker.wasAsked(sequence)) ?? false;
  if (isNews && isHeartbeat) link!.timing.hearBeat(now, sequence, statement?.sentMs);
  return verdict;
}
