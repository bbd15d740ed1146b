/** The history of the cluster: the same on all nodes, in one order, whatever the network does to the messages. */

import assert from "node:assert/strict";
import type { ClusterEvent } from "../../../lib/core/messaging/cluster_events.ts";
import { clusterSettings } from "../../../lib/sim/cluster_settings.ts";
import { Simulation } from "../../../lib/sim/simulation.ts";
import { quietPair } from "../hand_wired.ts";

const nodes = ["n1", "n2", "n3"];
const settings = clusterSettings({
  nodes,
  links: 1,
  timing: { keepaliveMs: 100, deadTimeMs: 2_000 },
  groups: [{ name: "web", resources: ["script"] }, { name: "db", resources: ["script"] }],
});

/** Runs a cluster and keeps what was delivered on each node. */
function cluster(seed: number) {
  const delivered = new Map<string, ClusterEvent[]>(nodes.map((node) => [node, []]));
  const simulation = new Simulation({
    seed,
    settings,
    observers: [{ event: ({ name }, event) => delivered.get(name)!.push(event) }],
  });
  const keys = (node: string, from = 0) =>
    delivered.get(node)!.slice(from).map(({ clock, node: source, generation, level, code }) =>
      `${clock} ${source}/${generation} ${level} ${code}`
    );
  return { simulation, delivered, keys };
}

function order(simulation: Simulation, atMs: number, node: string, group: string): void {
  simulation.at(atMs, { kind: "command", node, command: { kind: "takeover", groups: [group] } });
}

for (const lossRate of [0, 0.3]) {
  Deno.test(`with ${lossRate * 100} % loss all nodes have the same events in the same order, each once`, () => {
    let count = 0;
    for (let seed = 1; seed <= 8; seed++) {
      const { simulation, delivered, keys } = cluster(seed);
      simulation.run(5_000);
      const before = new Map(nodes.map((node) => [node, delivered.get(node)!.length]));
      simulation.heartbeats.set(null, null, null, { lossRate, jitterMs: 40, copyRate: 0.1 });
      for (let n = 0; n < 20; n++) {
        order(simulation, 5_100 + n * 500, nodes[n % 3]!, n % 2 === 0 ? "web" : "db");
      }
      simulation.run(20_000);
      simulation.heartbeats.heal();
      simulation.run(22_000);
      const [first, ...others] = nodes.map((node) => keys(node, before.get(node)));
      for (const other of others) assert.deepEqual(other, first, `seed ${seed}`);
      assert.equal(new Set(first).size, first!.length, `seed ${seed}: one twice`);
      for (const node of nodes) {
        assert.ok(delivered.get(node)!.every(({ isLate }) => !isLate), `seed ${seed}: late`);
        assert.equal(simulation.machine(node).daemon!.node.events.waiting, 0, `seed ${seed}: still waiting`);
      }
      count += first!.length;
    }
    assert.ok(count > 8 * 20, `only ${count} events: nothing was tested`);
  });
}

Deno.test("an event waits until every live node is known to have told all before it", () => {
  const wired = quietPair();
  const events = () =>
    wired.log.filter(({ node, effect }) => node === "n1" && effect.kind === "event").map(({ atMs }) => atMs);
  const before = events().length;
  wired.isCarried = (from) => from !== "n2";
  wired.step("n1", { kind: "medium", medium: "hb0", isUp: false, address: null, reason: "no carrier" });
  wired.run(wired.nowMs + 300);
  assert.equal(events().length, before, "n2 has not been heard since");
  wired.isCarried = () => true;
  wired.run(wired.nowMs + 500);
  assert.ok(events().length > before);
});

Deno.test("both sides of a partition go on, and what was missed comes after the heal, marked as late", () => {
  const { simulation, delivered, keys } = cluster(3);
  simulation.run(5_000);
  simulation.heartbeats.set("n3", null, null, { isCut: true });
  simulation.heartbeats.set(null, null, "n3", { isCut: true });
  simulation.run(10_000);
  assert.ok(keys("n1").some((key) => key.endsWith("n1/1 alarm node-dead")), "nobody waits for the dead");
  simulation.heartbeats.heal();
  simulation.run(15_000);
  const ofN3 = keys("n1").filter((key) => key.includes("n3/1 alarm node-dead"));
  assert.equal(ofN3.length, 2, "what n3 told meanwhile was kept and asked for");
  assert.ok(delivered.get("n1")!.some(({ node, isLate }) => node === "n3" && isLate));
  assert.deepEqual(keys("n1").toSorted(), keys("n2").toSorted());
});
