/** What an operator may rely on, each as a scenario with times that must be kept. Times are virtual and exact. */

import { wireWindowMs } from "../../lib/core/limits.ts";
import assert from "node:assert/strict";
import { type ClusterOutline, clusterSettings } from "../../lib/sim/cluster_settings.ts";
import type { Fault } from "../../lib/sim/faults.ts";
import { neverTwoHolders } from "../../lib/sim/checkers/cautions.ts";
import { goodScript } from "../../lib/sim/scripts.ts";
import { Simulation } from "../../lib/sim/simulation.ts";

const keepaliveMs = 200;
const deadTimeMs = 1_000;

function pair(outline: Partial<ClusterOutline> = {}): Simulation {
  const settings = clusterSettings({
    nodes: ["n1", "n2"],
    links: 2,
    timing: { keepaliveMs, deadTimeMs },
    groups: [{ name: "web", resources: [{ leaseSeconds: 1 }, "script"] }],
    ...outline,
  });
  const simulation = new Simulation({ seed: 1, settings });
  simulation.observe(neverTwoHolders(simulation));
  return simulation;
}

function cutAll(isCut = true): Fault {
  return { kind: "link", from: null, medium: null, to: null, quality: { isCut } };
}

/** Longest time without a holder after an instant. */
function outageMs(simulation: Simulation, fromMs: number): number {
  const gaps = simulation.trace.holders("web").filter(({ holders, fromMs: at }) =>
    holders.length === 0 && at >= fromMs
  );
  return Math.max(0, ...gaps.map((gap) => (gap.toMs ?? simulation.nowMs) - gap.fromMs));
}

function holderAt(simulation: Simulation, atMs: number): string {
  const interval = simulation.trace.holders("web").find(({ fromMs, toMs }) =>
    fromMs <= atMs && (toMs === null || atMs < toMs)
  );
  return interval?.holders.join(" ") ?? "";
}

function codes(simulation: Simulation, node: string, code: string): number {
  return simulation.trace.entries.filter((entry) =>
    entry.node === node && entry.code === code && !entry.sentence.startsWith("cleared")
  ).length;
}

Deno.test("two nodes that hear each other agree at once, and one of them starts the group", () => {
  const simulation = pair().run(60);
  assert.equal(holderAt(simulation, 50), "n1");
  assert.equal(simulation.view("n1")?.phase, "settled");
  assert.equal(simulation.view("n2")?.phase, "settled");
});

Deno.test("alone, a node waits initdead and then takes over what the wire leaves free", () => {
  const settings = pair().settings;
  const simulation = new Simulation({ seed: 1, settings, startAtMs: { n2: 1e9 } }).run(10_000);
  const [first] = simulation.trace.holders("web").filter(({ holders }) => holders.length > 0);
  assert.deepEqual(first?.holders, ["n1"]);
  assert.ok(first!.fromMs >= settings.timing.initDeadMs, `started after ${first!.fromMs} ms`);
  assert.ok(first!.fromMs <= settings.timing.initDeadMs + 300, `started after ${first!.fromMs} ms`);
});

Deno.test("power-off of the holder: the outage is the dead time at most", () => {
  const simulation = pair().at(5_050, { kind: "power-off", node: "n1" }).run(10_000);
  assert.equal(holderAt(simulation, 9_000), "n2");
  assert.ok(outageMs(simulation, 5_000) <= deadTimeMs, `${outageMs(simulation, 5_000)} ms`);
});

for (const kind of ["kill", "pause"] as const) {
  Deno.test(`${kind} of the holder's daemon: its kernel lets the address go before the other takes it`, () => {
    const simulation = pair().at(5_050, { kind, node: "n1" }).run(10_000);
    assert.equal(simulation.violation, null);
    assert.equal(holderAt(simulation, 9_000), "n2");
    assert.ok(outageMs(simulation, 5_000) < 400, `${outageMs(simulation, 5_000)} ms`);
  });
}

