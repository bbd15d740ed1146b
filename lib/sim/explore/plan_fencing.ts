/** Draws the fence devices of a random cluster, and what goes wrong with those that a configuration has. */

import type { FenceDeviceSettings, FencingSettings, Settings } from "../../core/settings.ts";
import type { Prng } from "../../core/prng.ts";
import type { FenceBehaviour } from "../fence_devices.ts";
import type { Draw } from "./plan_faults.ts";

/** A board controller for each node, and sometimes a switched power strip for all of them behind it. */
export function drawFencing(random: Prng, nodes: readonly string[]): FencingSettings {
  const device = (name: string, own: readonly string[]): FenceDeviceSettings => ({
    name,
    agent: "fence_sim",
    ports: Object.fromEntries(own.map((node) => [node, null])),
    options: {},
    limitMs: random.pick([1_000, 1_500]),
  });
  return {
    devices: [
      ...nodes.map((node) => device(`ilo-${node}`, [node])),
      ...random.chance(0.3) ? [device("strip", nodes)] : [],
    ],
    action: random.pick(["off", "reboot"]),
    delayMs: random.chance(0.5) ? { [nodes[0]!]: random.pick([500, 2_000]) } : {},
    retryMs: random.pick([1_000, 2_000]),
  };
}

/** One attempt after another, and the start of a machine that was switched off at the heal. */
export function fencingWorkMs({ fencing }: Settings): number {
  if (fencing === null) return 0;
  const limitsMs = fencing.devices.reduce((sum, { limitMs }) => sum + limitMs, 0);
  return 2 * (limitsMs + fencing.retryMs + Math.max(0, ...Object.values(fencing.delayMs))) + 5_000;
}

export const fencingDraws = {
  fenceFails: (random, { fencing, timing }) => {
    const all = (fencing?.devices ?? []).map(({ name }) => name);
    const some = all.filter(() => random.chance(0.7));
    const devices = some.length > 0 ? some : all;
    const behaviour = random.pick<FenceBehaviour>([
      { result: "fails", takesMs: 100 },
      { result: "hangs", takesMs: 100 },
      { result: "works", takesMs: 700 },
      { result: "works", takesMs: 2_000 },
    ]);
    return [
      [0, { kind: "fence-device", devices, behaviour }],
      [timing.deadTimeMs * random.between(2, 8), { kind: "heal-fencing" }],
    ];
  },
  cutManagement: (random, { fencing, nodes, timing }) => {
    const devices = (fencing?.devices ?? []).map(({ name }) => name);
    const from = random.chance(0.3) ? nodes : [random.pick(nodes)];
    return [
      [0, { kind: "management", nodes: from, devices, isCut: true }],
      [timing.deadTimeMs * random.between(1, 6), { kind: "heal-fencing" }],
    ];
  },
} satisfies Record<string, Draw>;
