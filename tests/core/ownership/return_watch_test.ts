/** What is done about an address of ours that is gone. */

import assert from "node:assert/strict";
import { AlarmBook } from "../../../lib/core/alarms.ts";
import { Context } from "../../../lib/core/context.ts";
import type { Effect, EffectId } from "../../../lib/core/effects.ts";
import type { WireVerdict } from "../../../lib/core/inputs.ts";
import { ReturnWatch } from "../../../lib/core/ownership/return_watch.ts";
import { at } from "../helpers.ts";

function asked(context: Context): EffectId {
  const [question] = context.takeEffects().filter((effect): effect is Extract<Effect, { kind: "ask-wire" }> =>
    effect.kind === "ask-wire"
  );
  assert.ok(question, "the wire is asked");
  return question.id;
}

const cases: readonly (readonly [string, WireVerdict, unknown])[] = [
  ["silent: it is put back", { kind: "silent" }, [0]],
  ["answered: another has it", { kind: "answered", address: "10.0.0.9", hardware: "02:00:00:00:00:01" }, {
    taken: "02:00:00:00:00:01 has 10.0.0.9 now, which was lost here",
  }],
  ["contended: another takes it", { kind: "contended", address: "10.0.0.9", hardware: "02:00:00:00:00:01" }, {
    taken: "02:00:00:00:00:01 has 10.0.0.9 now, which was lost here",
  }],
  ["blind: nothing is known yet", { kind: "blind", reason: "no carrier" }, null],
];

for (const [name, verdict, expected] of cases) {
  Deno.test(`a lost address, the wire ${name}`, () => {
    const context = new Context(new AlarmBook(), at(1_000));
    const watch = new ReturnWatch("web");
    assert.equal(watch.lost(context, 0, 50), true);
    assert.deepEqual(watch.hear(context, asked(context), verdict), expected);
  });
}

Deno.test("an address that is lost again while it is asked for is no news", () => {
  const context = new Context(new AlarmBook(), at(1_000));
  const watch = new ReturnWatch("web");
  watch.lost(context, 0, 50);
  const id = asked(context);
  assert.equal(watch.lost(context, 0, 50), false);
  assert.equal(watch.lost(context, 1, 50), true, "another address is");
  assert.deepEqual(watch.hear(context, id, { kind: "silent" }), [0, 1]);
});

Deno.test("a question that could not be put is put again, and none after the group was given up", () => {
  const context = new Context(new AlarmBook(), at(1_000));
  const watch = new ReturnWatch("web");
  watch.lost(context, 0, 50);
  watch.hear(context, asked(context), { kind: "blind", reason: "no carrier" });
  context.now = watch.retryAt!;
  watch.tick(context);
  const id = asked(context);
  watch.drop();
  assert.equal(watch.hear(context, id, { kind: "silent" }), null);
});
