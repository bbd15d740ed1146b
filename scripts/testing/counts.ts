/**
 * Reads how many tests passed, failed and were skipped from what `deno test` prints, and how they failed.
 *
 * Its summary line is what counts; a run that was ended before it printed one is counted by its single lines. A run
 * that ended badly never counts as free of failures, whatever it printed.
 */

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const NO_COUNTS: Counts = { passed: 0, failed: 0, skipped: 0 };

export function addCounts(a: Counts, b: Counts): Counts {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/** The counts of one run of `deno test`. Steps inside a test are not counted. */
export function countsOfRun(output: string, exitCode: number | null): Counts {
  const lines = withoutColour(output).split("\n");
  const counts = fromSummary(lines) ?? fromSingleLines(lines);
  return exitCode !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

/** Whether the run got as far as saying that everything passed. */
export function hasPassingSummary(output: string): boolean {
  return /^ok \| \d+ passed/m.test(withoutColour(output));
}

/** Each failure's title and message, without its way through the code; empty: none, or no word of any. */
export function failuresOf(output: string): string {
  const text = withoutColour(output);
  const errors = [...text.matchAll(/^ ERRORS \n\n([^]*?)^ FAILURES $/gm)].map(([, errors]) => errors!);
  return errors.join("").split("\n").filter((line) => !/^ {4}at /.test(line)).join("\n").trim();
}

function withoutColour(output: string): string {
  // deno-lint-ignore no-control-regex
  return output.replaceAll(/\x1b\[[0-9;]*m/g, "");
}

/** `ok | 12 passed (3 steps) | 1 failed | 2 ignored (4s)`; parts that are zero may be absent. */
function fromSummary(lines: readonly string[]): Counts | null {
  const line = lines.findLast((each) => /^(ok|FAILED) \| \d+ passed/.test(each));
  if (line === undefined) return null;
  const number = (word: string) => Number(new RegExp(`\\| (\\d+) ${word}`).exec(line)?.[1] ?? 0);
  return { passed: number("passed"), failed: number("failed"), skipped: number("ignored") };
}

/** `name ... ok (3ms)`; the lines of steps are indented. */
function fromSingleLines(lines: readonly string[]): Counts {
  const count = (word: string) =>
    lines.filter((line) => new RegExp(`^\\S.* \\.\\.\\. ${word}( |$)`).test(line)).length;
  return { passed: count("ok"), failed: count("FAILED"), skipped: count("ignored") };
}