Deno.test("a holder that stood still for longer than the dead time does not fight when it goes on", () => {
  const simulation = pair().at(5_000, { kind: "pause", node: "n1" }).at(9_000, { kind: "resume", node: "n1" })
    .run(15_000);
  assert.equal(simulation.violation, null);
  assert.equal(codes(simulation, "n1", "stalled"), 1);
  assert.equal(holderAt(simulation, 14_000), "n2");
  assert.deepEqual(simulation.view("n1")?.alarms, []);
});

Deno.test("one cut link of two: one alarm on each node, nothing moves", () => {
  const cut: Fault = { kind: "link", from: null, medium: "hb1", to: null, quality: { isCut: true } };
  const simulation = pair().at(5_000, cut).at(12_000, { kind: "heal-links" }).run(16_000);
  for (const node of ["n1", "n2"]) {
    assert.equal(codes(simulation, node, "link-lost"), 1);
    assert.deepEqual(simulation.view(node)?.alarms, []);
  }
  assert.equal(outageMs(simulation, 5_000), 0);
});

Deno.test("all heartbeat links cut: the wire vetoes, one alarm, and all is well after the heal", () => {
  const simulation = pair().at(5_000, cutAll()).run(15_000);
  assert.equal(simulation.violation, null);
  assert.equal(holderAt(simulation, 15_000), "n1");
  assert.equal(codes(simulation, "n2", "wire-veto"), 1);
  simulation.at(15_000, { kind: "heal-links" }).run(20_000);
  assert.equal(simulation.trace.holders("web").length, 2, "it was started once and never moved");
  for (const node of ["n1", "n2"]) assert.deepEqual(simulation.view(node)?.alarms, []);
});

for (const [from, to] of [["n1", "n2"], ["n2", "n1"]] as const) {
  Deno.test(`one-way cut, ${from} is not heard by ${to}: nothing moves`, () => {
    const cut: Fault = { kind: "link", from, medium: null, to, quality: { isCut: true } };
    const simulation = pair().at(5_000, cut).at(12_000, { kind: "heal-links" }).run(20_000);
    assert.equal(simulation.violation, null);
    assert.equal(simulation.trace.holders("web").length, 2);
    for (const node of ["n1", "n2"]) assert.deepEqual(simulation.view(node)?.alarms, []);
  });
}

for (const stopMs of [5, 450]) {
  Deno.test(`with an arbiter a node cut off from everything lets go before the other takes, its stop takes ${stopMs} ms`, () => {
    const simulation = pair({ arbiter: { kind: "release" } })
      .at(0, { kind: "script", node: "n1", group: "web", resource: 1, behaviour: { ...goodScript, stopMs } })
      .at(5_000, cutAll()).at(5_000, { kind: "segment", node: "n1", segment: 1 }).run(9_000);
    assert.equal(simulation.violation, null);
    assert.equal(holderAt(simulation, 8_000), "n2");
  });
}

Deno.test("a node that is cut off while it stops takes its address off at once", () => {
  const simulation = pair({ arbiter: { kind: "release" }, timing: { keepaliveMs: 40, deadTimeMs: 200 } })
    .at(0, {
      kind: "script",
      node: "n1",
      group: "web",
      resource: 1,
      behaviour: { ...goodScript, stopMs: 450 },
    })
    .at(5_000, { kind: "command", node: "n1", command: { kind: "release", groups: [] } })
    .at(5_010, cutAll()).at(5_010, { kind: "segment", node: "n1", segment: 1 }).run(7_000);
  assert.equal(simulation.violation, null);
  assert.equal(holderAt(simulation, 6_000), "n2");
});

Deno.test("a planned takeover leaves the group without a holder for less than 30 ms", () => {
  const simulation = pair()
    .at(5_030, { kind: "command", node: "n2", command: { kind: "takeover", groups: ["web"] } }).run(8_000);
  assert.equal(holderAt(simulation, 7_000), "n2");
  assert.ok(outageMs(simulation, 5_000) <= 30, `${outageMs(simulation, 5_000)} ms`);
});

