/** When a node steps aside because another one hears somebody that it does not hear itself. */

import assert from "node:assert/strict";
import { Peer } from "../../../lib/core/membership/peer.ts";
import { Bar } from "../../../lib/core/ownership/bar.ts";
import { at, contextAt, group, hears, statement, timing } from "../samples.ts";

function scene() {
  const context = contextAt(0);
  const bar = new Bar(group());
  const [lost, witness] = [new Peer("n2", ["hb0"], timing), new Peer("n3", ["hb0"], timing)];
  witness.isInView = true;
  witness.statement = statement({ hears: hears("n2", 10, 5) });
  const look = (ms: number, isStopped = true) => {
    context.now = at(ms);
    context.isStatementDirty = false;
    bar.watch(context, [lost, witness], isStopped, 1_000);
    return [bar.reason !== null, context.isStatementDirty];
  };
  return { bar, lost, witness, look };
}

Deno.test("the testimony must last, then the others are told; and told again when it is over", () => {
  const { bar, witness, look } = scene();
  assert.deepEqual(look(1_000), [false, false]);
  assert.deepEqual(look(1_999), [false, false]);
  assert.deepEqual(look(2_000), [true, true]);
  assert.equal(bar.reason, "n3 still hears n2, which is not heard here");
  assert.deepEqual(look(9_000), [true, false]);
  witness.statement = statement();
  assert.deepEqual(look(9_001), [false, true]);
  witness.statement = statement({ hears: hears("n2", 10, 5) });
  assert.deepEqual(look(9_002), [false, false], "it counts anew");
});

const notBarred: readonly (readonly [string, (made: ReturnType<typeof scene>) => void, boolean])[] = [
  ["who holds the group", () => {}, false],
  ["who hears it as well", ({ lost }) => lost.isInView = true, true],
  ["after its goodbye", ({ lost }) => lost.hasLeft = true, true],
  ["when the witness is out of view", ({ witness }) => witness.isInView = false, true],
  ["when it may not hold the group", ({ lost }) => Object.assign(lost, { node: "n9" }), true],
];

for (const [name, change, isStopped] of notBarred) {
  Deno.test(`not barred is ${name}`, () => {
    const made = scene();
    change(made);
    made.look(1_000, isStopped);
    assert.deepEqual(made.look(60_000, isStopped), [false, false]);
  });
}
