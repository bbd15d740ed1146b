/** The library is worth something only if it turns red: a bug in the core must show in the scenario of its cause. */

import assert from "node:assert/strict";
import { type Mutation, withMutant } from "../mutant.ts";
import { mutations } from "../mutations.ts";

type Library = typeof import("../../../lib/sim/library/library.ts");
type Parse = typeof import("../../../lib/sim/scenario/parse.ts");
type Run = typeof import("../../../lib/sim/scenario/run.ts");

/** A bug, by how its name in `tests/sim/mutations.ts` begins, and the scenario of the library that it breaks. */
const table: readonly (readonly [bug: string, scenario: string])[] = [
  ["the wire's veto is ignored", "cut-heartbeat-cable"],
  ["no exclusion check", "one-way-link"],
  ["one-way link taken for two-way", "firewall-rule"],
  ["alarm dropped: a lost link", "dead-backup-link"],
  ["alarm dropped: a lost node", "flapping-link"],
  ["a node lives on one link only", "wrong-interface-address"],
  ["an isolated node keeps what it holds", "dead-switch-between"],
  ["epoch not compared", "frozen-machine"],
  ["stall not noticed", "stalled-host"],
  ["a failed stop counts as stopped", "self-reboot-fails"],
  ["a fencing whose outcome is unknown counts", "fencing-fails"],
  ["the delay before fencing is ignored", "fence-duel-delayed"],
  ["the lease is not renewed", "clock-jump"],
];

for (const [bug, scenario] of table) {
  Deno.test(`the scenario ${scenario} finds this bug: ${bug}`, async () => {
    const mutation = mutations.find(({ name }) => name.startsWith(bug));
    assert.ok(mutation !== undefined, `no bug "${bug}" is known to tests/sim/mutations.ts`);
    assert.notDeepEqual(await failures(mutation, scenario), []);
  });
}

async function failures(mutation: Mutation, name: string): Promise<string[]> {
  return await withMutant(mutation, async (_explore, load) => {
    const { library } = await load("library/library.ts") as Library;
    const { parseScenario } = await load("scenario/parse.ts") as Parse;
    const { runScenario } = await load("scenario/run.ts") as Run;
    const { scenario } = parseScenario(library.get(name)!, name, name, () => null);
    return runScenario(scenario!).judgements.filter(({ isMet }) => !isMet).map(({ expected }) => expected);
  });
}