Deno.test("a clean shutdown hands over at once and leaves no alarm behind", () => {
  const simulation = pair().at(5_030, { kind: "command", node: "n1", command: { kind: "shutdown" } }).run(
    9_000,
  );
  assert.equal(holderAt(simulation, 8_000), "n2");
  assert.ok(outageMs(simulation, 5_000) <= 30, `${outageMs(simulation, 5_000)} ms`);
  assert.equal(codes(simulation, "n2", "node-dead"), 0);
});

Deno.test("a healed partition with two holders: the lower epoch yields, the other restarts nothing", () => {
  const simulation = new Simulation({ seed: 1, settings: pair().settings })
    .at(5_000, cutAll()).at(5_000, { kind: "segment", node: "n1", segment: 1 })
    .at(9_000, { kind: "heal-links" }).at(9_000, { kind: "heal-service" }).run(14_000);
  assert.equal(holderAt(simulation, 8_000), "n1 n2");
  assert.equal(holderAt(simulation, 13_000), "n2");
  const starts = simulation.trace.entries.filter(({ code }) => code === "group-starting");
  assert.deepEqual(starts.map(({ node }) => node), ["n1", "n2"]);
  for (const node of ["n1", "n2"]) assert.deepEqual(simulation.view(node)?.alarms, []);
});

Deno.test("an address removed by hand is back as soon as the wire has been asked", () => {
  const simulation = pair().at(5_000, { kind: "remove-address", node: "n1", group: "web" }).run(6_000);
  assert.equal(holderAt(simulation, 5_900), "n1");
  const windowMs = wireWindowMs(deadTimeMs);
  const ms = outageMs(simulation, 4_900);
  assert.ok(ms >= windowMs && ms < windowMs + 2, `${ms} ms`);
});

Deno.test("what cannot be stopped blocks the group: nobody else starts it", () => {
  const simulation = pair()
    .at(0, {
      kind: "script",
      node: "n1",
      group: "web",
      resource: 1,
      behaviour: { ...goodScript, fails: ["stop"] },
    })
    .at(5_000, { kind: "command", node: "n1", command: { kind: "standby", groups: [] } }).run(9_000);
  assert.equal(simulation.view("n1")?.groups[0]?.state, "blocked");
  assert.equal(simulation.view("n2")?.groups[0]?.state, "stopped");
  simulation.at(9_000, { kind: "heal-scripts" })
    .at(9_001, { kind: "command", node: "n1", command: { kind: "rejoin", groups: [] } }).run(12_000);
  assert.equal(holderAt(simulation, 11_000), "n2");
});

Deno.test("in maintenance nothing is taken, and all goes on when it ends", () => {
  const simulation = pair()
    .at(5_000, { kind: "command", node: "n2", command: { kind: "maintenance", on: true } })
    .at(6_000, { kind: "power-off", node: "n1" }).run(12_000);
  assert.equal(holderAt(simulation, 12_000), "");
  simulation.at(12_000, { kind: "command", node: "n2", command: { kind: "maintenance", on: false } }).run(
    15_000,
  );
  assert.equal(holderAt(simulation, 14_500), "n2");
});

Deno.test("in maintenance an address that an operator removes stays off; it is back as soon as maintenance ends", () => {
  const resources = [{ leaseSeconds: 1 }, "script"] as const;
  const simulation = pair({ groups: [{ name: "web", resources, monitorIntervalMs: 1_000 }] })
    .at(5_000, { kind: "command", node: "n2", command: { kind: "maintenance", on: true } })
    .at(8_000, { kind: "remove-address", node: "n1", group: "web" }).run(12_000);
  const removed = simulation.trace.entries.filter(({ code }) => code === "address-lost");
  assert.deepEqual(removed.map(({ sentence }) => sentence), [
    "vip:192.0.2.100/24 is gone from this machine; left as it is: maintenance is on",
  ]);
  assert.equal(outageMs(simulation, 7_000), 4_000);
  simulation.at(12_000, { kind: "command", node: "n2", command: { kind: "maintenance", on: false } })
    .run(14_000);
  assert.equal(holderAt(simulation, 12_100), "n1");
  assert.equal(codes(simulation, "n1", "monitor-failed"), 0, "its scripts go on undisturbed");
});

