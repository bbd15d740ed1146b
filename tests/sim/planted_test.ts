/** The checkers are worth something only if they turn red: each planted bug must be found, and nothing without one. */

import assert from "node:assert/strict";
import { runSeed } from "../../lib/sim/explore.ts";
import { withMutant } from "./mutant.ts";
import { mutations } from "./mutations.ts";

const runsMax = 500;

Deno.test("an unchanged copy of the sources breaks no promise", async () => {
  const found = await withMutant(null, ({ explore }) => explore(1, 100));
  assert.equal(found?.violation ?? null, null, `deno task sim ${found?.seed}`);
});

for (const mutation of mutations) {
  Deno.test(`random faults find this bug: ${mutation.name}`, async () => {
    const options = mutation.regime === undefined ? {} : { regime: mutation.regime };
    const found = await withMutant(mutation, ({ explore }) => explore(1, runsMax, options));
    assert.ok(found !== null, `not found in ${runsMax} runs`);
    const without = runSeed(found.seed).violation;
    assert.equal(
      without,
      null,
      `seed ${found.seed} breaks a promise without this bug too, so it proves nothing`,
    );
  });
}
