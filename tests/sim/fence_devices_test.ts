/** What fence devices say and what is so, for each way of theirs to fail; and the words of a scenario for that. */

import assert from "node:assert/strict";
import { EventQueue } from "../../lib/sim/event_queue.ts";
import { type FenceBehaviour, FenceDevices } from "../../lib/sim/fence_devices.ts";
import { ServiceNetwork } from "../../lib/sim/service_network.ts";
import { runScenario } from "../../lib/sim/scenario/run.ts";
import type { FenceOutcome } from "../../lib/core/inputs.ts";
import type { FencingSettings } from "../../lib/core/settings.ts";
import { Prng } from "../../lib/core/prng.ts";
import { parse, scenarioFrom } from "./scenario/samples.ts";
import { fencing } from "../core/samples.ts";

function scene(settings: FencingSettings = fencing()) {
  const queue = new EventQueue();
  const service = new ServiceNetwork(queue, new Prng(1), 0.4);
  const happened: string[] = [];
  const machine = {
    hasSupply: true,
    switchOff: () => happened.push(`off at ${Math.round(queue.nowMs)}`),
    switchOn: () => happened.push("on"),
  };
  const devices = new FenceDevices(queue, new Prng(1), service, () => machine);
  const fence = (settledMs = 60_000) => {
    const outcomes: (FenceOutcome & { atMs: number })[] = [];
    devices.fence("n2", "n1", settings, (outcome) => outcomes.push({ ...outcome, atMs: queue.nowMs }));
    queue.runUntil(settledMs, () => false);
    assert.equal(outcomes.length, 1, "it answers once");
    return outcomes[0]!;
  };
  return { queue, service, devices, machine, happened, fence };
}

const table: readonly (readonly [FenceBehaviour, FenceOutcome["result"], isOff: boolean])[] = [
  [{ result: "works", takesMs: 1_000 }, "fenced", true],
  [{ result: "works", takesMs: 9_000 }, "unknown", true],
  [{ result: "fails", takesMs: 1_000 }, "failed", false],
  [{ result: "hangs", takesMs: 1_000 }, "unknown", false],
  [{ result: "lies", takesMs: 1_000 }, "fenced", false],
];

for (const [behaviour, result, isOff] of table) {
  Deno.test(`a device that ${behaviour.result} and takes ${behaviour.takesMs} ms says ${result}`, () => {
    const { devices, fence, happened } = scene();
    devices.set(["pdu"], behaviour);
    const outcome = fence();
    assert.deepEqual([outcome.result, happened.length > 0], [result, isOff]);
    if (result === "unknown") assert.equal(Math.round(outcome.atMs), 5_000, "at its limit");
  });
}

Deno.test("two strips that belong together switch a machine off only when both have", () => {
  const strips = ["a", "b"].map((name) => ({ ...fencing().devices[0]!, name }));
  const both = { devices: strips, together: [["a", "b"]] };
  const whole = scene(fencing({ ...both, action: "reboot" }));
  assert.equal(whole.fence().result, "fenced");
  assert.deepEqual([whole.happened.length, whole.happened.at(-1)], [2, "on"], "off once, then on");
  const half = scene(fencing(both));
  half.devices.set(["b"], { result: "fails", takesMs: 1_000 });
  assert.equal(half.fence().result, "failed");
  assert.deepEqual(half.happened, []);
  const unclear = scene(fencing(both));
  unclear.devices.set(["b"], { result: "hangs", takesMs: 1_000 });
  assert.equal(unclear.fence().result, "unknown");
});

Deno.test("a reboot switches on again once it is verified, and what is too slow stays off", () => {
  const quick = scene(fencing({ action: "reboot" }));
  quick.fence();
  assert.deepEqual(quick.happened.at(-1), "on");
  const slow = scene(fencing({ action: "reboot" }));
  slow.devices.set(["pdu"], { result: "works", takesMs: 9_000 });
  slow.fence();
  assert.equal(slow.happened.length, 1);
});

Deno.test("a device is reached over its own network, or the service network, or not without its node's mains", () => {
  const cut = scene();
  cut.devices.cut(["n2"], ["pdu"], true);
  assert.equal(cut.fence().result, "failed");
  cut.devices.heal();
  assert.equal(cut.fence(120_000).result, "fenced");

  const shared = scene();
  shared.devices.build("pdu", { result: "works", takesMs: 10 }, { network: "service", powerOf: null });
  shared.service.move("n2", 1);
  assert.equal(shared.fence().result, "failed");

  const board = scene();
  board.devices.build("pdu", { result: "works", takesMs: 10 }, { network: "management", powerOf: "n1" });
  board.machine.hasSupply = false;
  assert.equal(board.fence().result, "failed");

  const lost = scene();
  lost.queue.at(300, () => lost.devices.cut(["n2"], ["pdu"], true));
  assert.equal(lost.fence().result, "unknown", "its answer was lost");
  assert.equal(lost.happened.length, 1);
});

