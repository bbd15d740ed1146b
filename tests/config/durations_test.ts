import assert from "node:assert/strict";
import fc from "fast-check";
import { type DurationDialect, formatDuration, parseDuration } from "../../lib/config/durations.ts";

Deno.test("times mean what each dialect says", () => {
  const cases: readonly [DurationDialect, string, number | null][] = [
    ["ha.cf", "2", 2000],
    ["ha.cf", "1.5", 1500],
    ["ha.cf", ".5", 500],
    ["ha.cf", "1500ms", 1500],
    ["ha.cf", "1500msec", 1500],
    ["ha.cf", "1500us", 2],
    ["ha.cf", "1499us", 1],
    ["ha.cf", "250usec", 0],
    ["ha.cf", "2s", null],
    ["ha.cf", "200 ms", null],
    ["ha.cf", "2m", null],
    ["ha.cf", "-1", null],
    ["ha.cf", "", null],
    ["ha.cf", "1e3", null],
    ["yaml", "2", 2000],
    ["yaml", "2s", 2000],
    ["yaml", "200 ms", 200],
    ["yaml", "1.5m", 90_000],
    ["yaml", "1h", 3_600_000],
    ["yaml", "168h", 604_800_000],
    ["yaml", "169h", null],
    ["yaml", "1.2.3s", null],
    ["yaml", "5 fortnights", null],
    ["yaml", "ms", null],
  ];
  for (const [dialect, text, ms] of cases) {
    const parsed = parseDuration(text, dialect);
    assert.equal(parsed.ok ? parsed.value : null, ms, `${dialect} "${text}"`);
  }
});

Deno.test("what formatDuration writes reads back as the same time", () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 604_800_000 }), (ms) => {
    assert.deepEqual(parseDuration(formatDuration(ms), "yaml"), { ok: true, value: ms });
  }));
});
