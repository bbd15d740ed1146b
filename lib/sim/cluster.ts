/** A cluster as its nodes' own configurations describe it, and the simulation of it with links that are good. */

import type { Settings } from "../core/settings.ts";
import { Simulation } from "./simulation.ts";
import { passageBetween } from "./wiring.ts";

export interface Cluster {
  /** Of the first node: names, times and groups must agree on all. */
  readonly settings: Settings;
  /** What each node has read; `null`: all the same. */
  readonly settingsOf: ReadonlyMap<string, Settings> | null;
}

export function simulate(
  { settings, settingsOf }: Cluster,
  seed: number,
  startAtMs: Readonly<Record<string, number>> = {},
): Simulation {
  if (settingsOf === null) return new Simulation({ seed, settings, startAtMs });
  const of = (node: string) => settingsOf.get(node) ?? settings;
  const links = {
    passage: (from: string, medium: string, to: string) => passageBetween(of(from), medium, of(to), to, {}),
  };
  return new Simulation({ seed, settings, settingsOf, startAtMs, links });
}
