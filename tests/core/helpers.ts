/** Small makers for tests of the core. */

import { AlarmBook } from "../../lib/core/alarms.ts";
import { Context } from "../../lib/core/context.ts";
import type { Instant } from "../../lib/core/instant.ts";
import type { ResourceOutcome } from "../../lib/core/inputs.ts";
import type { GroupStatement, Statement } from "../../lib/wire/statement.ts";

export const at = (ms: number) => ms as Instant;

export function contextAt(ms: number): Context {
  return new Context(new AlarmBook(), at(ms));
}

export function outcome(result: ResourceOutcome["result"], code: number | null = 0): ResourceOutcome {
  return { kind: "resource", result, code, reason: "", output: [], durationMs: 1 };
}

export function groupStatement(part: Partial<GroupStatement> = {}): GroupStatement {
  return { state: "stopped", epoch: 0, able: true, wants: false, leaseSeconds: 1, pin: null, ...part };
}

export function statement(part: Partial<Statement> = {}): Statement {
  return {
    dialect: 1,
    version: "test",
    settingsHash: "same",
    phase: "settled",
    settledForMs: 1_000,
    media: [],
    hears: {},
    groups: {},
    maintenance: { on: false, version: 0 },
    ...part,
  };
}
