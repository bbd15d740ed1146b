/** What a scenario file says, typed: a cluster as its nodes' own files describe it, a world, what happens, what is expected. */

import type { Settings } from "../../core/settings.ts";
import type { PlannedFault } from "../faults.ts";
import type { Expectation } from "./expectations.ts";
import type { World } from "./world.ts";

export interface Scenario {
  /** Of the file, without directory and ending. */
  readonly name: string;
  /** A few lines of prose; empty: none. */
  readonly about: string;
  readonly seed: number;
  readonly durationMs: number;
  /** What each node has read, by its name, in the order of the first node's list. */
  readonly settings: ReadonlyMap<string, Settings>;
  readonly world: World;
  readonly events: readonly PlannedFault[];
  readonly expectations: readonly Expectation[];
}

/** The order of names and groups is that of the first node. */
export function firstSettings(settings: ReadonlyMap<string, Settings>): Settings {
  return settings.values().next().value!;
}
