/** Every (state, event) pair of a group's hands: what runs next and which state follows. */

import assert from "node:assert/strict";
import { GroupMachine } from "../../../lib/core/ownership/group_machine.ts";
import { clusterSettings } from "../../../lib/sim/cluster_settings.ts";
import type { ResourceOutcome } from "../../../lib/core/inputs.ts";
import type { Context } from "../../../lib/core/context.ts";
import { contextAt, outcome } from "../helpers.ts";

const settings = clusterSettings({
  nodes: ["a", "b"],
  links: 1,
  timing: { keepaliveMs: 200, deadTimeMs: 1_000 },
  groups: [{ name: "g", resources: ["script", "script"] }],
}).groups[0]!;

/** Takes the operations that were asked for, as `start 0`. */
function asked(context: Context): { text: string; id: number }[] {
  return context.takeEffects().flatMap((effect) =>
    effect.kind === "run" ? [{ text: `${effect.operation} ${effect.resource}`, id: effect.id as number }] : []
  );
}

function end(machine: GroupMachine, context: Context, id: number, ended: ResourceOutcome) {
  return machine.hear(context, id as never, ended);
}

/** Brings a fresh machine into a state; the operation that is under way there has the returned id. */
function machineIn(state: GroupMachine["state"]): { machine: GroupMachine; context: Context; id: number } {
  const machine = new GroupMachine(settings);
  const context = contextAt(0);
  const next = (result: ResourceOutcome["result"]) => {
    const [operation] = asked(context);
    end(machine, context, operation!.id, outcome(result));
  };
  machine.probe(context);
  if (state !== "unknown") {
    next("stopped");
    next("stopped");
  }
  if (state !== "unknown" && state !== "stopped") machine.start(context, 1);
  if (state === "running" || state === "stopping" || state === "blocked") {
    next("running");
    next("running");
  }
  if (state === "stopping" || state === "blocked") machine.stop(context);
  if (state === "blocked") next("failed");
  assert.equal(machine.state, state);
  return { machine, context, id: asked(context)[0]?.id ?? 0 };
}

type Event = "stop" | ResourceOutcome["result"];

/** State, event, state after it, and what is asked for. */
const table: readonly (readonly [GroupMachine["state"], Event, GroupMachine["state"], string])[] = [
  ["unknown", "stop", "unknown", ""],
  ["unknown", "stopped", "unknown", "monitor 1"],
  ["unknown", "running", "unknown", "monitor 1"],
  ["unknown", "failed", "unknown", "monitor 1"],
  ["unknown", "unknown", "unknown", "monitor 1"],
  ["stopped", "stop", "stopped", ""],
  ["stopped", "running", "stopped", ""],
  ["stopped", "stopped", "stopped", ""],
  ["stopped", "failed", "stopped", ""],
  ["stopped", "unknown", "stopped", ""],
  ["starting", "running", "starting", "start 1"],
  ["starting", "stopped", "stopped", ""],
  ["starting", "failed", "stopping", "stop 0"],
  ["starting", "unknown", "stopping", "stop 0"],
  ["starting", "stop", "stopping", ""],
  ["running", "stop", "stopping", "stop 1"],
  ["running", "running", "running", ""],
  ["running", "stopped", "running", ""],
  ["running", "failed", "running", ""],
  ["running", "unknown", "running", ""],
  ["stopping", "stopped", "stopping", "stop 0"],
  ["stopping", "failed", "blocked", ""],
  ["stopping", "unknown", "blocked", ""],
  ["stopping", "running", "blocked", ""],
  ["stopping", "stop", "stopping", ""],
  ["blocked", "stop", "stopping", "stop 1"],
  ["blocked", "stopped", "blocked", ""],
  ["blocked", "running", "blocked", ""],
  ["blocked", "failed", "blocked", ""],
  ["blocked", "unknown", "blocked", ""],
];

for (const [state, event, after, next] of table) {
  Deno.test(`group ${state}, ${event}: ${after}${next === "" ? "" : `, then ${next}`}`, () => {
    const { machine, context, id } = machineIn(state);
    if (event === "stop") machine.stop(context);
    else end(machine, context, id, outcome(event));
    assert.equal(machine.state, after);
    assert.equal(asked(context).map(({ text }) => text).join(), next);
  });
}

Deno.test("a start that is to be stopped ends first, then is stopped: no start can end after its stop", () => {
  const { machine, context, id } = machineIn("starting");
  machine.stop(context);
  assert.deepEqual(asked(context), []);
  end(machine, context, id, outcome("running"));
  assert.deepEqual(asked(context).map(({ text }) => text), ["stop 0"]);
});

