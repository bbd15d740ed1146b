/** Rare sequences of events, each of which once led to two holders, or to none for ever, or past an operator's word. */

import assert from "node:assert/strict";
import { type ClusterOutline, clusterSettings } from "../../lib/sim/cluster_settings.ts";
import { neverTwoHolders } from "../../lib/sim/checkers/cautions.ts";
import type { Fault } from "../../lib/sim/faults.ts";
import { goodScript } from "../../lib/sim/scripts.ts";
import { Simulation, type SimulationOptions } from "../../lib/sim/simulation.ts";
import { counterMax } from "../../lib/wire/limits.ts";
import { groupStatement, statement } from "../core/helpers.ts";

const timing = { keepaliveMs: 200, deadTimeMs: 1_000 };
const web = { name: "web", resources: [{ leaseSeconds: 1 }, "script"] } as const;

function cluster(
  outline: Partial<ClusterOutline> = {},
  options: Partial<SimulationOptions> = {},
): Simulation {
  const settings = clusterSettings({ nodes: ["n1", "n2"], links: 1, timing, groups: [web], ...outline });
  return new Simulation({ seed: 1, settings, ...options });
}

function watched(simulation: Simulation): Simulation {
  simulation.observe(neverTwoHolders(simulation));
  return simulation;
}

function link(from: string | null, to: string | null, isCut = true): Fault {
  return { kind: "link", from, medium: null, to, quality: { isCut } };
}

function slowStop(node: string, stopMs: number): Fault {
  return { kind: "script", node, group: "web", resource: 1, behaviour: { ...goodScript, stopMs } };
}

function command(node: string, kind: "shutdown" | "release" | "confirm"): Fault {
  return { kind: "command", node, command: kind === "shutdown" ? { kind } : { kind, groups: [] } };
}

function reports(simulation: Simulation, node: string, code: string): string[] {
  return simulation.trace.entries.filter((entry) => entry.node === node && entry.code === code)
    .map(({ sentence }) => sentence);
}

Deno.test("a node that stood still while the one that had left came back and took over does not fight it", () => {
  const simulation = watched(cluster())
    .at(4_000, command("n2", "shutdown"))
    .at(6_000, { kind: "pause", node: "n1" })
    .at(7_000, { kind: "start", node: "n2" })
    .at(12_000, link(null, null))
    .at(13_000, { kind: "resume", node: "n1" }).run(20_000);
  assert.equal(simulation.violation, null);
  assert.deepEqual(simulation.holders("web"), ["n2"]);
});

Deno.test("a machine that stood still while it was leaving takes its addresses off before its slow stop ends", () => {
  // The whole machine stood still, so that its lease has not run out either.
  const simulation = cluster({ groups: [{ ...web, operationLimitMs: 20_000 }] })
    .at(0, slowStop("n1", 10_000))
    .at(5_000, command("n1", "shutdown"))
    .at(6_000, { kind: "pause", node: "n1" })
    .at(8_000, { kind: "resume", node: "n1" });
  simulation.queue.at(7_999, () => simulation.machine("n1").kernel.setAddress("web", 0, 1));
  simulation.run(8_050);
  assert.equal(simulation.machine("n1").hasAddress("web"), false);
});

Deno.test("a node that stood still in the middle of a restart does not complete it", () => {
  const failing = { ...goodScript, stopMs: 3_000, fails: ["monitor"] as const };
  const simulation = cluster({ groups: [{ ...web, operationLimitMs: 20_000 }] })
    .at(5_000, { kind: "script", node: "n1", group: "web", resource: 1, behaviour: failing })
    .at(7_500, link(null, null))
    .at(7_500, { kind: "pause", node: "n1" })
    .at(9_500, { kind: "resume", node: "n1" }).run(9_700);
  assert.equal(reports(simulation, "n1", "monitor-failed").length, 1, "it was restarting");
  assert.equal(reports(simulation, "n1", "stalled").length, 1);
  assert.deepEqual(simulation.holders("web"), ["n2"]);
  assert.equal(simulation.machine("n1").kernel.hasService("web"), false);
});

for (const [name, behaviour] of [["slow", { stopMs: 15_000 }], ["failed", { fails: ["stop"] }]] as const) {
  Deno.test(`a ${name} stop keeps no address from a later claim that is heard of`, () => {
    const simulation = cluster({ groups: [{ ...web, operationLimitMs: 20_000 }] })
      .at(0, {
        kind: "script",
        node: "n1",
        group: "web",
        resource: 1,
        behaviour: { ...goodScript, ...behaviour },
      })
      .at(5_000, command("n1", "release"))
      .at(5_001, link(null, null)).at(5_001, { kind: "segment", node: "n1", segment: 1 })
      .at(9_000, { kind: "heal-links" }).at(9_000, { kind: "heal-service" }).run(9_500);
    assert.deepEqual(simulation.holders("web"), ["n2"]);
  });
}
Deno.test("a confirmation is good for the takeover that it was given for, not for the next one", () => {
  const simulation = cluster({ takeoverConfirm: true })
    .at(5_000, link(null, null))
    // The wire vetoes; the confirmation cannot help, and the links come back.
    .at(8_000, command("n2", "confirm"))
    .at(9_000, { kind: "heal-links" })
    .at(12_000, { kind: "power-off", node: "n1" }).run(20_000);
  assert.deepEqual(simulation.holders("web"), []);
  assert.equal(reports(simulation, "n2", "confirm").length, 1);
});

Deno.test("two of three that do not hear each other leave the group to the third, who hears both", () => {
  const simulation = watched(cluster({ nodes: ["n1", "n2", "n3"] }))
    .at(0, link("n1", "n2")).at(0, link("n2", "n1")).run(15_000);
  assert.equal(simulation.violation, null);
  assert.deepEqual(simulation.holders("web"), ["n3"]);
});

Deno.test("a holder whose link to one of two others is cut keeps the group", () => {
  const simulation = watched(cluster({ nodes: ["n1", "n2", "n3"] }))
    .at(5_000, link("n1", "n2")).at(5_000, link("n2", "n1")).run(15_000);
  assert.equal(simulation.violation, null);
  assert.deepEqual(simulation.trace.holders("web").map(({ holders }) => holders.join()), ["", "n1"]);
});

Deno.test("counters at their limit, from a faulty peer or a damaged file, do not make a node unheard", () => {
  const simulation = cluster();
  simulation.machine("n2").keptEpochs.web = counterMax;
  simulation
    .at(5_000, { kind: "power-off", node: "n1" }).at(8_000, { kind: "power-on", node: "n1" })
    .at(9_000, { kind: "command", node: "n2", command: { kind: "maintenance", on: true } });
  simulation.queue.at(4_000, () => {
    for (const { daemon } of simulation.machines) {
      const pin = { node: "n1", version: counterMax };
      daemon!.node.directives.merge(
        statement({
          groups: { web: groupStatement({ pin }) },
          maintenance: { on: false, version: counterMax - 1 },
        }),
      );
    }
  });
  simulation.at(10_000, { kind: "command", node: "n2", command: { kind: "maintenance", on: false } });
  simulation.run(12_000);
  assert.deepEqual(simulation.holders("web"), ["n2"]);
  assert.equal(simulation.view("n1")?.peers[0]?.state, "alive");
});
