/** The checkers are worth something only if they turn red: each planted bug must be found, and nothing without one. */

import assert from "node:assert/strict";
import { runSeed } from "../../lib/sim/explore/explore.ts";
import { withMutant } from "./mutant.ts";
import { mutations } from "./mutations.ts";

const runsMax = 2_000;

/** Tests of every second planted bug, so that two files can run side by side. */
export function testPlantedBugs(half: 0 | 1): void {
  for (const [index, mutation] of mutations.entries()) {
    if (index % 2 !== half) continue;
    Deno.test(`random faults find this bug: ${mutation.name}`, async () => {
      const options = mutation.regime === undefined ? {} : { regime: mutation.regime };
      const found = await withMutant(
        mutation,
        ({ explore }) => explore(mutation.fromSeed ?? 1, runsMax, options),
      );
      assert.ok(found !== null, `not found in ${runsMax} runs`);
      const without = runSeed(found.seed).violation;
      const why = `seed ${found.seed} breaks a promise without this bug too, so it proves nothing`;
      assert.equal(without, null, why);
    });
  }
}
