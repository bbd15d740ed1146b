/** The scenarios that come with the program: each plays, with several seeds, as it says. */

import assert from "node:assert/strict";
import { asPlain, fromPlain } from "../../../cli/commands/simulate/jobs.ts";
import { library } from "../../../lib/sim/library/library.ts";
import { runScenario } from "../../../lib/sim/scenario/run.ts";
import { scenarioFrom } from "./samples.ts";

for (const [name, text] of library) {
  Deno.test(`the scenario ${name} goes as it says, whatever the seed`, () => {
    const scenario = scenarioFrom(text, name);
    assert.ok(scenario.about.length > 40, "it has a few lines of prose");
    assert.ok(scenario.expectations.length > 0, "it expects something");
    assert.deepEqual(fromPlain(JSON.parse(JSON.stringify(asPlain(scenario)))), scenario, "for a worker");
    for (const seed of [scenario.seed, 2, 3]) {
      const { judgements } = runScenario(scenario, { seed });
      const failed = judgements.filter(({ isMet }) => !isMet).map(({ expected, found }) =>
        `${expected}; found: ${found}`
      );
      assert.deepEqual(failed, [], `seed ${seed}: heartline simulate run ${name} --seed ${seed}`);
    }
  });
}

Deno.test("every cause of split brain that the field knows has its scenario", () => {
  for (
    const cause of [
      "cut-heartbeat-cable",
      "dead-switch-between",
      "firewall-rule",
      "wrong-interface-address",
      "mismatched-settings",
      "stalled-host",
      "one-way-link",
      "dead-backup-link",
      "arbiter-vanishes",
      "gateway-on-both-sides",
      "fencing-fails",
      "fence-duel",
      "flapping-link",
      "clock-jump",
    ]
  ) assert.ok(library.has(cause), cause);
});
