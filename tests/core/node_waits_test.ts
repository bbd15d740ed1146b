/** However long a node waits for something, it takes few steps, and it goes on beating. */

import assert from "node:assert/strict";
import { HandWired, order, pair, quietPair } from "./hand_wired.ts";
import { outcome, settings, timing } from "./samples.ts";

/** Steps of all nodes together in one virtual second. */
function stepsPerSecond(wired: HandWired): number {
  const before = wired.steps;
  wired.run(wired.nowMs + 10_000);
  return (wired.steps - before) / 10;
}

const answered = { kind: "answered", address: "192.0.2.100", hardware: "b" } as const;

// A pair beats 5 times a second on 2 links: 10 wakes, 20 messages; a question to the wire takes 50 ms.
const waits: readonly (readonly [string, number, () => HandWired])[] = [
  ["a quiet pair", 40, () => quietPair()],
  ["a pair with maintenance on", 40, () => {
    const wired = quietPair();
    wired.command("n1", { kind: "maintenance", on: true });
    return wired.run(2_000);
  }],
  ["a node that is vetoed", 15, () => {
    const wired = quietPair();
    wired.wire = () => answered;
    wired.still.add("n1");
    return wired.run(8_000);
  }],
  ["a node that may not ask", 20, () => {
    const wired = quietPair();
    wired.wire = () => ({ kind: "blind", reason: "no carrier" });
    wired.still.add("n1");
    return wired.run(8_000);
  }],
  ["a node whose rival asks too", 60, () => {
    const wired = quietPair();
    wired.wire = () => ({ kind: "contended", address: "192.0.2.100", hardware: "b" });
    wired.still.add("n1");
    return wired.run(8_000);
  }],
  ["a node that waits for a confirmation", 60, () => {
    const wired = quietPair({ takeoverConfirm: true });
    wired.still.add("n1");
    return wired.run(8_000);
  }],
  ["a node that waits for the delay", 60, () => {
    const wired = quietPair({ takeoverDelayMs: 60_000 });
    wired.still.add("n1");
    return wired.run(8_000);
  }],
  ["a blocked pair", 40, () => {
    const wired = quietPair();
    wired.answer = ({ operation }) => outcome(operation === "stop" ? "failed" : "running");
    wired.command("n1", order("release"));
    return wired.run(8_000);
  }],
  ["a pair whose stop never ends", 40, () => {
    const wired = quietPair();
    wired.answer = () => null;
    wired.command("n1", order("release"));
    return wired.run(8_000);
  }],
  ["an isolated node", 15, () => {
    const wired = quietPair({ arbiter: { kind: "release" } });
    wired.still.add("n2");
    wired.run(8_000);
    assert.equal(wired.nodes.get("n1")!.view().isolated, true);
    return wired;
  }],
  ["a node that is alone for good", 15, () => {
    const wired = new HandWired(settings(pair));
    wired.start("n1");
    return wired.run(8_000);
  }],
  ["three nodes, two of which wait for the third", 130, () => {
    const wired = new HandWired(settings({ timing: { ...timing, initDeadMs: 100_000 } }));
    wired.start("n1");
    wired.start("n2");
    return wired.run(8_000);
  }],
  ["a pair whose links carry one way only", 60, () => {
    const wired = quietPair();
    wired.isCarried = (from) => from === "n1";
    return wired.run(8_000);
  }],
];

for (const [name, stepsMax, make] of waits) {
  Deno.test(`${name} takes at most ${stepsMax} steps a second`, () => {
    const perSecond = stepsPerSecond(make());
    assert.ok(perSecond <= stepsMax, `${perSecond} steps a second`);
    assert.ok(perSecond >= 1000 / timing.keepaliveMs, `${perSecond} steps a second: it has stopped beating`);
  });
}
