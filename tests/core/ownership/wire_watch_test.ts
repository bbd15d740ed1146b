/** When the wire counts as silent: after enough questions and time, and until anything but silence. */

import assert from "node:assert/strict";
import type { WireVerdict } from "../../../lib/core/inputs.ts";
import { wireBackoffMsMax, wireBlindRetryMs } from "../../../lib/core/limits.ts";
import { WireWatch } from "../../../lib/core/ownership/wire_watch.ts";
import { at, id } from "../samples.ts";

const windowMs = 50;
const silent: WireVerdict = { kind: "silent" };
const answered: WireVerdict = { kind: "answered", address: "192.0.2.9", hardware: "b" };
const contended: WireVerdict = { kind: "contended", address: "192.0.2.9", hardware: "b" };
const blind: WireVerdict = { kind: "blind", reason: "no carrier" };

/** Questions one after the other from 0, each open for the window. */
function heard(...verdicts: WireVerdict[]): WireWatch {
  const wire = new WireWatch();
  for (const [index, verdict] of verdicts.entries()) {
    wire.asked(id(index + 1), at(index * windowMs), windowMs, at(0));
    assert.equal(wire.hear(id(index + 1), verdict, at((index + 1) * windowMs)), true);
  }
  return wire;
}

const cases:
  readonly (readonly [string, readonly WireVerdict[], nowMs: number, durationMs: number, boolean])[] = [
    ["nothing asked", [], 0, 0, false],
    ["one silent question", [silent], 50, 0, false],
    ["two silent questions", [silent, silent], 100, 100, true],
    ["two silent questions, a longer time wanted", [silent, silent], 100, 101, false],
    ["the time counts from the first question's beginning", [silent, silent, silent], 150, 150, true],
    ["an answer ends the silence", [silent, silent, answered], 150, 0, false],
    ["a rival that asks too ends it", [silent, silent, contended], 150, 0, false],
    ["a question that could not be put ends it", [silent, silent, blind], 150, 0, false],
    ["one silent question after an answer", [silent, silent, answered, silent], 200, 0, false],
    ["silence anew after an answer", [answered, silent, silent], 150, 100, true],
    ["silence anew counts from its own beginning", [silent, answered, silent, silent], 200, 101, false],
    ["silence that is just young enough", [silent, silent], 100 + 3 * windowMs + 20, 0, true],
    ["silence that is too old", [silent, silent], 100 + 3 * windowMs + 21, 0, false],
  ];

for (const [name, verdicts, nowMs, durationMs, isSilent] of cases) {
  Deno.test(`wire: ${name}: ${isSilent ? "silent" : "not known to be silent"}`, () => {
    assert.equal(heard(...verdicts).isSilent(at(nowMs), windowMs, durationMs), isSilent);
  });
}

Deno.test("a duplicate check is content with as many questions as it says", () => {
  assert.equal(heard(silent).isSilent(at(50), windowMs, 50, 1), true);
  assert.equal(heard(silent).isSilent(at(50), windowMs, 50, 2), false);
});

Deno.test("the outcome of a question that was given up or replaced is not heard", () => {
  const wire = new WireWatch();
  wire.asked(id(1), at(0), windowMs, at(0));
  wire.reset();
  assert.equal(wire.hear(id(1), silent, at(50)), false);
  wire.asked(id(2), at(60), windowMs, at(0));
  assert.equal(wire.hear(id(1), answered, at(70)), false);
  assert.equal(wire.hear(id(2), silent, at(110)), true);
  assert.equal(wire.hear(id(2), silent, at(110)), false, "once");
  assert.deepEqual(wire.last, silent);
});

Deno.test("what was learnt before a reset counts no more, also not with one more silent question", () => {
  const wire = heard(silent, silent);
  wire.reset();
  assert.equal(wire.isSilent(at(100), windowMs, 0), false);
  assert.equal(wire.last, null);
  wire.asked(id(9), at(100), windowMs, at(0));
  wire.hear(id(9), silent, at(150));
  assert.equal(wire.isSilent(at(150), windowMs, 0), false);
});

Deno.test("the next question follows silence at once, and anything else after its pause", () => {
  const nextAfter = (verdict: WireVerdict) => heard(verdict).nextAskAt! - windowMs;
  assert.equal(nextAfter(silent), 0);
  assert.equal(nextAfter(answered), windowMs);
  assert.equal(nextAfter(contended), windowMs);
  assert.equal(nextAfter(blind), wireBlindRetryMs);
});

Deno.test("while somebody keeps answering the pauses double, up to a bound; silence makes them short again", () => {
  const wire = new WireWatch();
  const pauses: number[] = [];
  let now = 0;
  const ask = (verdict: WireVerdict) => {
    wire.asked(id(now + 1), at(now), windowMs, at(0));
    wire.hear(id(now + 1), verdict, at(now + windowMs));
    pauses.push(wire.nextAskAt! - now - windowMs);
    now = wire.nextAskAt! + 1;
  };
  for (let n = 0; n < 6; n++) ask(answered);
  assert.deepEqual(pauses, [50, 100, 200, 400, wireBackoffMsMax, wireBackoffMsMax]);
  ask(silent);
  ask(answered);
  assert.deepEqual(pauses.slice(-2), [0, windowMs]);
});

Deno.test("while the lease of a lost holder may run, the pauses stay as short as a question", () => {
  const wire = new WireWatch();
  for (let n = 0; n < 8; n++) {
    wire.asked(id(n + 1), at(n * 100), windowMs, at(1_000));
    wire.hear(id(n + 1), answered, at(n * 100 + 50));
    assert.equal(wire.nextAskAt, n * 100 + 100);
  }
});
