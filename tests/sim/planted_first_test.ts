import assert from "node:assert/strict";
import { withMutant } from "./mutant.ts";
import { testPlantedBugs } from "./planted.ts";

Deno.test("an unchanged copy of the sources breaks no promise", async () => {
  const found = await withMutant(null, ({ explore }) => explore(1, 100));
  assert.equal(found?.violation ?? null, null, `deno task sim --seed ${found?.seed} --runs 1`);
});

testPlantedBugs(0);
