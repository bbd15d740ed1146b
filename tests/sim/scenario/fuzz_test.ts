/** Damaged scenario files: each gives a scenario or problems with places, and never an exception. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { runScenario } from "../../../lib/sim/scenario/run.ts";
import { library } from "../../../lib/sim/library/library.ts";
import { parse } from "./samples.ts";

const texts = [...library.values()];
const words = [
  "all",
  "none",
  "n1",
  "n9",
  "-1",
  "0s",
  "1h",
  "{",
  "}",
  "[",
  "]",
  ": ",
  "- ",
  "null",
  "~",
  "&a",
  "*a",
];

/** A scenario of the library with some of its words or lines replaced, repeated or taken out. */
const damaged = fc.record({
  text: fc.constantFrom(...texts),
  edits: fc.array(
    fc.record({
      at: fc.nat(10_000),
      kind: fc.constantFrom("drop-line", "repeat-line", "replace-word", "cut-end", "swap-lines"),
      word: fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 6 })),
    }),
    { minLength: 1, maxLength: 3 },
  ),
}).map(({ text, edits }) => edits.reduce((known, { at, kind, word }) => edited(known, at, kind, word), text));

function edited(text: string, at: number, kind: string, word: string): string {
  const lines = text.split("\n");
  const index = at % lines.length;
  switch (kind) {
    case "drop-line":
      return lines.toSpliced(index, 1).join("\n");
    case "repeat-line":
      return lines.toSpliced(index, 0, lines[index]!).join("\n");
    case "swap-lines":
      return lines.toSpliced(index, 2, ...lines.slice(index, index + 2).reverse()).join("\n");
    case "cut-end":
      return text.slice(0, at % text.length);
    default: {
      const found = [...text.matchAll(/[\w.\-/]+/g)];
      const chosen = found[at % Math.max(1, found.length)];
      if (chosen === undefined) return text;
      return text.slice(0, chosen.index) + word + text.slice(chosen.index + chosen[0].length);
    }
  }
}

Deno.test("a damaged scenario gives problems with their places, or a scenario that can be run", () => {
  let runs = 0;
  let refusals = 0;
  fc.assert(
    fc.property(damaged, (text) => {
      const { scenario, problems } = parse(text);
      if (scenario === null) {
        refusals++;
        assert.ok(problems.some(({ severity }) => severity === "error"), "it is refused for a reason");
        for (const { line, message } of problems) assert.ok(line >= 0 && message !== "");
        return;
      }
      runs++;
      const { tallies } = runScenario({ ...scenario, durationMs: Math.min(scenario.durationMs, 3_000) });
      assert.ok(tallies.length > 0);
    }),
    { numRuns: 600 },
  );
  assert.ok(runs > 50 && refusals > 50, `${runs} ran, ${refusals} were refused: the damage is one-sided`);
});
