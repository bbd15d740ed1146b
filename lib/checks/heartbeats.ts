/**
 * Counts the heartbeats that were heard on links, by sender: with the key each is verified, without one the sender is
 * believed for what it is worth. Packets that are none are not counted. Pure.
 */

import type { Authentication } from "../core/settings.ts";
import { text } from "../wire/message.ts";
import { decode, open } from "../wire/packet.ts";
import type { HeartbeatHeard, SourceName } from "./evidence.ts";

/** Senders that are told apart, so that a stranger with many names costs no memory. */
const sendersMax = 64;

export class HeartbeatTally {
  readonly #heard = new Map<string, HeartbeatHeard>();

  constructor(readonly authentication: Authentication | null, readonly source: SourceName) {}

  /** `atMs`: when it was heard, on the clock of `evidence`. `isPrivate`: a wire that nobody else is on. */
  add(link: string, packet: Uint8Array, isPrivate: boolean, atMs: number): void {
    const sender = this.#read(packet, isPrivate);
    if (sender === null) return;
    const { node, isAuthentic, refusal } = sender;
    const key = `${link} ${node} ${isAuthentic} ${refusal}`;
    const known = this.#heard.get(key);
    if (known === undefined && this.#heard.size >= sendersMax) return;
    const count = (known?.count ?? 0) + 1;
    const { source } = this;
    this.#heard.set(key, {
      ...{ kind: "heartbeat", source, subject: link, ageMs: atMs, node, count, isAuthentic, refusal },
    });
  }

  /** `nowMs`: on the clock of `add`. */
  evidence(nowMs: number): HeartbeatHeard[] {
    return [...this.#heard.values()].map((heard) => ({ ...heard, ageMs: Math.round(nowMs - heard.ageMs) }));
  }

  #read(
    packet: Uint8Array,
    isPrivate: boolean,
  ): Pick<HeartbeatHeard, "node" | "isAuthentic" | "refusal"> | null {
    const decoded = decode(packet);
    if (!decoded.ok) return null;
    const node = text(decoded.message, "src")?.toLowerCase();
    if (node === undefined) return null;
    if (this.authentication === null) return { node, isAuthentic: null, refusal: null };
    const opened = open(packet, { authentication: this.authentication, isPrivate });
    return { node, isAuthentic: opened.ok, refusal: opened.ok ? null : opened.refusal };
  }
}
