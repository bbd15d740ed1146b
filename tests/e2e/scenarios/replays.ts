/** Every scenario's daemons kept a journal: each run in it, had again on a fresh core, must decide the same. */

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import type { Lab } from "../../../scripts/lab/lab.ts";
import { runsOf } from "../../../lib/sim/replay/journal.ts";
import { replay } from "../../../lib/sim/replay/replay.ts";

export const journalPath = "/var/lib/heartline/journal";

/** Answers how many steps with effects were compared in all. */
export function assertReplays(lab: Lab): number {
  let compared = 0;
  for (const node of lab.nodes) {
    const file = lab.machine(node).hostPath(journalPath);
    if (!existsSync(file)) continue;
    for (const run of runsOf(readFileSync(file, "utf8").split("\n"))) {
      if (run.isHeadless) continue;
      const again = replay(run);
      const { divergence } = again;
      const step = divergence === null ? "" : JSON.stringify(run.steps[divergence.index]);
      assert.equal(divergence, null, `${node} decides otherwise when its journal is replayed, at ${step}`);
      compared += again.compared;
    }
  }
  return compared;
}
