/** What a scenario's words do in the simulated world, and how a run is counted and judged. */

import assert from "node:assert/strict";
import { runScenario, type ScenarioResult } from "../../../lib/sim/scenario/run.ts";
import { traceLines } from "../../../cli/render/simulation/json.ts";
import { pairConfig, pairScenario, parseWith, scenarioFrom } from "./samples.ts";

function run(rest: string): ScenarioResult {
  return runScenario(pairScenario(rest), { keepsPackets: true });
}

function failed({ judgements }: ScenarioResult): string[] {
  return judgements.filter(({ isMet }) => !isMet).map(({ expected, found }) =>
    `${expected}; found: ${found}`
  );
}

/** What happens; what must follow from it. */
const stories: readonly (readonly [name: string, text: string])[] = [
  [
    "a crash leaves the address to its lease, and the other node takes it",
    `events: [{ at: 5s, crash: n1, for: 5s }]
expect: [never-two-holders, holder: { at: 9s, is: n2 }, moves: { at-most: 1 }]`,
  ],
  [
    "an operator's takeover moves the group",
    `events: [{ at: 5s, operator: { n2: takeover web } }]
expect: [never-two-holders, holder: { at: 6s, is: n2 }, needless-moves: { at-most: 0 }]`,
  ],
  [
    "a frozen machine comes back with its address, and lets go as soon as it reads what it missed",
    `events: [{ at: 5s, freeze: n1, for: 5s }]
expect: [holder: { at: 9s, is: n2 }, overlap: { at-most: 50ms }, moves: { at-most: 1 }, holder: { at: 20s, is: n2 }]`,
  ],
  [
    "power that goes while a machine is frozen leaves nothing behind",
    `events: [{ at: 5s, freeze: n1, for: 5s }, { at: 7s, power-off: n1, for: 6s }]
expect: [never-two-holders, holder: { at: 20s, is: n2 }]`,
  ],
  [
    "a pulled service cable moves the group",
    `events: [{ at: 5s, service-network: { n1: none } }]
expect: [never-two-holders, holder: { at: 9s, is: n2 }]`,
  ],
  [
    "a group without a way to tell who is cut off is held twice, and the later epoch wins",
    `events: [{ at: 5s, cut: all, for: 5s }, { at: 5s, service-network: { n1: left, n2: right }, for: 5s }]
expect: [two-holders, overlap: { at-most: 5s }, alarm: { code: split-brain }, holder: { at: 20s, is: n2 }]`,
  ],
  [
    "a start that hangs is given up, and the other node gets the group",
    `events: [{ at: 1ms, script: { node: n1, resource: "exec:/srv/web", start: hangs } }]
expect: [never-two-holders]`,
  ],
  [
    "loss in bursts longer than the dead time looks like a death, and the wire vetoes",
    `network: { all: { burst: { loss: 60%, packets: 20 } } }
expect: [never-two-holders, moves: { at-most: 0 }, alarm: { code: node-dead }]`,
  ],
  [
    "delays, duplicates and overtaking packets move nothing",
    `network: { all: { latency: 5ms, jitter: { pareto: 10ms }, duplicate: 10%, reorder: { share: 20%, by: 300ms } } }
expect: [never-two-holders, moves: { at-most: 0 }, no-alarm]`,
  ],
  [
    "a link too slow for its heartbeats is late or silent, and the other carries on",
    `network: { hb1: { bandwidth: 1200bit } }
expect: [never-two-holders, moves: { at-most: 0 }]`,
  ],
  [
    "maintenance keeps a dead holder's group where it was",
    `events: [{ at: 3s, operator: { n2: maintenance on } }, { at: 5s, power-off: n1 }]
expect: [holder: { at: 19s, is: nobody }]`,
  ],
  [
    "an address removed by hand comes back",
    `events: [{ at: 5s, remove-address: { node: n1 } }]
expect: [holder: { at: 6s, is: n1 }, report: { code: address-lost, on: n1 }, outage: { at-most: 300ms }]`,
  ],
  [
    "a node that starts late joins the other",
    `start: { n2: 8s }
expect: [never-two-holders, holder: { at: 20s, is: n1 }, moves: { at-most: 0 }]`,
  ],
];

for (const [name, text] of stories) {
  Deno.test(name, () => assert.deepEqual(failed(run(text)), []));
}

Deno.test("a slow or lossy arbiter is still one: nothing moves, and a lost holder is taken over", () => {
  const arbiter = "  arbiters: [{ ping: [192.0.2.1], on-unreachable: release }]\n";
  const play = (rest: string) =>
    failed(runScenario(scenarioFrom(`duration: 20s\n${pairConfig}${arbiter}${rest}`)));
  assert.deepEqual(
    play(`events: [{ at: 3s, arbiter: { latency: 60ms, loss: 30% }, for: 15s }]
expect: [never-two-holders, moves: { at-most: 0 }, outage: { at-most: 0 }]`),
    [],
  );
  assert.deepEqual(
    play(`events: [{ at: 3s, arbiter: { latency: 40ms, loss: 1% } }, { at: 6s, power-off: n1 }]
expect: [never-two-holders, holder: { at: 12s, is: n2 }]`),
    [],
  );
});

