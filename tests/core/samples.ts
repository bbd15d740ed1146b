/** Whole settings, statements and messages with sensible values, for tests that care about one of them. */

import type { Effect, EffectId, ReportEffect } from "../../lib/core/effects.ts";
import type { MessageInput } from "../../lib/core/inputs.ts";
import type { FencingSettings, GroupSettings, Settings, Timing } from "../../lib/core/settings.ts";
import { type ClusterOutline, clusterSettings, type GroupOutline } from "../../lib/sim/cluster_settings.ts";
import { stringField } from "../../lib/wire/message.ts";
import type { GroupStatement, HearsStatement, Statement } from "../../lib/wire/statement.ts";
import { groupStatement, statement as plainStatement } from "./helpers.ts";

export { at, contextAt, outcome } from "./helpers.ts";

export const timing: Timing = { keepaliveMs: 200, deadTimeMs: 1_000, warnTimeMs: 500, initDeadMs: 2_000 };

export const id = (number: number): EffectId => number as EffectId;

/** Three nodes on two links, unless told otherwise. */
export function settings(outline: Partial<ClusterOutline> = {}): Settings {
  return clusterSettings({
    nodes: ["n1", "n2", "n3"],
    links: 2,
    timing,
    groups: [{ name: "web", resources: [{ leaseSeconds: 1 }] }],
    ...outline,
  });
}

/** One device that can switch off every node, or those that are named. */
export function fencing(
  part: Partial<FencingSettings> = {},
  nodes: readonly string[] = ["n1", "n2", "n3"],
): FencingSettings {
  const ports = Object.fromEntries(nodes.map((node) => [node, null]));
  const device = { name: "pdu", agent: "fence_dummy", ports, options: {}, limitMs: 5_000 };
  return { devices: [device], action: "off", delayMs: {}, retryMs: 2_000, ...part };
}

/** One group `web` of the nodes n1, n2, n3; of three scripts, unless told otherwise. */
export function group(outline: Partial<GroupOutline> = {}): GroupSettings {
  const groups = [{ name: "web", resources: ["script", "script", "script"] as const, ...outline }];
  return settings({ groups }).groups[0]!;
}

export const stopped: GroupStatement = groupStatement();

/** Of a settled node with two links that hears nobody and holds nothing of `web`. */
export function statement(parts: Partial<Statement> = {}): Statement {
  const media = [{ name: "hb0", address: null }, { name: "hb1", address: null }];
  return plainStatement({ settledForMs: 60_000, media, groups: { web: stopped }, ...parts });
}

export function hears(
  node: string,
  generation: number,
  sequence: number,
  on: readonly number[] = [0, 1],
): Record<string, HearsStatement> {
  return { [node]: { generation, sequence, on } };
}

export interface MessageParts {
  readonly source?: string;
  readonly generation?: number;
  readonly sequence?: number | null;
  readonly type?: string;
  readonly medium?: string;
  readonly deadTime?: string;
}

/** A status message of n2, as the messenger hands it over. */
export function message(parts: MessageParts, stated: Statement | null = statement()): MessageInput {
  const { source = "n2", generation = 10, sequence = 1, type = "status", medium = "hb0", deadTime = "3e8" } =
    parts;
  const fields = [stringField("t", type), stringField("dt", deadTime)];
  return {
    kind: "message",
    medium,
    message: { type, source, destination: null, generation, sequence, timestamp: 1, message: { fields } },
    statement: stated,
  };
}

/** The reports among effects, as `level code`. */
export function reports(effects: readonly Effect[]): string[] {
  return effects.filter((effect): effect is ReportEffect => effect.kind === "report")
    .map(({ level, code }) => `${level} ${code}`);
}

/** What is to be run, as `operation index`. */
export function runs(effects: readonly Effect[]): string[] {
  return effects.flatMap((effect) => effect.kind === "run" ? [`${effect.operation} ${effect.resource}`] : []);
}

/** Identifier of the last operation or question among effects. */
export function lastId(effects: readonly Effect[]): EffectId {
  const found = effects.findLast((effect) => effect.kind === "run" || effect.kind === "ask-wire");
  if (found === undefined || !("id" in found)) throw new Error("nothing with an id was to be done");
  return found.id;
}
