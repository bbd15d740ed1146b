/**
 * Notices that this node stood still, from the age of its own last heartbeat: stopped, starved or suspended, others may
 * have taken over. It must be asked before anything else in a step, and never call a real stall a late wake.
 */

import type { Context } from "./context.ts";
import { stallMs } from "./limits.ts";
import type { Keeper } from "./ownership/keeper.ts";
import { mayHold } from "./ownership/placement.ts";
import type { Timing } from "./settings.ts";

/**
 * Reports what it notices, and returns whether everything must be given up. Alone in its cluster a node has no rival;
 * a peer that said goodbye is one: it may have come back meanwhile.
 */
export function noticeStall(
  context: Context,
  silentMs: number,
  timing: Timing,
  hasPeers: boolean,
  keepers: readonly Keeper[],
): boolean {
  if (silentMs <= Math.min(timing.warnTimeMs, stallMs(timing) - 1)) return false;
  if (silentMs < stallMs(timing) || !hasPeers) {
    context.report("warning", "late-wake", `this node woke late: ${silentMs} ms since its last heartbeat`, {
      silentMs,
    });
    return false;
  }
  const held = keepers.filter((keeper) => mayHold(keeper.machine.state)).map((keeper) => keeper.name);
  const consequence = held.length > 0 ? `giving up ${held.join(", ")}` : "holding nothing";
  context.report(
    "warning",
    "stalled",
    `this node stood still: ${silentMs} ms since its last heartbeat; others may have taken over; ${consequence}, ` +
      "listening before judging anybody",
    { silentMs },
  );
  return true;
}
