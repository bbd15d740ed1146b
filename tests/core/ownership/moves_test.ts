/** How long nobody held a group in a move, as each end measures it. */

import assert from "node:assert/strict";
import { Moves } from "../../../lib/core/ownership/moves.ts";
import type { Candidate } from "../../../lib/core/ownership/placement.ts";
import type { GroupState } from "../../../lib/wire/statement.ts";
import { at, contextAt } from "../samples.ts";

function scene() {
  const context = contextAt(0);
  const moves = new Moves();
  const said = () =>
    context.takeEffects().flatMap((effect) => effect.kind === "report" ? [{ ...effect.fields }] : []);
  /** n1 looks at what n2 states; `null`: n2 is not in view. */
  const look = (ms: number, own: GroupState, other: GroupState | null, lost: readonly string[] = []) => {
    context.now = at(ms);
    const candidates: Candidate[] = [["n1", own] as const, ["n2", other] as const].flatMap(([node, state]) =>
      state === null ? [] : [{ node, state, isEligible: true, epoch: 1, settledForMs: 0 }]
    );
    moves.watch(context, "web", own, candidates, "n1", (node) => lost.includes(node));
    return said();
  };
  const started = (ms: number) => {
    context.now = at(ms);
    moves.started(context, "web", 2);
    return said();
  };
  return { moves, look, started };
}

Deno.test("who takes measures from the other's word that it stopped to its own start", () => {
  const { moves, look, started } = scene();
  look(100, "stopped", "running");
  look(200, "stopped", "stopping");
  look(230, "stopped", "stopped");
  moves.starting(null);
  assert.deepEqual(started(245), [{ group: "web", epoch: 2, gapMs: 15 }]);
  assert.equal(moves.lastGapMs, 15);
});

Deno.test("who lets go measures from its own stop to the other's word that it runs, once", () => {
  const { moves, look } = scene();
  moves.begin("n2");
  assert.equal(moves.isWaitingForTaker, false);
  moves.released(at(1_000));
  assert.equal(moves.isWaitingForTaker, true);
  assert.deepEqual(look(1_005, "stopped", "starting"), []);
  assert.deepEqual(look(1_012, "stopped", "running"), [{ group: "web", to: "n2", gapMs: 12 }]);
  assert.equal(moves.isWaitingForTaker, false);
  assert.deepEqual(look(1_020, "stopped", "running"), []);
  assert.equal(moves.lastGapMs, 12);
});

Deno.test("a takeover from a node that was lost is measured from its last heartbeat, and is no gap", () => {
  const { moves, look, started } = scene();
  look(100, "stopped", "running");
  look(1_100, "stopped", null, ["n2"]);
  moves.starting(at(100));
  assert.deepEqual(started(1_150), [{ group: "web", epoch: 2, sinceLastHeartbeatMs: 1_050 }]);
  assert.equal(moves.lastGapMs, null);
});

Deno.test("a goodbye is a planned move: the gap counts from it", () => {
  const { moves, look, started } = scene();
  look(100, "stopped", "running");
  look(200, "stopped", null);
  moves.starting(null);
  assert.deepEqual(started(209), [{ group: "web", epoch: 2, gapMs: 9 }]);
});

Deno.test("a first start has no gap, nor has the end of a search for leftovers", () => {
  for (const before of ["stopped", "unknown"] as const) {
    const { look, started } = scene();
    look(100, "stopped", before);
    look(200, "stopped", "stopped");
    assert.deepEqual(started(300), [{ group: "web", epoch: 2 }], before);
  }
});

Deno.test("a move that comes to nothing, since the group was held again, leaves no gap behind", () => {
  const { look, started } = scene();
  look(100, "stopped", "running");
  look(200, "stopped", "stopped");
  look(300, "stopped", "running");
  look(400, "stopped", "stopped");
  assert.deepEqual(started(405), [{ group: "web", epoch: 2, gapMs: 5 }]);
  assert.deepEqual(started(900), [{ group: "web", epoch: 2 }], "each gap is told once");
});