Deno.test("what may run after a probe is stopped, right to left", () => {
  const { machine, context, id } = machineIn("unknown");
  end(machine, context, id, outcome("running"));
  const [second] = asked(context);
  const event = end(machine, context, second!.id, outcome("unknown"));
  assert.equal(event?.kind, "probed");
  assert.equal(machine.state, "stopping");
  assert.deepEqual(asked(context).map(({ text }) => text), ["stop 1"]);
});

/** A step of a course: what is asked or how the running operation ends; then what runs next, the state, the event. */
type Step = readonly [step: string, next: string, state: GroupMachine["state"], event?: string];

/** Up to running, of two resources. */
const up: readonly Step[] = [
  ["probe", "monitor 0", "unknown"],
  ["stopped", "monitor 1", "unknown"],
  ["stopped", "", "stopped", "probed"],
  ["start", "start 0", "starting"],
  ["running", "start 1", "starting"],
  ["running", "", "running", "started"],
];

const courses: readonly (readonly [name: string, steps: readonly Step[]])[] = [
  ["starts run left to right, stops right to left", [
    ...up,
    ["stop", "stop 1", "stopping"],
    ["stopped", "stop 0", "stopping"],
    ["stopped", "", "stopped", "stopped"],
  ]],
  ["a start that fails is undone from the failed one to the left", [
    ...up.slice(0, 5),
    ["failed", "stop 1", "stopping", "start-failed"],
    ["stopped", "stop 0", "stopping"],
    ["stopped", "", "stopped", "stopped"],
  ]],
  ["a start that ends stopped is undone to its left only", [
    ...up.slice(0, 5),
    ["stopped", "stop 0", "stopping", "start-failed"],
    ["stopped", "", "stopped", "stopped"],
  ]],
  ["a stop during a start waits for it, whatever it leads to, then stops all", [
    ...up.slice(0, 5),
    ["stop", "", "stopping"],
    ["stop", "", "stopping"],
    ["failed", "stop 1", "stopping"],
    ["stopped", "stop 0", "stopping"],
    ["stopped", "", "stopped", "stopped"],
  ]],
  ["a stop during the first start, which then ends stopped, leaves nothing to stop", [
    ...up.slice(0, 4),
    ["stop", "", "stopping"],
    ["stopped", "", "stopped", "stopped"],
  ]],
  ["a stop during the probe lets it end, and the leftovers are stopped", [
    ["probe", "monitor 0", "unknown"],
    ["stop", "", "unknown"],
    ["running", "monitor 1", "unknown"],
    ["stop", "", "unknown"],
    ["stopped", "stop 0", "stopping", "probed: script0"],
    ["stopped", "", "stopped", "stopped"],
  ]],
  ["after a failed monitor it restarts from the middle: stops down to it, starts up from it", [
    ...up,
    ["restart 0", "stop 1", "stopping"],
    ["stopped", "stop 0", "stopping"],
    ["stopped", "start 0", "starting"],
    ["running", "start 1", "starting"],
    ["running", "", "running", "started"],
    ["restart 1", "stop 1", "stopping"],
    ["stopped", "start 1", "starting"],
    ["running", "", "running", "started"],
  ]],
  ["a stop during a restart, while it stops: nothing is started again", [
    ...up,
    ["restart 1", "stop 1", "stopping"],
    ["stop", "", "stopping"],
    ["stopped", "stop 0", "stopping"],
    ["stopped", "", "stopped", "stopped"],
  ]],
  ["a stop during a restart, while it starts: all is stopped", [
    ...up,
    ["restart 1", "stop 1", "stopping"],
    ["stopped", "start 1", "starting"],
    ["stop", "", "stopping"],
    ["running", "stop 1", "stopping"],
    ["stopped", "stop 0", "stopping"],
    ["stopped", "", "stopped", "stopped"],
  ]],
  ["a stop that fails blocks, and is tried again from there when asked", [
    ...up,
    ["stop", "stop 1", "stopping"],
    ["stopped", "stop 0", "stopping"],
    ["unknown", "", "blocked", "stop-failed"],
    ["stop", "stop 0", "stopping"],
    ["failed", "", "blocked", "stop-failed"],
    ["stop", "stop 0", "stopping"],
    ["stopped", "", "stopped", "stopped"],
  ]],
  ["a stop that fails in a restart blocks, and the next one stops for good", [
    ...up,
    ["restart 0", "stop 1", "stopping"],
    ["failed", "", "blocked", "stop-failed"],
    ["stop", "stop 1", "stopping"],
    ["stopped", "stop 0", "stopping"],
    ["stopped", "", "stopped", "stopped"],
  ]],
  ["what is not installed is no leftover, but is told", [
    ["probe", "monitor 0", "unknown"],
    ["not-installed", "monitor 1", "unknown"],
    ["stopped", "", "stopped", "probed: missing script0"],
  ]],
  ["what failed otherwise in the probe may run: it is stopped", [
    ["probe", "monitor 0", "unknown"],
    ["failed", "monitor 1", "unknown"],
    ["not-installed", "stop 0", "stopping", "probed: script0 missing script1"],
    ["stopped", "", "stopped", "stopped"],
  ]],
  ["monitoring goes round once, left to right, and a failure ends the round", [
    ...up,
    ["monitor", "monitor 0", "running"],
    ["monitor", "", "running"],
    ["running", "monitor 1", "running"],
    ["running", "", "running"],
    ["monitor", "monitor 0", "running"],
    ["stopped", "", "running", "monitor-failed: 0"],
  ]],
  ["the outcome of a monitor that was under way when the group stopped means nothing", [
    ...up,
    ["monitor", "monitor 0", "running"],
    ["stop", "stop 1", "stopping"],
    ["failed of monitor 0", "", "stopping"],
    ["stopped", "stop 0", "stopping"],
  ]],
];

