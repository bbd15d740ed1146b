/**
 * A short fingerprint of what a step decided, so that a replay can prove that it decides the same. Not cryptographic:
 * it guards against a core that changed, a record that was lost and a clock that was read, not against forgers.
 */

import type { Effect } from "../effects.ts";

/** 0 exactly for no effects, which is what most steps have; else 32 bits (FNV-1a over the effects as text). */
export function digestOf(effects: readonly Effect[]): number {
  if (effects.length === 0) return 0;
  const text = JSON.stringify(effects);
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0 || 1;
}