Deno.test("devices are tried in order; the last word is unknown if any of them was", () => {
  const [first] = fencing().devices;
  const two = fencing({
    devices: [{ ...first!, name: "ilo" }, first!, { ...first!, name: "n2", ports: {} }],
  });
  const second = scene(two);
  second.devices.set(["ilo"], { result: "fails", takesMs: 10 });
  assert.match(second.fence().reason, /^pdu: off$/);
  const none = scene(two);
  none.devices.set(["ilo"], { result: "hangs", takesMs: 10 });
  none.devices.set(["pdu"], { result: "fails", takesMs: 10 });
  const { result, reason } = none.fence();
  assert.deepEqual([result, reason], [
    "unknown",
    "ilo: no answer within its limit; pdu: it reports an error",
  ]);
});

const config = `duration: 20s
config:
  nodes: [n1, n2]
  keepalive: 200ms
  deadtime: 1s
  links: [{ bcast: { dev: hb0 } }, { bcast: { dev: hb1 } }]
  fencing:
    action: ACTION
    retry: 1s
    devices:
      - { name: pdu, agent: fence_apc, nodes: { n1: 1, n2: 2 }, options: { ip: 192.0.2.9 } }
    delay: { n1: 2s }
  groups: { web: { resources: [{ exec: /srv/web }] } }
`;
const play = (rest: string, action = "off") =>
  runScenario(scenarioFrom(config.replace("ACTION", action) + rest));
const failed = (rest: string, action?: string) =>
  play(rest, action).judgements.filter(({ isMet }) => !isMet).map(({ expected, found }) =>
    `${expected}: ${found}`
  );

Deno.test("a group of scripts never runs twice in a partition, whether fencing works or is not reached", () => {
  const split = "{ at: 5s, cut: all }, { at: 5s, service-network: { n1: left, n2: right } }";
  assert.deepEqual(
    failed(`events: [${split}]\nexpect: [never-two-holders, { holder: { at: 20s, is: n2 } }]\n`),
    [],
  );
  assert.deepEqual(
    failed(`events: [${split}, { at: 5s, cut-management: { from: n2, to: pdu } }]
expect: [never-two-holders, { holder: { at: 20s, is: n1 } }, { alarm: { code: fencing-failed, on: n2 } }]
`),
    [],
  );
  assert.deepEqual(
    failed(`events: [${split}, { at: 5s, cut-management: all, for: 5s }]
expect: [never-two-holders, { holder: { at: 9s, is: n1 } }, { holder: { at: 20s, is: n2 } }]
`),
    [],
  );
});

Deno.test("a node that was rebooted by fencing comes back and takes nothing", () => {
  assert.deepEqual(
    failed(
      `events: [{ at: 5s, pause: n1 }]
expect: [never-two-holders, { holder: { at: 20s, is: n2 } }, { report: { code: node-heard, on: n2, from: 8s } }]
`,
      "reboot",
    ),
    [],
  );
});

Deno.test("a device that lies breaks every promise, and this is seen", () => {
  assert.deepEqual(
    failed(`events: [{ at: 3s, fencing: { device: pdu, result: lies } }, { at: 5s, cut: all, for: 8s }]
expect: [two-holders, { alarm: { code: fenced-alive, on: n2 } }]
`),
    [],
  );
});

const mistakes: readonly (readonly [string, RegExp])[] = [
  ["events: [{ at: 5s, fencing: { device: pdx, result: fails } }]", /no fence device "pdx"/],
  ["events: [{ at: 5s, fencing: { result: explodes } }]", /cannot be "explodes"/],
  ["events: [{ at: 5s, cut-management: n9 }]", /no node "n9"/],
  ["fencing: { pdu: { network: moon } }", /cannot be "moon"/],
  ["fencing: { pdx: {} }", /no fence device "pdx"/],
];
for (const [text, words] of mistakes) {
  Deno.test(`a mistake about fence devices is named: ${text}`, () => {
    const { problems } = parse(config.replace("ACTION", "off") + text + "\n");
    assert.ok(problems.some(({ message }) => words.test(message)), JSON.stringify(problems));
  });
}