function eventInWords(event: ReturnType<GroupMachine["hear"]>): string | undefined {
  if (event === null) return undefined;
  const id = (name: string) => name.replace("exec:/sim/g-", "script");
  if (event.kind === "monitor-failed") return `${event.kind}: ${event.index}`;
  if (event.kind !== "probed") return event.kind;
  const parts = [
    ...event.leftovers.map(id),
    ...(event.missing === null ? [] : [`missing ${id(event.missing)}`]),
  ];
  return parts.length === 0 ? event.kind : `${event.kind}: ${parts.join(" ")}`;
}

for (const [name, steps] of courses) {
  Deno.test(name, () => {
    const machine = new GroupMachine(settings);
    const context = contextAt(0);
    const ids = new Map<string, number>();
    let last = 0;
    for (const [step, next, state, event] of steps) {
      const [what, , ...of] = step.split(" ");
      let heard: string | undefined;
      switch (what) {
        case "probe":
          machine.probe(context);
          break;
        case "start":
          machine.start(context, 1);
          break;
        case "stop":
          machine.stop(context);
          break;
        case "monitor":
          machine.monitor(context);
          break;
        case "restart":
          machine.restart(context, Number(step.split(" ")[1]));
          break;
        default: {
          const ended = what === "not-installed" ? outcome("failed", 5) : outcome(what as "running", 1);
          heard = eventInWords(end(machine, context, of.length > 0 ? ids.get(of.join(" "))! : last, ended));
        }
      }
      const runs = asked(context);
      for (const { text, id } of runs) ids.set(text, last = id);
      assert.equal(runs.map(({ text }) => text).join(), next, `after ${step}`);
      assert.equal(machine.state, state, `after ${step}`);
      assert.equal(heard, event, `after ${step}`);
    }
  });
}

Deno.test("only what was seen running in a held group can be put back, and that changes no state", () => {
  const canReassert = (state: GroupMachine["state"]) => machineIn(state).machine.canReassert(0);
  const states = ["unknown", "stopped", "starting", "running", "stopping", "blocked"] as const;
  assert.deepEqual(states.filter(canReassert), ["running"]);
  const { machine, context } = machineIn("running");
  machine.reassert(context, 1);
  const [again] = asked(context);
  assert.equal(again?.text, "start 1");
  assert.equal(end(machine, context, again.id, outcome("failed", 1)), null, "monitoring will tell");
  assert.equal(machine.state, "running");
  assert.equal(machine.canReassert(7), false);
});

Deno.test("an outcome that nobody waits for, or that comes twice, changes nothing", () => {
  const { machine, context, id } = machineIn("starting");
  assert.equal(end(machine, context, 999, outcome("failed")), null);
  end(machine, context, id, outcome("running"));
  asked(context);
  assert.equal(end(machine, context, id, outcome("failed")), null);
  assert.equal(machine.state, "starting");
  assert.deepEqual(asked(context), []);
});

Deno.test("every operation carries its own time limit and the epoch of the start", () => {
  const [first] = settings.resources;
  const limited = { ...first!, startLimitMs: 1, stopLimitMs: 2, monitorLimitMs: 3 };
  const machine = new GroupMachine({ ...settings, resources: [limited] });
  const context = contextAt(0);
  const runs: unknown[] = [];
  const next = (result: ResourceOutcome["result"]) => {
    const run = context.takeEffects().find((effect) => effect.kind === "run")!;
    runs.push([run.operation, run.limitMs, run.epoch]);
    machine.hear(context, run.id, outcome(result));
  };
  machine.probe(context);
  next("stopped");
  machine.start(context, 42);
  next("running");
  machine.stop(context);
  next("stopped");
  assert.deepEqual(runs, [["monitor", 3, 0], ["start", 1, 42], ["stop", 2, 42]]);
});
