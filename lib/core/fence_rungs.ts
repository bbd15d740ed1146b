/**
 * Which devices switch a node off, and what their answers amount to. Who asks them, real agents or simulated devices, is
 * elsewhere. An answer that is missing must never count as success.
 */

import type { FenceOutcome } from "./inputs.ts";
import type { FenceDeviceSettings, FencingSettings } from "./settings.ts";

/**
 * The devices that can switch a node off, in the order in which they are tried; those that do it only together, as the
 * strips of two power supplies do, are one rung.
 */
export function fenceRungs({ devices, together }: FencingSettings, node: string): FenceDeviceSettings[][] {
  const able = devices.filter(({ ports }) => Object.hasOwn(ports, node));
  const rungs = able.map((device) => {
    const partners = together?.find((names) => names.includes(device.name)) ?? [device.name];
    return able.filter(({ name }) => partners.includes(name));
  });
  return rungs.filter((rung, index) => rung[0] === able[index]);
}

/** Of devices that must all succeed: fenced if all are, else the worst that is known. */
export function wholeOutcome(outcomes: readonly FenceOutcome[]): FenceOutcome {
  const bad = outcomes.filter(({ result }) => result !== "fenced");
  const told = bad.length === 0 ? outcomes : bad;
  const worst = bad.find(({ result }) => result === "failed") ?? bad[0];
  return {
    kind: "fence",
    result: worst?.result ?? "fenced",
    reason: told.map(({ reason }) => reason).join(bad.length === 0 ? ", and " : "; "),
  };
}
