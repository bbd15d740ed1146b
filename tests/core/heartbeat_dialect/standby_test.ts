import assert from "node:assert/strict";
import {
  type StandbyInput,
  type StandbyState,
  standbySteps,
} from "../../../lib/core/heartbeat_dialect/standby.ts";

const pairs = Object.entries(standbySteps).flatMap(([state, row]) =>
  Object.entries(row).map(([input, step]) => ({
    state: state as StandbyState,
    input: input as StandbyInput,
    ...step,
  }))
);

Deno.test("standby: done is said only after a release or a start of ours is complete", () => {
  const said = pairs.filter(({ act }) => act === "say-done").map(({ state, input }) => `${state} ${input}`);
  assert.deepEqual(said, ["releasing released", "taking taken"]);
});

Deno.test("standby: a start is allowed only by the other's done, a release only by its readiness", () => {
  const of = (wanted: string) =>
    pairs.filter(({ act }) => act === wanted).map((p) => `${p.state} ${p.input}`);
  assert.deepEqual(of("take"), ["promised hears-done"]);
  assert.deepEqual(of("release"), ["offered hears-other"]);
});

Deno.test("standby: every state ends when its time is over or the other one is gone", () => {
  for (const { state, input, to } of pairs) {
    if (input === "expired" || input === "partner-gone") assert.equal(to, "idle", `${state} ${input}`);
  }
});

Deno.test("standby: a word that does not fit changes nothing", () => {
  for (const { state, act, to } of pairs) if (act === "ignore") assert.equal(to, state);
});

const transcripts: readonly [
  name: string,
  inputs: readonly StandbyInput[],
  states: readonly StandbyState[],
][] = [
  ["we take", ["hears-me", "hears-done", "taken"], ["promised", "taking", "idle"]],
  ["both offer at once: neither answers", ["hears-me"], ["offered"]],
  ["the giver's done comes twice", ["hears-me", "hears-done", "hears-done", "taken"], [
    "promised",
    "taking",
    "taking",
    "idle",
  ]],
  ["the giver dies on the way", ["hears-me", "partner-gone"], ["promised", "idle"]],
];

for (const [name, inputs, states] of transcripts) {
  Deno.test(`standby: ${name}`, () => {
    let state: StandbyState = name.startsWith("both") ? "offered" : "idle";
    for (const [index, input] of inputs.entries()) {
      state = standbySteps[state][input].to;
      assert.equal(state, states[index]);
    }
  });
}
