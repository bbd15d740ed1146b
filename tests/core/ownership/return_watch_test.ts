/** Addresses that are gone are put back only when the wire says that nobody has taken them. */

import assert from "node:assert/strict";
import { wireBlindRetryMs } from "../../../lib/core/limits.ts";
import { ReturnWatch } from "../../../lib/core/ownership/return_watch.ts";
import { at, contextAt, id, lastId } from "../samples.ts";

function scene() {
  const context = contextAt(1_000);
  const returns = new ReturnWatch("web");
  const questions = () => context.takeEffects().filter(({ kind }) => kind === "ask-wire");
  return { context, returns, questions };
}

Deno.test("one question is asked however many addresses are gone, and silence puts all of them back", () => {
  const { context, returns, questions } = scene();
  assert.equal(returns.lost(context, 2, 50), true);
  assert.equal(returns.lost(context, 0, 50), true);
  assert.equal(returns.lost(context, 2, 50), false, "that is known");
  const asked = questions();
  assert.equal(asked.length, 1);
  assert.deepEqual(returns.hear(context, lastId(asked), { kind: "silent" }, true), [2, 0]);
  assert.equal(returns.lost(context, 2, 50), true, "it is news again");
});

for (const kind of ["answered", "contended"] as const) {
  Deno.test(`an address that was ${kind} elsewhere is not put back: it is another's`, () => {
    const { context, returns, questions } = scene();
    returns.lost(context, 0, 50);
    const verdict = { kind, address: "192.0.2.9", hardware: "b" };
    assert.deepEqual(returns.hear(context, lastId(questions()), verdict, true), {
      taken: "b has 192.0.2.9 now, which was lost here",
    });
    context.now = at(1e9);
    returns.tick(context);
    assert.deepEqual(questions(), []);
  });
}

Deno.test("a question that could not be put is put again after a while, and nothing is put back meanwhile", () => {
  const { context, returns, questions } = scene();
  returns.lost(context, 0, 50);
  const first = lastId(questions());
  assert.equal(returns.hear(context, first, { kind: "blind", reason: "no carrier" }, true), null);
  assert.equal(returns.retryAt, 1_000 + wireBlindRetryMs);
  context.now = at(1_000 + wireBlindRetryMs - 1);
  returns.tick(context);
  assert.deepEqual(questions(), []);
  context.now = at(1_000 + wireBlindRetryMs);
  returns.tick(context);
  returns.tick(context);
  const again = questions();
  assert.equal(again.length, 1);
  assert.equal(returns.hear(context, first, { kind: "silent" }, true), null, "that question is over");
  assert.deepEqual(returns.hear(context, lastId(again), { kind: "silent" }, true), [0]);
});

Deno.test("once the group is given up no verdict puts anything back", () => {
  const { context, returns, questions } = scene();
  returns.lost(context, 0, 50);
  const asked = lastId(questions());
  returns.drop();
  assert.equal(returns.hear(context, asked, { kind: "silent" }, true), null);
  assert.equal(returns.hear(context, id(999), { kind: "silent" }, true), null);
});

Deno.test("silence puts nothing back while addresses may not be set; it is asked again", () => {
  const { returns, context, questions } = scene();
  returns.lost(context, 0, 50);
  assert.equal(returns.hear(context, lastId(questions()), { kind: "silent" }, false), null);
  assert.notEqual(returns.retryAt, null);
});
