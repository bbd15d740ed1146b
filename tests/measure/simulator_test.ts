/**
 * The price against the daemon's own core: how often the simulator's nodes take each other for dead on lossy links,
 * and how often the Markov chain says that they will.
 */

import assert from "node:assert/strict";
import { burstLoss, independentLoss, type LossModel } from "../../lib/measure/loss_model.ts";
import { mistakeRecurrenceMs } from "../../lib/measure/pricing.ts";
import { clusterSettings } from "../../lib/sim/cluster_settings.ts";
import type { LinkQuality } from "../../lib/sim/link_quality.ts";
import { Simulation } from "../../lib/sim/simulation.ts";

/** Between two heartbeats, so that it is not chance whether the one at its very end comes in time. */
const timing = { keepaliveMs: 200, deadTimeMs: 900 };
/** Virtual. */
const durationMs = 3_600_000;

interface Case {
  readonly name: string;
  readonly links: number;
  readonly quality: Partial<LinkQuality>;
  readonly models: readonly LossModel[];
  /** Of the expected count. The simulator's bursts are counted in packets: what is sent again on request ends them. */
  readonly shareMin: number;
}

const cases: readonly Case[] = [
  {
    name: "independent loss of 30 %",
    links: 1,
    quality: { lossRate: 0.3 },
    models: [independentLoss(0.3, timing.keepaliveMs)],
    shareMin: 0.8,
  },
  {
    name: "10 % lost in bursts of 3",
    links: 1,
    quality: { burst: { lossRate: 0.1, meanPackets: 3 } },
    models: [burstLoss(0.1, 3, timing.keepaliveMs)],
    shareMin: 0.65,
  },
  {
    name: "two links, each with 40 % lost in bursts of 4",
    links: 2,
    quality: { burst: { lossRate: 0.4, meanPackets: 4 } },
    models: [burstLoss(0.4, 4, timing.keepaliveMs), burstLoss(0.4, 4, timing.keepaliveMs)],
    shareMin: 0.5,
  },
];

/** How often a node lost sight of the other, which lived all the time. */
function falseAlarms({ links, quality }: Case, seed: number): number {
  const settings = clusterSettings({ nodes: ["n1", "n2"], links, timing, groups: [] });
  const simulation = new Simulation({ seed, settings })
    .at(5_000, { kind: "link", from: null, medium: null, to: null, quality })
    .run(5_000 + durationMs);
  return simulation.trace.entries.filter(({ code, level }) => code === "node-dead" && level === "alarm")
    .length;
}

for (const [index, each] of cases.entries()) {
  Deno.test(`the simulator's nodes take each other for dead as often as priced: ${each.name}`, () => {
    // Both directions.
    const expected = 2 * durationMs / mistakeRecurrenceMs(each.models, timing, 0.5);
    const counted = falseAlarms(each, 1 + index);
    assert.ok(expected > 150, `${expected} expected: too few to tell`);
    // The count's own deviation is below 8 %. A price may be pessimistic, and must not be optimistic.
    const share = counted / expected;
    assert.ok(share >= each.shareMin && share <= 1.2, `${counted} counted, ${expected.toFixed(0)} expected`);
  });
}
