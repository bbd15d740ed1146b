/** Which parts of a run are worth a closer look: where holders change, alarms come and faults begin or end. */

import type { ScenarioResult } from "../../../lib/sim/scenario/run.ts";
import { firstSettings } from "../../../lib/sim/scenario/scenario.ts";
import type { Interval } from "./scale.ts";
import type { Story } from "./story.ts";

const windowsMax = 2;

interface Instant {
  readonly atMs: number;
  readonly weight: number;
}

/** In order of time; none where the whole run is short enough to show everything. */
export function windowsOf(result: ScenarioResult, story: Story): Interval[] {
  const { keepaliveMs, deadTimeMs } = firstSettings(result.scenario.settings).timing;
  const lengthMs = Math.max(1.7 * deadTimeMs, 8 * keepaliveMs);
  if (story.endMs <= 2 * lengthMs) return [];
  let left = instantsOf(result, story);
  const chosen: Interval[] = [];
  const seen = new Set<string>();
  while (chosen.length < windowsMax && left.length > 0) {
    const scored = left.map(({ atMs }) => {
      const window = around(atMs, lengthMs, story.endMs);
      const inside = left.filter((each) => isIn(window, each.atMs));
      return { window, inside, weight: inside.reduce((sum, each) => sum + each.weight, 0) };
    });
    const best = scored.reduce((one, other) => other.weight > one.weight ? other : one);
    if (chosen.length > 0 && best.weight < 3) break;
    // The tenth turn of a flapping link looks like the first.
    const look = best.inside.map(({ weight }) => weight).join();
    if (!seen.has(look)) chosen.push(best.window);
    seen.add(look);
    const { fromMs, toMs } = best.window;
    // Two looks at nearly the same time show nothing new.
    left = left.filter(({ atMs }) => atMs < fromMs - 0.5 * lengthMs || atMs > toMs + 0.1 * lengthMs);
  }
  return chosen.toSorted((one, other) => one.fromMs - other.fromMs);
}

/** The instant stands at an eighth of the window. */
function around(atMs: number, lengthMs: number, endMs: number): Interval {
  const fromMs = Math.max(0, Math.min(atMs - lengthMs / 8, endMs - lengthMs));
  return { fromMs, toMs: fromMs + lengthMs };
}

function isIn({ fromMs, toMs }: Interval, atMs: number): boolean {
  return atMs >= fromMs && atMs <= toMs;
}

/** The start of a run is alike in all of them and no matter of interest. */
function instantsOf({ tallies }: ScenarioResult, { faults, marks, endMs, states }: Story): Instant[] {
  const quietUntilMs = 200;
  return [
    ...tallies.flatMap(({ intervals }) =>
      intervals.map(({ fromMs, holders }) => ({ atMs: fromMs, weight: holders.length > 1 ? 8 : 4 }))
    ),
    ...marks.map(({ atMs, kind }) => ({ atMs, weight: kind === "alarm" ? 2 : 1 })),
    ...faults.flatMap(({ fromMs, toMs }) => [{ atMs: fromMs, weight: 2 }, { atMs: toMs, weight: 1 }]),
    ...[...states.values()].flat().map(({ fromMs }) => ({ atMs: fromMs, weight: 2 })),
  ].filter(({ atMs }) => atMs > quietUntilMs && atMs < endMs);
}
