/**
 * The demo's verdicts, seen red: a scripted service in place of a stage, so that each thing that can go wrong does.
 */

import assert from "node:assert/strict";
import {
  isAsExpected,
  renderJson,
  renderResult,
  renderTable,
  renderVerdict,
} from "../../scripts/demo/closing.ts";
import { Missed } from "../../scripts/demo/cast.ts";
import type { Narrator } from "../../scripts/demo/narrator.ts";
import { play } from "../../scripts/demo/play.ts";
import type { Scenario } from "../../scripts/demo/scenarios.ts";
import type { ServiceWatch, Stage } from "../../scripts/demo/stages/stage.ts";
import { plainPaint } from "../../scripts/demo/text.ts";
import type { HolderTimeline } from "../../scripts/lab/timeline.ts";
import { monotonicMs } from "../../lib/system/clock.ts";

/** Everything that the judgement looks at; by default a scenario in which node1 holds the service undisturbed. */
interface Script {
  readonly holder?: Scenario["holder"];
  readonly after?: readonly string[];
  readonly outageMs?: number;
  readonly overlap?: boolean;
  readonly recoveryOutageMs?: number;
  readonly recovery?: readonly string[];
  readonly missed?: string;
  readonly check?: string;
}

// Opens the native library before any test, so that no test is blamed for it.
monotonicMs();

async function judge(script: Script) {
  let holders: readonly string[] = ["node1"];
  let isRecovering = false;
  const changes: Array<{ atMs: number; holders: readonly string[] }> = [];
  const become = (next: readonly string[]) => changes.push({ atMs: monotonicMs(), holders: holders = next });
  become(holders);
  const service: ServiceWatch = {
    holders: () => holders,
    timeline: (): HolderTimeline => ({
      fromMs: changes[0]?.atMs ?? 0,
      toMs: monotonicMs(),
      changes,
      samples: 1,
      samplingGapMaxMs: 1,
    }),
    outageMs: () => isRecovering ? script.recoveryOutageMs ?? 5 : script.outageMs ?? 5,
    lastAnswerAtMs: monotonicMs(),
    uncertaintyMs: 2,
    stop: () => {},
  };
  const stage = { watchService: () => service } as unknown as Stage;
  const narrator = { watch: () => {} } as unknown as Narrator;
  const scenario: Scenario = {
    name: "scripted",
    title: "a scripted scenario",
    does: "",
    expects: "",
    holder: script.holder ?? "stays",
    outageMsMax: 100,
    unavailable: () => null,
    strike: (cast) => {
      if (script.missed !== undefined) throw new Missed(script.missed);
      if (script.overlap) {
        become(["node1", "node2"]);
        const endMs = monotonicMs() + 3;
        while (monotonicMs() < endMs);
      }
      become(script.after ?? (script.holder === "moves" ? ["node2"] : ["node1"]));
      return cast.rest(1);
    },
    recover: (cast) => {
      isRecovering = true;
      if (script.recovery) become(script.recovery);
      return cast.rest(2);
    },
    check: () => script.check === undefined ? [] : [script.check],
  };
  return await play(scenario, stage, new Map(), narrator);
}

const cases: ReadonlyArray<readonly [name: string, script: Script, finding: RegExp | null]> = [
  ["nothing happens where nothing shall", {}, null],
  ["the service moves where it shall", { holder: "moves" }, null],
  ["a long outage within the measurement's uncertainty passes", { outageMs: 101 }, null],
  ["an outage beyond the limit is found", { outageMs: 103 }, /outage of at most 100 ms, saw 103 ms/],
  [
    "a service that does not move is found",
    { holder: "moves", after: ["node1"] },
    /node2 to hold.*saw node1/,
  ],
  ["a service that moves needlessly is found", { after: ["node2"] }, /node1 to hold.*saw node2/],
  ["a service that nobody holds is found", { after: [] }, /saw no single holder/],
  ["two holders are found, however short", { overlap: true }, /never two holders, saw two for \d+ ms/],
  [
    "a move while things heal is found",
    { recovery: ["node2"] },
    /no move while things heal, saw .*node1, then node2/,
  ],
  ["a loss while things heal is found", { recovery: [] }, /held by node1, then nobody/],
  [
    "an outage while things heal is found",
    { recoveryOutageMs: 60 },
    /no outage while things heal, saw 60 ms/,
  ],
  ["what does not come about is found", { missed: "the moon to rise" }, /^expected the moon to rise$/],
  ["a scenario's own finding counts", { check: "expected one alarm, saw two" }, /one alarm, saw two/],
];

for (const [name, script, finding] of cases) {
  Deno.test(`the demo's judgement: ${name}`, async () => {
    const result = await judge(script);
    const run = { mode: "namespaces", results: [result], skipped: [] } as const;
    const json = JSON.parse(renderJson(run));
    assert.equal(isAsExpected(run), finding === null, result.findings.join("\n"));
    assert.equal(json.ok, finding === null);
    assert.equal(result.isStuck, script.missed !== undefined);
    const shown = [...renderResult(result, plainPaint), ...renderVerdict(run, plainPaint)].join("\n");
    const row = renderTable(run, plainPaint).find((line) => line.includes("a scripted scenario")) ?? "";
    if (finding === null) {
      assert.match(shown, /as expected/);
      assert.match(row, / ok$/);
      return;
    }
    assert.ok(result.findings.some((text) => finding.test(text)), result.findings.join("\n"));
    assert.match(shown, /NOT AS EXPECTED/);
    assert.match(shown, /did NOT go as expected/);
    assert.match(row, / NO$/);
  });
}
