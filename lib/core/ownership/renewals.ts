/**
 * Renews the leases of what this node holds: with its heartbeat and never without, and never by a contact so old that
 * another node may take over before the lease is over.
 */

import type { Context } from "../context.ts";
import type { Keeper } from "./keeper.ts";
import { mayHold } from "./placement.ts";
import type { Surroundings } from "./surroundings.ts";

export function renewLeases(
  context: Context,
  keepers: readonly Keeper[],
  mayRenew: Surroundings["mayRenew"],
): void {
  for (const keeper of keepers) {
    if (!keeper.claim.hasAddress || context.dropped.has(keeper.name)) continue;
    // What an earlier life left is not kept alive: it is about to be stopped.
    if (!mayHold(keeper.machine.state) || keeper.machine.state === "unknown") continue;
    if (!mayRenew(keeper.claim.leaseSeconds)) continue;
    context.emit({ kind: "renew", group: keeper.name });
    keeper.returns.renewed(context.now);
  }
}
