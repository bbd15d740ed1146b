/** Addresses that are gone are put back only when the wire says that nobody has taken them. */

import assert from "node:assert/strict";
import { wireBlindRetryMs } from "../../../lib/core/limits.ts";
import { ReturnWatch } from "../../../lib/core/ownership/return_watch.ts";
import { at, contextAt, id, lastId } from "../samples.ts";

const may = { maySet: true, isMaintenance: false };
const inMaintenance = { maySet: true, isMaintenance: true };

/** Addresses with a lease of a second that has been renewed all the time. */
function scene(leaseSeconds = 1) {
  const context = contextAt(1_000);
  const returns = new ReturnWatch("web", leaseSeconds);
  for (let ms = -1_000; ms <= 1_000; ms += 200) returns.renewed(at(ms));
  const questions = () => context.takeEffects().filter(({ kind }) => kind === "ask-wire");
  const lost = (resource: number, isMaintenance = false) =>
    returns.lost(context, resource, 50, isMaintenance);
  return { context, returns, questions, lost };
}

Deno.test("one question is asked however many addresses are gone, and silence puts all of them back", () => {
  const { context, returns, questions, lost } = scene();
  assert.equal(lost(2), "asked");
  assert.equal(lost(0), "asked");
  assert.equal(lost(2), null, "that is known");
  const asked = questions();
  assert.equal(asked.length, 1);
  assert.deepEqual(returns.hear(context, lastId(asked), { kind: "silent" }, may), [2, 0]);
  assert.equal(lost(2), "asked", "it is news again");
});

for (const kind of ["answered", "contended"] as const) {
  Deno.test(`an address that was ${kind} elsewhere is not put back: it is another's`, () => {
    const { context, returns, questions, lost } = scene();
    lost(0);
    const verdict = { kind, address: "192.0.2.9", hardware: "b" };
    assert.deepEqual(returns.hear(context, lastId(questions()), verdict, may), {
      taken: "b has 192.0.2.9 now, which was lost here",
    });
    context.now = at(1e9);
    returns.tick(context, false);
    assert.deepEqual(questions(), []);
  });
}

Deno.test("a question that could not be put is put again after a while, and nothing is put back meanwhile", () => {
  const { context, returns, questions, lost } = scene();
  lost(0);
  const first = lastId(questions());
  assert.equal(returns.hear(context, first, { kind: "blind", reason: "no carrier" }, may), null);
  assert.equal(returns.retryAt, 1_000 + wireBlindRetryMs);
  context.now = at(1_000 + wireBlindRetryMs - 1);
  returns.tick(context, false);
  assert.deepEqual(questions(), []);
  context.now = at(1_000 + wireBlindRetryMs);
  returns.tick(context, false);
  returns.tick(context, false);
  const again = questions();
  assert.equal(again.length, 1);
  assert.equal(returns.hear(context, first, { kind: "silent" }, may), null, "that question is over");
  assert.deepEqual(returns.hear(context, lastId(again), { kind: "silent" }, may), [0]);
});

Deno.test("once the group is given up no verdict puts anything back", () => {
  const { context, returns, questions, lost } = scene();
  lost(0);
  const asked = lastId(questions());
  returns.drop();
  assert.equal(returns.hear(context, asked, { kind: "silent" }, may), null);
  assert.equal(returns.hear(context, id(999), { kind: "silent" }, may), null);
});

Deno.test("silence puts nothing back while addresses may not be set; it is asked again", () => {
  const { returns, context, questions, lost } = scene();
  lost(0);
  assert.equal(
    returns.hear(context, lastId(questions()), { kind: "silent" }, { ...may, maySet: false }),
    null,
  );
  assert.notEqual(returns.retryAt, null);
});

Deno.test("in maintenance what somebody has taken off is left, and asked about when maintenance ends", () => {
  const { returns, context, questions, lost } = scene();
  assert.equal(lost(0, true), "left");
  assert.equal(lost(0, true), null, "that is known");
  context.now = at(1_800);
  returns.renewed(context.now);
  returns.tick(context, true);
  assert.deepEqual(questions(), []);
  returns.tick(context, false);
  assert.deepEqual(returns.hear(context, lastId(questions()), { kind: "silent" }, may), [0]);
});

Deno.test("a question that is open when maintenance begins puts nothing back, and is asked again after it", () => {
  const { returns, context, questions, lost } = scene();
  lost(0);
  assert.equal(returns.hear(context, lastId(questions()), { kind: "silent" }, inMaintenance), null);
  returns.tick(context, true);
  assert.deepEqual(questions(), []);
  returns.tick(context, false);
  assert.equal(questions().length, 1);
});

/** Since the last renewal; whether one came late just before the loss was seen; the lease. */
const ends: readonly (readonly [sinceMs: number, isLate: boolean, leaseSeconds: number, done: string])[] = [
  [999, false, 1, "left"],
  [1_000, false, 1, "asked"],
  [1_000, true, 1, "asked"],
  [999, true, 1, "left"],
  [1_000, false, 2, "left"],
  [5_000, false, 0, "left"],
];

for (const [sinceMs, isLate, leaseSeconds, done] of ends) {
  const renewed = `${sinceMs} ms after the last renewal${isLate ? " but for one just now" : ""}`;
  Deno.test(`in maintenance an address with a lease of ${leaseSeconds} s that is lost ${renewed} is ${done}`, () => {
    const { returns, context, lost } = scene(leaseSeconds);
    context.now = at(1_000 + sinceMs);
    if (isLate) returns.renewed(context.now);
    assert.equal(lost(0, true), done);
  });
}

Deno.test("in maintenance an address that ran out is put back when it is free, and nothing is given up when it is not", () => {
  const { returns, context, questions, lost } = scene();
  context.now = at(2_500);
  lost(0, true);
  assert.deepEqual(returns.hear(context, lastId(questions()), { kind: "silent" }, inMaintenance), [0]);
  lost(0, true);
  const verdict = { kind: "answered", address: "192.0.2.9", hardware: "b" } as const;
  assert.equal(returns.hear(context, lastId(questions()), verdict, inMaintenance), null);
  returns.tick(context, true);
  assert.deepEqual(questions(), [], "it is another's: left to the end of maintenance");
  returns.tick(context, false);
  assert.deepEqual(returns.hear(context, lastId(questions()), verdict, may), {
    taken: "b has 192.0.2.9 now, which was lost here",
  });
});
