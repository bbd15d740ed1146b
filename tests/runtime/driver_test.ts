/** The driver: effects in order, one step at a time, answers to commands, and wakes when they are wanted. */

import assert from "node:assert/strict";
import type { Effect } from "../../lib/core/effects.ts";
import type { Input } from "../../lib/core/inputs.ts";
import { instant } from "../../lib/core/instant.ts";
import { decisionGoodMs, stallMs } from "../../lib/core/limits.ts";
import { Prng } from "../../lib/core/prng.ts";
import { ClusterNode } from "../../lib/core/node.ts";
import type { NodeView } from "../../lib/core/view.ts";
import { Driver, type Hands } from "../../lib/runtime/driver.ts";
import { outcome, settings as clusterOf, timing } from "../core/samples.ts";

const settings = clusterOf({ nodes: ["n1"] });

/** A node that does what the test says: the driver must decide nothing. */
class ScriptedNode extends ClusterNode {
  readonly inputs: Input[] = [];
  readonly instants: number[] = [];
  wakeAt: number | null = null;
  readonly viewedAt: (number | undefined)[] = [];

  constructor(readonly react: (input: Input) => Effect[]) {
    super(settings, {
      node: "n1",
      generation: 1,
      version: "1",
      settingsHash: "same",
      keptEpochs: {},
      unprotected: [],
    }, new Prng(1));
  }

  override step(now: ReturnType<typeof instant>, input: Input): Effect[] {
    this.inputs.push(input);
    this.instants.push(now);
    return this.react(input);
  }

  override view(now?: ReturnType<typeof instant>): NodeView {
    this.viewedAt.push(now);
    return super.view(now);
  }

  override deadline(): ReturnType<typeof instant> | null {
    return this.wakeAt === null ? null : instant(this.wakeAt);
  }
}

interface Scene {
  readonly node: ScriptedNode;
  readonly driver: Driver;
  /** What the hands were told to do, in order. */
  readonly done: string[];
}

function scene(
  react: (input: Input) => Effect[],
  now: () => number = () => 1_000.7,
  during: (call: string, driver: Driver) => void = () => {},
): Scene {
  const done: string[] = [];
  const node = new ScriptedNode(react);
  const note = (call: string) => {
    done.push(call);
    during(call, driver);
  };
  const hands: Hands = {
    now,
    send: ({ type }) => note(`send ${type}`),
    resend: (sequence) => note(`resend ${sequence}`),
    run: ({ operation, resource }, goodUntilMs) => note(`run ${operation} ${resource} until ${goodUntilMs}`),
    renew: (group, goodUntilMs) => note(`renew ${group} until ${goodUntilMs}`),
    drop: (group) => note(`drop ${group}`),
    announce: (group) => note(`announce ${group}`),
    askWire: ({ group, windowMs }) => note(`ask ${group} ${windowMs}`),
    fence: ({ node: fenced }) => note(`fence ${fenced}`),
    keepEpoch: (group, epoch) => note(`epoch ${group} ${epoch}`),
    report: ({ code }) => note(`report ${code}`),
    event: ({ code }) => note(`event ${code}`),
    beaten: () => note("beaten"),
    exit: () => note("exit"),
    reboot: ({ group, reason }) => note(`reboot ${group} ${reason}`),
  };
  const driver = new Driver(node, hands);
  return { node, driver, done };
}

const id = 7 as never;
const send: Effect = {
  kind: "send",
  type: "status",
  sequence: 1,
  destination: null,
  fields: [],
  statement: null,
};
const report: Effect = { kind: "report", level: "info", code: "hello", sentence: "", fields: {} };
const run: Effect = {
  kind: "run",
  id,
  group: "web",
  resource: 2,
  operation: "start",
  limitMs: 500,
  epoch: 4,
};

Deno.test("every effect is carried out, in the order of the step, and good for as long as the core says", () => {
  const effects: Effect[] = [
    { kind: "drop", group: "web" },
    report,
    { kind: "keep-epoch", group: "web", epoch: 4 },
    run,
    { kind: "ask-wire", id, group: "web", windowMs: 50 },
    { kind: "fence", id, node: "n2", reason: "" },
    { kind: "renew", group: "web" },
    { kind: "announce", group: "web" },
    send,
    { kind: "resend", sequence: 3 },
    { kind: "reboot", group: "web", reason: "stuck" },
    { kind: "exit" },
  ];
  const { driver, done, node } = scene(() => effects);
  driver.input({ kind: "start" });
  driver.close();
  const until = 1_000 + decisionGoodMs(timing);
  assert.deepEqual(done, [
    "drop web",
    "report hello",
    "epoch web 4",
    `run start 2 until ${until}`,
    "ask web 50",
    "fence n2",
    `renew web until ${until}`,
    "announce web",
    "send status",
    "resend 3",
    "reboot web stuck",
    "exit",
    "beaten",
  ]);
  assert.deepEqual(node.instants, [1_000], "an instant is never later than it is");
});

