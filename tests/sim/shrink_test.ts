/** What a finding becomes: the fewest faults, and a scenario file that shows the same again. */

import assert from "node:assert/strict";
import { clusterSettings } from "../../lib/sim/cluster_settings.ts";
import { drawPlan } from "../../lib/sim/explore/plan.ts";
import { scenarioText } from "../../lib/sim/explore/scenario_text.ts";
import { parseScenario } from "../../lib/sim/scenario/parse.ts";
import { mutations } from "./mutations.ts";
import { withMutant } from "./mutant.ts";

const noFile = () => assert.fail("the scenario names no file");

Deno.test("every random plan can be written as a scenario, with all its faults and the same groups", () => {
  for (let seed = 1; seed <= 150; seed++) {
    const plan = drawPlan(seed);
    const text = scenarioText({
      about: "",
      seed,
      durationMs: plan.convergedByMs,
      settings: plan.settings,
      config: null,
      startAtMs: plan.startAtMs,
      faults: plan.faults,
      expectations: ["never-two-holders"],
    });
    const { scenario, problems } = parseScenario(text, "plan", "plan", noFile);
    assert.deepEqual(problems.filter(({ severity }) => severity === "error"), [], `seed ${seed}\n${text}`);
    assert.equal(scenario!.events.length, plan.faults.length, `seed ${seed}`);
    const [settings] = scenario!.settings.values();
    assert.deepEqual(settings!.timing, plan.settings.timing);
    assert.deepEqual(
      settings!.groups.map((
        { nodes, failback, resources },
      ) => [nodes, failback, resources.map(({ id }) => id)]),
      plan.settings.groups.map((
        { nodes, failback, resources },
      ) => [nodes, failback, resources.map(({ id }) => id)]),
    );
  }
});

Deno.test("a broken promise is shrunk to a few faults, and its scenario shows two holders again", async () => {
  const mutation = mutations.find(({ name }) => name === "the wire's veto is ignored")!;
  await withMutant(mutation, async ({ explore }, load) => {
    const { describeFinding } = await load(
      "explore/finding.ts",
    ) as typeof import("../../lib/sim/explore/finding.ts");
    const { runScenario } = await load("scenario/run.ts") as typeof import("../../lib/sim/scenario/run.ts");
    const { parseScenario } = await load(
      "scenario/parse.ts",
    ) as typeof import("../../lib/sim/scenario/parse.ts");
    const found = explore(1, 500);
    assert.ok(found !== null);
    const finding = describeFinding(found, null);
    assert.equal(finding.promise, "one-holder");
    assert.ok(
      finding.faults.length <= 6,
      `${finding.faults.length} of ${finding.faultsBefore} faults are left`,
    );
    const { scenario, problems } = parseScenario(finding.scenario, "finding", "finding", noFile);
    assert.ok(scenario !== null, JSON.stringify(problems));
    const { judgements } = runScenario(scenario);
    assert.deepEqual(judgements.map(({ isMet }) => isMet), [false], judgements[0]?.found);
  });
});

Deno.test("the same bug is found on an operator's own cluster, which explore then leaves as it is", async () => {
  const settings = clusterSettings({
    nodes: ["n1", "n2"],
    links: 2,
    timing: { keepaliveMs: 200, deadTimeMs: 1_000 },
    groups: [{ name: "web", resources: [{ leaseSeconds: 1 }] }],
  });
  const mutation = mutations.find(({ name }) => name === "the wire's veto is ignored")!;
  await withMutant(mutation, ({ explore }) => {
    const found = explore(1, 500, { cluster: { settings, settingsOf: null } });
    assert.equal(found?.simulation.broken, "one-holder");
    assert.equal(found?.plan.settings, settings);
  });
});
