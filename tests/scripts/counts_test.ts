import assert from "node:assert/strict";
import { countsOfRun, failuresOf } from "../../scripts/testing/counts.ts";

const cases: ReadonlyArray<
  readonly [title: string, output: string, exitCode: number | null, counts: readonly [number, number, number]]
> = [
  ["a good run", "a ... ok (1ms)\n\nok | 1 passed | 0 failed (8ms)\n", 0, [1, 0, 0]],
  [
    "a bad run with steps, in colour",
    "\x1b[0m\x1b[31mFAILED\x1b[0m | 11 passed (3 steps) | 2 failed (1 step) | 4 ignored \x1b[0m\x1b[38;5;245m(8ms)\x1b[0m\n",
    1,
    [11, 2, 4],
  ],
  [
    "a run whose tests print summaries of their own",
    "ok | 9 passed | 0 failed (1s)\nok | 2 passed | 0 failed (2s)\n",
    0,
    [2, 0, 0],
  ],
  ["a run that ended badly although all tests passed", "ok | 2 passed | 0 failed (2s)\n", 1, [2, 1, 0]],
  [
    "a run killed before its summary",
    "a ... ok (1ms)\nb ... ignored (0ms)\nc ...\n  step ... ok (1ms)\n",
    null,
    [1, 1, 1],
  ],
  ["a run that could not start", "error: Module not found\n", 1, [0, 1, 0]],
];

for (const [title, output, exitCode, [passed, failed, skipped]] of cases) {
  Deno.test(`counts of ${title}`, () => {
    assert.deepEqual(countsOfRun(output, exitCode), { passed, failed, skipped });
  });
}

Deno.test("failures are told without their way through the code, and without colour", () => {
  const output = [
    "a ... ok (1ms)",
    "",
    "\x1b[0m\x1b[1m\x1b[37m\x1b[41m ERRORS \x1b[0m",
    "",
    "b => ./b_test.ts:1:1",
    "\x1b[0m\x1b[31merror\x1b[0m: AssertionError: not so",
    "    at b (file:///b_test.ts:1:1)",
    "",
    "\x1b[0m\x1b[1m\x1b[37m\x1b[41m FAILURES \x1b[0m",
    "",
    "b => ./b_test.ts:1:1",
    "",
    "FAILED | 1 passed | 1 failed (8ms)",
  ].join("\n");
  assert.equal(failuresOf(output), "b => ./b_test.ts:1:1\nerror: AssertionError: not so");
  assert.equal(failuresOf("ok | 1 passed | 0 failed (8ms)\n"), "");
});
