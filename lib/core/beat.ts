/**
 * The heartbeat: builds the `status` message with our statement (protocol reference 7.2 and `lib/wire/statement.ts`).
 * Leases are renewed before it is sent, never after: what it tells of must already be so.
 */

import type { Effect } from "./effects.ts";
import type { Instant } from "./instant.ts";
import type { Roster } from "./membership/roster.ts";
import type { Keeper } from "./ownership/keeper.ts";
import type { Surroundings } from "./ownership/surroundings.ts";
import {
  dialect,
  type GroupStatement,
  type MediumStatement,
  type Statement,
  statementField,
} from "../wire/statement.ts";
import { writeStatement } from "../wire/statement_codec.ts";

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
  };
}

/**
 * The status message that carries a statement. Without the field `protocol` a Heartbeat daemon expects no
 * acknowledgements from us (protocol reference 6.5). `dt` is hexadecimal milliseconds (protocol reference 3). */
export function statusMessage(statement: Statement, sequence: number, deadTimeMs: number): Effect {
  return {
    kind: "send",
    type: "status",
    sequence,
    fields: [
      ["st", protocolStatus(statement)],
      ["dt", deadTimeMs.toString(16)],
      [statementField, writeStatement(statement)],
    ],
  };
}
