/** Where a group belongs: the same answer for the same view, on every node. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { type Candidate, outranks, place } from "../../../lib/core/ownership/placement.ts";
import type { Failback } from "../../../lib/core/settings.ts";
import { clusterSettings } from "../../../lib/sim/cluster_settings.ts";

const nodes = ["a", "b", "c"];

function group(failback: Failback) {
  return clusterSettings({
    nodes,
    links: 1,
    timing: { keepaliveMs: 200, deadTimeMs: 1_000 },
    groups: [{ name: "g", resources: ["script"], failback }],
  }).groups[0]!;
}

function candidate(node: string, part: Partial<Candidate> = {}): Candidate {
  return { node, isEligible: true, state: "stopped", epoch: 0, settledForMs: 0, ...part };
}

const off: Failback = { kind: "off" };
const on: Failback = { kind: "on" };
const later: Failback = { kind: "after", ms: 60_000 };
const held = { state: "running" as const, epoch: 3 };

const cases: readonly (readonly [string, Failback, readonly Candidate[], string | null, string | null])[] = [
  ["nobody in view: nowhere", off, [], null, null],
  ["nobody able: nowhere", off, [candidate("a", { isEligible: false })], null, null],
  ["unheld: the most preferred", off, [candidate("c"), candidate("b")], null, "b"],
  ["failback off: it stays", off, [candidate("a"), candidate("b", held)], null, "b"],
  ["failback on: it goes back", on, [candidate("a"), candidate("b", held)], null, "a"],
  [
    "failback after: not yet",
    later,
    [candidate("a", { settledForMs: 59_999 }), candidate("b", held)],
    null,
    "b",
  ],
  ["failback after: now", later, [candidate("a", { settledForMs: 60_000 }), candidate("b", held)], null, "a"],
  ["never back to a less preferred node", on, [candidate("b", held), candidate("c")], null, "b"],
  [
    "a holder that is not able loses it",
    off,
    [candidate("a", { ...held, isEligible: false }), candidate("c")],
    null,
    "c",
  ],
  ["pinned to an able node", off, [candidate("a", held), candidate("c")], "c", "c"],
  ["pinned to a node out of view: as without", off, [candidate("a"), candidate("b", held)], "c", "b"],
  [
    "of two holders the later epoch counts",
    off,
    [candidate("a", held), candidate("b", { ...held, epoch: 4 })],
    null,
    "b",
  ],
  ["a node outside the list never gets it", off, [candidate("z", held)], null, null],
];

for (const [name, failback, candidates, pin, expected] of cases) {
  Deno.test(`placement: ${name}`, () => assert.equal(place(group(failback), candidates, pin), expected));
}

Deno.test("placement is the same whatever the order of the candidates", () => {
  const drawn = fc.uniqueArray(
    fc.record({
      node: fc.constantFrom(...nodes, "z"),
      isEligible: fc.boolean(),
      state: fc.constantFrom<Candidate["state"]>(
        "stopped",
        "unknown",
        "starting",
        "running",
        "stopping",
        "blocked",
      ),
      epoch: fc.integer({ min: 0, max: 3 }),
      settledForMs: fc.constantFrom(0, 59_999, 60_000),
    }),
    { selector: ({ node }) => node },
  );
  const shuffled = drawn.chain((list) =>
    fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))
  );
  const pin = fc.constantFrom(null, ...nodes);
  fc.assert(fc.property(shuffled, pin, fc.constantFrom(off, on, later), ([one, other], pinned, failback) => {
    assert.equal(place(group(failback), one, pinned), place(group(failback), other, pinned));
  }));
});

Deno.test("of two different claims exactly one outranks the other", () => {
  const claim = fc.tuple(fc.integer({ min: 0, max: 3 }), fc.constantFrom(...nodes));
  fc.assert(fc.property(claim, claim, ([epoch, node], [otherEpoch, otherNode]) => {
    const isSame = epoch === otherEpoch && node === otherNode;
    const wins = Number(outranks(epoch, node, otherEpoch, otherNode)) +
      Number(outranks(otherEpoch, otherNode, epoch, node));
    assert.equal(wins, isSame ? 0 : 1);
  }));
});
