/** Directives, the wire's silence, arbitration: small machines with their tables and laws. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { Arbitration } from "../../../lib/core/arbitration.ts";
import type { EffectId } from "../../../lib/core/effects.ts";
import type { WireVerdict } from "../../../lib/core/inputs.ts";
import { Directives } from "../../../lib/core/ownership/directives.ts";
import { WireWatch } from "../../../lib/core/ownership/wire_watch.ts";
import type { UnreachablePolicy } from "../../../lib/core/settings.ts";
import { at, groupStatement, statement } from "../helpers.ts";

const drawnStatement = fc.record({
  on: fc.boolean(),
  version: fc.integer({ min: 0, max: 3 }),
  pin: fc.option(fc.record({
    node: fc.constantFrom("a", "b", null),
    version: fc.integer({ min: 1, max: 3 }),
  }, { noNullPrototype: true })),
}).map(({ on, version, pin }) =>
  statement({ maintenance: { on, version }, groups: { g: groupStatement({ pin }) } })
);

Deno.test("directives settle on the same orders in whatever sequence, and however often, they are heard", () => {
  const heard = fc.array(drawnStatement, { maxLength: 8 })
    .chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray([...list, ...list], { minLength: 2 * list.length }))
    );
  fc.assert(fc.property(heard, ([one, other]) => {
    const [first, second] = [new Directives(), new Directives()];
    for (const each of one) first.merge(each);
    for (const each of other) second.merge(each);
    assert.deepEqual(first.maintenance, second.maintenance);
    assert.deepEqual(first.pin("g"), second.pin("g"));
    for (const each of one) assert.equal(first.merge(each), false);
  }));
});

const silent: WireVerdict = { kind: "silent" };
const answered: WireVerdict = { kind: "answered", address: "192.0.2.9", hardware: "b" };
const contended: WireVerdict = { kind: "contended", address: "192.0.2.9", hardware: "b" };
const blind: WireVerdict = { kind: "blind", reason: "no carrier" };

/** Questions of 50 ms, one after the other, from 0. */
const wireCases: readonly (readonly [string, readonly WireVerdict[], number, boolean])[] = [
  ["nothing asked", [], 0, false],
  ["one silent question", [silent], 50, false],
  ["two silent questions", [silent, silent], 100, true],
  ["an answer ends the silence", [silent, silent, answered], 150, false],
  ["a rival that goes first ends it", [silent, silent, contended], 150, false],
  ["a question that could not be put ends it", [silent, silent, blind], 150, false],
  ["one silent question after an answer", [silent, silent, answered, silent], 200, false],
  ["silence anew after an answer", [answered, silent, silent], 150, true],
  ["silence that is too old", [silent, silent], 271, false],
];

for (const [name, verdicts, nowMs, isSilent] of wireCases) {
  Deno.test(`wire: ${name}: ${isSilent ? "silent" : "not known to be silent"}`, () => {
    const wire = new WireWatch();
    for (const [index, verdict] of verdicts.entries()) {
      const id = index + 1 as EffectId;
      wire.asked(id, at(index * 50), 50, at(0));
      assert.equal(wire.hear(id, verdict, at((index + 1) * 50)), true);
    }
    assert.equal(wire.isSilent(at(nowMs), 50, 100), isSilent);
  });
}

Deno.test("the outcome of a question that was given up is not heard", () => {
  const wire = new WireWatch();
  wire.asked(1 as EffectId, at(0), 50, at(0));
  wire.reset();
  assert.equal(wire.hear(1 as EffectId, silent, at(50)), false);
});

const policies: readonly (readonly [UnreachablePolicy, atOnce: boolean, later: boolean])[] = [
  [{ kind: "release" }, false, false],
  [{ kind: "hold" }, true, true],
  [{ kind: "hold-for", ms: 500 }, true, false],
];

for (const [policy, atOnce, later] of policies) {
  Deno.test(`an isolated node with the policy ${policy.kind} keeps its groups: ${atOnce}, later ${later}`, () => {
    const arbitration = new Arbitration([
      { kind: "ping", name: "gateway", targets: ["192.0.2.1"], onUnreachable: policy },
    ], 100);
    arbitration.hear("gateway", at(0));
    assert.equal(arbitration.judge(at(99), false), false);
    assert.equal(arbitration.judge(at(100), false), true);
    assert.equal(arbitration.mayKeep(at(100)), atOnce);
    assert.equal(arbitration.mayKeep(at(600)), later);
    assert.equal(arbitration.judge(at(601), true), false);
  });
}

Deno.test("an arbiter that is not configured proves nothing, and without any there is no isolation", () => {
  const arbitration = new Arbitration([], 100);
  arbitration.hear("stranger", at(0));
  assert.equal(arbitration.isReachable(at(0)), null);
  assert.equal(arbitration.judge(at(1_000), false), null);
});