Deno.test("every kind of expectation can fail", () => {
  const result = run(`events: [{ at: 5s, operator: { n2: takeover web } }]
expect:
  - two-holders
  - holder: { at: 6s, is: n1 }
  - holder: { at: 6s, is: nobody }
  - outage: { at-most: 0 }
  - moves: { at-most: 0 }
  - alarm
  - report: { code: stalled }
  - no-report: { code: group-starting, on: n2 }`);
  assert.equal(failed(result).length, result.judgements.length);
  const split = run(`events: [{ at: 5s, cut: all, for: 5s },
  { at: 5s, service-network: { n1: left, n2: right }, for: 5s }]
expect: [never-two-holders, overlap: { at-most: 1s }, false-failovers: { at-most: 0 }, no-alarm,
  needless-moves: { at-most: 0 }]`);
  assert.equal(failed(split).length, split.judgements.length);
  assert.match(failed(split).join("\n"), /^no node raises any alarm; found: n\d at /m);
});

Deno.test("what is expected of the very end, and of any code that is reported, is judged", () => {
  const result = run(`events: [{ at: 5s, operator: { n2: takeover web } }]
expect:
  - holder: { at: 20s, is: n2 }
  - no-alarm: { code: split-brain, on: n1, from: 19s, to: 20s }
  - report: { code: command-takeover, on: n2 }`);
  assert.deepEqual(failed(result), []);
  assert.equal(
    result.judgements[1]!.expected,
    "n1 never raises the alarm split-brain from 19.00 s to 20.00 s",
  );
});

Deno.test("moves are told apart: asked for, due, false, needless", () => {
  const kinds = (rest: string) => run(rest).tallies[0]!.moves.map(({ kind }) => kind);
  assert.deepEqual(kinds("events: [{ at: 5s, operator: { n1: standby } }]"), ["asked"]);
  assert.deepEqual(kinds("events: [{ at: 5s, power-off: n1 }]"), ["due"]);
  assert.deepEqual(
    kinds("events: [{ at: 5s, cut: all }, { at: 5s, service-network: { n1: left, n2: right } }]"),
    ["false"],
  );
  const failback = scenarioFrom(
    `duration: 20s\n${pairConfig.replace("web: {", "web: { failback: on,")}` +
      "events: [{ at: 5s, power-off: n1, for: 3s }]\n",
  );
  assert.deepEqual(runScenario(failback).tallies[0]!.moves.map(({ kind }) => kind), ["due", "needless"]);
});

Deno.test("times with no, one and two holders add up to the whole run", () => {
  const { tallies, durationMs } = run(`events: [{ at: 5s, cut: all, for: 5s },
  { at: 5s, service-network: { n1: left, n2: right }, for: 5s }, { at: 15s, power-off: n2 }]`);
  for (const { noneMs, oneMs, twoMs } of tallies) {
    assert.ok(Math.abs(noneMs + oneMs + twoMs - durationMs) < 1e-6);
    assert.ok(twoMs > 1_000 && noneMs > 100);
  }
});

Deno.test("a firewall rule drops in one direction only, and a wrong key is refused", () => {
  const { packets } = run("events: [{ at: 5s, firewall: { from: n1, to: n2 } }]");
  const lost = packets.filter(({ arrivedMs }) => arrivedMs === null);
  assert.ok(lost.length > 50);
  assert.ok(lost.every(({ from, to, sentMs }) => from === "n1" && to === "n2" && sentMs > 4_990));
  const config = (secret: string) =>
    `nodes: [n1, n2]\nkeepalive: 200ms\ndeadtime: 1s\nlinks: [{ bcast: { dev: hb0 } }]
keys: { sign-with: 1, keys: [{ index: 1, method: sha256, secret: ${secret} }] }
groups: { web: { resources: [{ vip: 192.0.2.10/24, dev: eth0 }] } }\n`;
  const { scenario } = parseWith(
    `duration: 5s\nconfig: a\ndiffers: { n2: b }\nexpect: [report: { code: refused, on: n1 }]`,
    { a: config("one-long-secret"), b: config("another-secret") },
  );
  assert.deepEqual(failed(runScenario(scenario!)), []);
});

Deno.test("the same seed gives the same trace, another seed another one", () => {
  const scenario = pairScenario("network: { all: { jitter: { lognormal: 3ms }, loss: 10% } }");
  const trace = (seed: number) => traceLines(runScenario(scenario, { seed, keepsPackets: true }));
  assert.equal(trace(7), trace(7));
  assert.notEqual(trace(7), trace(8));
});