Deno.test("in maintenance an address whose lease ran out while its daemon stood still is put back", () => {
  const simulation = pair({ timing: { keepaliveMs, deadTimeMs: 3_000 } })
    .at(5_000, { kind: "command", node: "n2", command: { kind: "maintenance", on: true } })
    .at(8_000, { kind: "pause", node: "n1" }).at(9_700, { kind: "resume", node: "n1" }).run(12_000);
  assert.equal(codes(simulation, "n1", "address-lost"), 1);
  assert.equal(holderAt(simulation, 10_000), "n1");
});

Deno.test("a lease that a cut-off node could not renew is told as that, and nothing is put back", () => {
  const simulation = pair({
    arbiter: { kind: "release" },
    timing: { keepaliveMs: 300, deadTimeMs: 3_000 },
    groups: [{ name: "web", resources: [{ leaseSeconds: 1 }] }],
  })
    .at(10_000, cutAll()).at(10_000, { kind: "segment", node: "n1", segment: 1 }).run(20_000);
  const said = simulation.trace.entries.filter(({ node, atMs }) => node === "n1" && atMs >= 10_000);
  const lost = said.find(({ code }) => code === "address-lost");
  assert.match(lost!.sentence, /its lease ran out: neither an arbiter nor all other nodes have answered/);
  assert.ok(!said.some(({ code }) => code === "address-flapping"));
  const gone = simulation.trace.holders("web").filter(({ fromMs }) => fromMs > 10_000);
  assert.deepEqual(gone.map(({ holders }) => holders.join()), ["", "n2"]);
});

Deno.test("a takeover that must be confirmed waits for it", () => {
  const simulation = pair({ takeoverConfirm: true }).at(5_000, { kind: "power-off", node: "n1" }).run(10_000);
  assert.equal(holderAt(simulation, 10_000), "");
  assert.equal(codes(simulation, "n2", "confirm"), 1);
  simulation.at(10_000, { kind: "command", node: "n2", command: { kind: "confirm", groups: [] } }).run(
    11_000,
  );
  assert.equal(holderAt(simulation, 10_900), "n2");
});

Deno.test("duplicates and replays never change who holds what, nor raise an alarm", () => {
  const simulation = pair();
  simulation.at(4_000, { kind: "command", node: "n1", command: { kind: "standby", groups: [] } });
  for (let i = 0; i < 2_000; i++) {
    simulation.at(5_000 + i * 2, { kind: "replay", to: i % 2 === 0 ? "n1" : "n2", age: (i % 97) / 97 });
  }
  simulation.run(10_000);
  const late = simulation.trace.entries.filter(({ atMs, code }) => atMs > 5_000 && code !== "fault");
  assert.deepEqual(late, []);
});

Deno.test("a warntime above the stall limit does not hide a stall", () => {
  const timing = { keepaliveMs: 100, deadTimeMs: 1_000, warnTimeMs: 990 };
  const simulation = pair({ timing }).at(5_000, { kind: "pause", node: "n1" })
    .at(5_950, { kind: "resume", node: "n1" }).run(8_000);
  assert.equal(codes(simulation, "n1", "stalled"), 1);
});

Deno.test("a peer that hears nothing of us and cannot hold the group does not keep it down", () => {
  const groups = [{ name: "web", resources: [{ leaseSeconds: 1 }], duplicateCheckMs: 0 }];
  const deaf: Fault = { kind: "link", from: "n1", medium: null, to: "n2", quality: { isCut: true } };
  const simulation = pair({ groups })
    .at(3_000, { kind: "command", node: "n2", command: { kind: "release", groups: [] } })
    .at(4_000, { kind: "command", node: "n1", command: { kind: "release", groups: [] } })
    .at(5_000, deaf)
    .at(8_000, { kind: "command", node: "n1", command: { kind: "rejoin", groups: [] } }).run(12_000);
  assert.equal(holderAt(simulation, 11_900), "n1");
});
