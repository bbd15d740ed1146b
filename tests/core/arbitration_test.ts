/** Whether this node is the one that is cut off, and what the policies make it do: the strictest counts. */

import assert from "node:assert/strict";
import { Arbitration } from "../../lib/core/arbitration.ts";
import type { UnreachablePolicy } from "../../lib/core/settings.ts";
import { proofMs, takeoverProofMs } from "../../lib/core/limits.ts";
import { ClusterNode } from "../../lib/core/node.ts";
import { Prng } from "../../lib/core/prng.ts";
import { at, settings, timing } from "./samples.ts";

const windowMs = 100;
const release: UnreachablePolicy = { kind: "release" };
const hold: UnreachablePolicy = { kind: "hold" };
const holdFor = (ms: number): UnreachablePolicy => ({ kind: "hold-for", ms });

function arbitration(...policies: UnreachablePolicy[]): Arbitration {
  const settings = policies.map((onUnreachable, index) =>
    ({ kind: "ping", name: `a${index}`, targets: ["192.0.2.1"], onUnreachable }) as const
  );
  return new Arbitration(settings, windowMs);
}

// Isolated since 1000.
const cases: readonly (readonly [string, readonly UnreachablePolicy[], number | "forever" | null])[] = [
  ["release", [release], null],
  ["hold", [hold], "forever"],
  ["hold for 500 ms", [holdFor(500)], 1_500],
  ["hold, and hold for 500 ms", [hold, holdFor(500)], 1_500],
  ["hold for 800 ms and for 500 ms", [holdFor(800), holdFor(500)], 1_500],
  ["hold for 500 ms and for 800 ms", [holdFor(500), holdFor(800)], 1_500],
  ["hold, hold for 500 ms, and release", [hold, holdFor(500), release], null],
  ["release, and hold", [release, hold], null],
];

for (const [name, policies, until] of cases) {
  Deno.test(`isolated, the policies are ${name}: kept until ${until}`, () => {
    const judge = arbitration(...policies);
    assert.equal(judge.judge(at(1_000), false), true);
    assert.equal(judge.keepUntil(), until);
    const last = typeof until === "number" ? until - 1 : 1_000;
    assert.equal(judge.mayKeep(at(last)), until !== null);
    assert.equal(judge.mayKeep(at(1_000_000)), until === "forever");
    judge.judge(at(1_200), false);
    assert.equal(judge.keepUntil(), until, "it counts from the beginning");
    judge.judge(at(1_300), true);
    assert.equal(judge.keepUntil(), "forever", "in contact again");
  });
}

Deno.test("one answer of any arbiter, or contact with the peers, is enough not to be isolated", () => {
  const judge = arbitration(release, release);
  judge.hear("a1", at(1_000));
  assert.equal(judge.judge(at(1_000 + windowMs - 1), false), false);
  assert.equal(judge.proofEndsAt(), 1_000 + windowMs);
  assert.equal(judge.judge(at(1_000 + windowMs), false), true);
  assert.equal(judge.judge(at(1_000 + windowMs), true), false);
});

Deno.test("what counts is the latest proof, and only of arbiters that are configured", () => {
  const judge = arbitration(release, release);
  assert.equal(judge.proofEndsAt(), null);
  judge.hear("stranger", at(900));
  assert.equal(judge.proofEndsAt(), null);
  judge.hear("a0", at(1_000));
  judge.hear("a1", at(1_050));
  assert.equal(judge.proofEndsAt(), 1_150);
  assert.deepEqual(judge.view(at(1_120)), [
    { name: "a0", policy: "release", answeredAgoMs: 120, reachable: false },
    { name: "a1", policy: "release", answeredAgoMs: 70, reachable: true },
  ]);
});

Deno.test("without an arbiter nobody can know that it is isolated, and everything is kept", () => {
  const judge = arbitration();
  assert.equal(judge.isReachable(at(0)), null);
  assert.equal(judge.judge(at(1_000), false), null);
  assert.equal(judge.mayKeep(at(1e9)), true);
});

Deno.test("policies are shown in words", () => {
  const words = arbitration(release, hold, holdFor(2_500)).view(at(0)).map(({ policy }) => policy);
  assert.deepEqual(words, ["release", "hold", "hold for 2.5 s"]);
});

Deno.test("an answer proves contact from when it was asked for, and a late one takes nothing back", () => {
  const judge = arbitration(release);
  judge.hear("a0", at(1_000));
  judge.hear("a0", at(950));
  assert.equal(judge.isReachable(at(1_000 + windowMs - 1)), true);
  assert.equal(judge.isReachable(at(1_000 + windowMs)), false);
});

Deno.test("an answer lets a node keep what it has for longer than it lets it take something", () => {
  const judge = arbitration(release);
  judge.hear("a0", at(1_000));
  assert.equal(judge.isReachable(at(1_060)), true);
  assert.equal(judge.isReachable(at(1_060), 60), false);
  assert.ok(takeoverProofMs(timing) < proofMs(timing));
});

Deno.test("an answer that lay in the socket while we stood still keeps no right alive", () => {
  const node = new ClusterNode(settings({ arbiter: release }), {
    node: "n1",
    generation: 1,
    version: "1",
    settingsHash: "same",
    keptEpochs: {},
    unprotected: [],
  }, new Prng(1));
  node.step(at(10_000), { kind: "start" });
  node.step(at(10_400), { kind: "arbiter", name: "gateway", target: "192.0.2.1", askedAt: at(10_020) });
  assert.equal(node.view(at(10_020 + proofMs(timing) - 1)).arbiters[0]?.reachable, true);
  assert.equal(node.view(at(10_020 + proofMs(timing))).arbiters[0]?.reachable, false);
});