Deno.test("without a heartbeat in the step the hands are not told that one went out", () => {
  const { driver, done } = scene(() => [report, { ...send, type: "resource" }]);
  driver.input({ kind: "start" });
  driver.close();
  assert.deepEqual(done, ["report hello", "send resource"]);
});

Deno.test("an outcome that arises while effects are carried out waits until the step is done", () => {
  const ended: Input = { kind: "outcome", id, outcome: outcome("running") };
  const { driver, done, node } = scene(
    (input) => input.kind === "start" ? [run, send] : [report],
    undefined,
    (call, driver) => {
      if (call.startsWith("run")) driver.input(ended);
    },
  );
  driver.input({ kind: "start" });
  driver.close();
  assert.deepEqual(done.slice(1), ["send status", "beaten", "report hello"]);
  assert.deepEqual(node.inputs, [{ kind: "start" }, ended]);
});

Deno.test("inputs that arise together are taken in their order", () => {
  const order: string[] = [];
  const { driver } = scene(
    (input) => {
      order.push(input.kind === "arbiter" ? input.name : input.kind);
      return input.kind === "start" ? [report] : [];
    },
    undefined,
    (_, driver) => {
      for (const name of ["a", "b", "c"]) driver.input({ kind: "arbiter", name, target: "" });
    },
  );
  driver.input({ kind: "start" });
  driver.close();
  assert.deepEqual(order, ["start", "a", "b", "c"]);
});

Deno.test("a command returns the answer of its own step, and none is left over for the next", () => {
  const { driver } = scene((input) =>
    input.kind === "command" && input.command.kind === "rejoin"
      ? [send, { kind: "answer", accepted: true, message: "welcome" }, report]
      : []
  );
  assert.deepEqual(driver.command({ kind: "rejoin", groups: [] }), { accepted: true, message: "welcome" });
  assert.equal(driver.command({ kind: "confirm", groups: [] }).accepted, false);
  driver.close();
});

Deno.test("after the end nothing is taken any more, not even what was waiting", () => {
  const { driver, node } = scene(() => [{ kind: "exit" }], undefined, (_, driver) => {
    driver.input({ kind: "wake" });
    driver.close();
  });
  driver.input({ kind: "start" });
  driver.input({ kind: "wake" });
  assert.deepEqual(node.inputs, [{ kind: "start" }]);
  assert.deepEqual(driver.command({ kind: "shutdown" }), {
    accepted: false,
    message: "the daemon is ending",
  });
});

Deno.test("a hand that fails does not leave the driver busy for ever", () => {
  let isBroken = true;
  const { driver, node } = scene(() => [report], undefined, () => {
    if (isBroken) throw new Error("broken hand");
  });
  assert.throws(() => driver.input({ kind: "start" }), /broken hand/);
  isBroken = false;
  driver.input({ kind: "wake" });
  driver.close();
  assert.equal(node.inputs.length, 2);
});

Deno.test("the node is woken when it wants to be, not before, and again by its newest wish", async () => {
  const woken: number[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const wished: number[] = [];
  const { driver, node } = scene(
    () => {
      woken.push(performance.now());
      if (woken.length === 4) {
        node.wakeAt = null;
        resolve();
      } else {
        node.wakeAt = performance.now() + 15;
        wished.push(node.wakeAt);
      }
      return [];
    },
    () => performance.now(),
  );
  driver.input({ kind: "start" });
  const limit = setTimeout(() => resolve(), 5_000);
  await promise;
  clearTimeout(limit);
  driver.close();
  assert.equal(woken.length, 4, "woken three times within 5 s");
  for (const [index, wish] of wished.entries()) {
    assert.ok(woken[index + 1]! >= Math.floor(wish), `${woken[index + 1]} is before ${wish}`);
  }
  assert.deepEqual(node.inputs.slice(1), [{ kind: "wake" }, { kind: "wake" }, { kind: "wake" }]);
});

Deno.test("what status shows is the node at this instant", () => {
  let nowMs = 1_000;
  const { driver, node } = scene(() => [], () => nowMs);
  driver.input({ kind: "start" });
  nowMs = 4_000.9;
  assert.equal(driver.view().node, "n1");
  driver.close();
  assert.deepEqual(node.viewedAt, [4_000]);
});

Deno.test("what a late step decides is good no longer than the right that the last heartbeat gives", () => {
  const pair = clusterOf({ nodes: ["n1", "n2"] });
  const clock = { nowMs: 1_000 };
  const { driver, done, node } = scene(() => [{ kind: "renew", group: "web" }, send], () => clock.nowMs);
  Object.defineProperty(node, "settings", { value: pair });
  driver.input({ kind: "start" });
  clock.nowMs += 200;
  driver.input({ kind: "wake" });
  clock.nowMs += stallMs(timing) - 1;
  driver.input({ kind: "wake" });
  driver.close();
  const ends = done.filter((each) => each.startsWith("renew")).map((each) => Number(each.split(" ").at(-1)));
  assert.deepEqual(ends, [
    1_000 + decisionGoodMs(timing),
    1_200 + decisionGoodMs(timing),
    1_200 + stallMs(timing) - 5,
  ]);
});
