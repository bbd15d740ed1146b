/** Orders for the whole cluster: whoever hears of them, in whatever order, ends with the same ones. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { Directives } from "../../../lib/core/ownership/directives.ts";
import { counterMax } from "../../../lib/wire/limits.ts";
import type { MaintenanceStatement, PinStatement, Statement } from "../../../lib/wire/statement.ts";
import { statement, stopped } from "../samples.ts";

function told(maintenance: MaintenanceStatement, pins: Record<string, PinStatement | null> = {}): Statement {
  const groups = Object.entries(pins).map(([name, pin]) => [name, { ...stopped, pin }]);
  return statement({ maintenance, groups: Object.fromEntries(groups) });
}

function known(directives: Directives): unknown {
  return { ...directives.maintenance, web: directives.pin("web"), mail: directives.pin("mail") };
}

function merged(statements: readonly Statement[]): Directives {
  const directives = new Directives(["web", "mail"]);
  for (const each of statements) directives.merge(each);
  return directives;
}

/** What a node that knows these would state. */
function restated(directives: Directives): Statement {
  return told(directives.maintenance, { web: directives.pin("web"), mail: directives.pin("mail") });
}

const pin = fc.option(
  fc.record({ node: fc.constantFrom(null, "n1", "n2", "n3"), version: fc.integer({ min: 0, max: 3 }) }, {
    noNullPrototype: true,
  }),
);
const anyStatement = fc.record({
  on: fc.boolean(),
  version: fc.integer({ min: 0, max: 3 }),
  web: pin,
  mail: pin,
}).map(({ on, version, web, mail }) => told({ on, version }, { web, mail }));

Deno.test("merging is commutative and idempotent: neither order nor repetition matters", () => {
  const twoOrders = fc.array(anyStatement, { minLength: 1, maxLength: 8 }).chain((list) =>
    fc.tuple(fc.constant(list), fc.shuffledSubarray([...list, ...list], { minLength: 2 * list.length }))
  );
  fc.assert(fc.property(twoOrders, ([one, other]) => {
    const [first, second] = [merged(one), merged(other)];
    assert.deepEqual(known(first), known(second));
    for (const each of one) assert.equal(first.merge(each), false, "nothing is news twice");
  }));
});

Deno.test("merging is associative: hearing of orders from one who has merged them is the same", () => {
  fc.assert(fc.property(anyStatement, anyStatement, anyStatement, (a, b, c) => {
    const left = merged([restated(merged([a, b])), c]);
    const right = merged([a, restated(merged([b, c]))]);
    assert.deepEqual(known(left), known(right));
    assert.deepEqual(known(left), known(merged([a, b, c])));
  }));
});

const maintenanceCases = [
  ["a later version counts, also when it ends maintenance", { on: true, version: 3 }, {
    on: false,
    version: 4,
  }, true],
  ["an earlier version does not", { on: true, version: 3 }, { on: false, version: 2 }, false],
  ["of equal versions maintenance counts: it is the careful one", { on: false, version: 3 }, {
    on: true,
    version: 3,
  }, true],
  ["of equal versions its end does not", { on: true, version: 3 }, { on: false, version: 3 }, false],
] as const;

for (const [name, before, heard, hasChanged] of maintenanceCases) {
  Deno.test(name, () => {
    const directives = merged([told(before)]);
    assert.equal(directives.merge(told(heard)), hasChanged);
    assert.deepEqual(directives.maintenance, hasChanged ? heard : before);
  });
}

Deno.test("an order given here outranks all that is known here, and each group has its own", () => {
  const directives = merged([told({ on: true, version: 7 }, { web: { node: "n3", version: 4 } })]);
  directives.setMaintenance(false);
  directives.setPin("web", "n1");
  directives.setPin("mail", null);
  assert.deepEqual(known(directives), {
    on: false,
    version: 8,
    web: { node: "n1", version: 5 },
    mail: { node: null, version: 1 },
  });
  assert.deepEqual(
    [directives.pinnedNode("web"), directives.pinnedNode("mail"), directives.pinnedNode("x")],
    [
      "n1",
      null,
      null,
    ],
  );
});

Deno.test("versions stop at what others accept", () => {
  const directives = merged([
    told({ on: true, version: counterMax }, { web: { node: "n1", version: counterMax } }),
  ]);
  directives.setMaintenance(false);
  directives.setPin("web", "n2");
  assert.equal(directives.maintenance.version, counterMax);
  assert.equal(directives.pin("web")!.version, counterMax);
});

Deno.test("pins of groups that are not configured are not kept, however many a peer makes up", () => {
  const directives = new Directives(["web"]);
  const pin = { node: "n2", version: 7 };
  assert.equal(directives.merge(told({ on: false, version: 0 }, { other: pin, ["__proto__"]: pin })), false);
  assert.deepEqual([directives.pin("other"), directives.pin("__proto__")], [null, null]);
  assert.equal(directives.merge(told({ on: false, version: 0 }, { web: pin })), true);
});
