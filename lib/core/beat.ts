/**
 * The heartbeat: builds the `status` message with our statement (protocol reference 7.2 and `lib/wire/statement.ts`).
 * Leases are renewed before it is sent, never after: what it tells of must already be so.
 */

import type { Instant } from "./instant.ts";
import type { Roster } from "./membership/roster.ts";
import type { Draft } from "./messaging/outbox.ts";
import type { Keeper } from "./ownership/keeper.ts";
import { leaseSlackMs } from "./limits.ts";
import type { Timing } from "./settings.ts";
import type { Surroundings } from "./ownership/surroundings.ts";
import { dialect, type GroupStatement, type MediumStatement, type Statement } from "../wire/statement.ts";

export interface BeatIdentity {
  readonly version: string;
  readonly settingsHash: string;
}

/** `st` of the Heartbeat protocol: `up` until communication is established, then `active`. */
function protocolStatus(statement: Statement): string {
  return statement.phase === "joining" ? "up" : "active";
}

export function statementOf(
  identity: BeatIdentity,
  now: Instant,
  media: readonly MediumStatement[],
  roster: Roster,
  keepers: readonly Keeper[],
  surroundings: Surroundings,
  clock: number,
  sentMs: number,
): Statement {
  const groups: Record<string, GroupStatement> = Object.create(null);
  for (const keeper of keepers) groups[keeper.name] = keeper.statement(surroundings);
  return {
    dialect,
    version: identity.version,
    settingsHash: identity.settingsHash,
    phase: surroundings.phase,
    settledForMs: surroundings.settledForMs,
    media,
    hears: roster.hears(now),
    groups,
    maintenance: surroundings.directives.maintenance,
    clock,
    sentMs,
  };
}

/**
 * The dead time that we ask others to apply to us. A Heartbeat daemon asks no wire: it takes over when what we ask for
 * is over. Our leases must be over by then.
 */
export function askedDeadTimeMs(
  timing: Timing,
  keepers: readonly Keeper[],
  isHeartbeatThere: boolean,
): number {
  if (!isHeartbeatThere) return timing.deadTimeMs;
  const leases = keepers.map(({ claim }) => claim.leaseSeconds).filter((seconds) => seconds > 0);
  return Math.max(timing.deadTimeMs, ...leases.map((seconds) => seconds * 1_000 + leaseSlackMs));
}

/**
 * The status message that carries a statement. `protocol` says that we acknowledge messages and want ours acknowledged
 * (protocol reference 6.5). `dt` is hexadecimal milliseconds (protocol reference 3).
 */
export function statusMessage(statement: Statement, deadTimeMs: number, isAcknowledging: boolean): Draft {
  const fields: [string, string][] = [["st", protocolStatus(statement)], ["dt", deadTimeMs.toString(16)]];
  if (isAcknowledging) fields.push(["protocol", "1"]);
  return { type: "status", fields, statement };
}
