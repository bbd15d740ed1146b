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
