/** What every detector keeps to, and what sets each apart. */

import assert from "node:assert/strict";
import { ChenDetector } from "../../../lib/core/detector/chen.ts";
import type { Detector } from "../../../lib/core/detector/detector.ts";
import { FixedDetector } from "../../../lib/core/detector/fixed.ts";
import { PhiDetector } from "../../../lib/core/detector/phi.ts";
import { at } from "../helpers.ts";

const keepaliveMs = 100;
const bounds = { floorMs: 250, ceilingMs: 1_000 };
const makers: Readonly<Record<string, () => Detector>> = {
  fixed: () => new FixedDetector(500),
  chen: () => new ChenDetector({ keepaliveMs, marginMs: 400, ...bounds }),
  phi: () => new PhiDetector({ keepaliveMs, threshold: 8, ...bounds }),
};

/** Heartbeats number 1 to `count`, each later than its time by what `lateMs` says. */
function hear(detector: Detector, count: number, lateMs: (sequence: number) => number = () => 0): Detector {
  for (let sequence = 1; sequence <= count; sequence++) {
    detector.heard(at(sequence * keepaliveMs + lateMs(sequence)), sequence);
  }
  return detector;
}

for (const [name, make] of Object.entries(makers)) {
  Deno.test(`${name}: before the first heartbeat there is nothing to be late`, () => {
    assert.equal(make().deadline(), null);
  });

  Deno.test(`${name}: the deadline lies within the bounds after the last heartbeat, whatever the jitter`, () => {
    const detector = make();
    for (let sequence = 1, now = 0; sequence <= 500; sequence++) {
      now = Math.max(now + 1, sequence * keepaliveMs + (sequence * 7_919) % 170);
      detector.heard(at(now), sequence);
      const waitMs = detector.deadline()! - now;
      assert.ok(waitMs >= bounds.floorMs && waitMs <= bounds.ceilingMs, `${waitMs} ms after ${sequence}`);
    }
  });

  Deno.test(`${name}: punctual heartbeats are never taken for a death`, () => {
    const detector = make();
    for (let sequence = 1; sequence <= 300; sequence++) {
      const due = detector.deadline();
      assert.ok(due === null || sequence * keepaliveMs < due);
      detector.heard(at(sequence * keepaliveMs), sequence);
    }
  });
}

Deno.test("chen: a late heartbeat does not put off the deadline of the next one, as it does with a fixed silence", () => {
  const late = (sequence: number) => sequence === 200 ? 80 : 0;
  const punctual = 200 * keepaliveMs + 500;
  assert.equal(hear(makers.fixed!(), 200, late).deadline(), punctual + 80);
  assert.equal(hear(makers.chen!(), 200, late).deadline(), punctual);
});

Deno.test("phi: the more the intervals vary, the longer it waits", () => {
  const jittery = (spread: number) => (sequence: number) => (sequence * 37) % spread;
  const waits = [1, 60, 120].map((spread) => {
    const detector = hear(makers.phi!(), 200, jittery(spread));
    return detector.deadline()! - (200 * keepaliveMs + jittery(spread)(200));
  });
  assert.ok(waits[0]! <= waits[1]! && waits[1]! < waits[2]!, waits.join());
});

Deno.test("phi: a higher threshold waits longer", () => {
  const jitter = (sequence: number) => (sequence * 37) % 90;
  const waits = [1, 4, 8, 12].map((threshold) =>
    hear(new PhiDetector({ keepaliveMs, threshold, floorMs: 0, ceilingMs: 5_000 }), 200, jitter).deadline()!
  );
  assert.deepEqual(waits, [...waits].sort((a, b) => a - b));
  assert.equal(new Set(waits).size, waits.length);
});
