/** What a measurement looks like: text within 80 columns, a picture for light and dark, a line for Nagios. */

import assert from "node:assert/strict";
import type { PathResult, ProbeResult, Surroundings } from "../../cli/commands/probe/result.ts";
import { resultFrom } from "../../cli/commands/probe/result.ts";
import { plainPaint } from "../../cli/render/paint.ts";
import { probeJson } from "../../cli/render/probe/json.ts";
import { nagiosResult } from "../../cli/render/probe/nagios.ts";
import { probeSvg } from "../../cli/render/probe/svg.ts";
import { renderResult } from "../../cli/render/probe/text.ts";
import { Prng } from "../../lib/core/prng.ts";
import { reportOf } from "../../lib/measure/report.ts";

const dayMs = 86_400_000;
const around = {
  ...{
    facts: new Map(),
    skipped: [{ link: "tcp:hb2", reason: "its one connection belongs to the daemons", isBroken: false }],
  },
  ...{ missedBeats: 2, intervalMs: 100, patienceMs: 1_000, isCluster: true },
  passive: [{
    ...{ peer: "node2", link: "tcp:hb2", state: "up" as const, heard: 80, lost: 0 },
    loss: { value: 0, low: 0, high: 0.04 },
  }],
};

/** Loses one of `every` there, and none back. */
function path(description: string, answeredBy: string, every: number, count = 500): PathResult {
  const random = new Prng(every);
  const outward = Array.from({ length: count }, () => !random.chance(1 / every));
  return {
    ...{ kind: "udp", description, device: "hb0", caveat: null, answeredBy: [answeredBy] },
    facts: {
      ...{
        name: "hb0",
        hasCarrier: true,
        speedMbit: 1_000,
        duplex: "half",
        mtuBytes: 1_500,
        carrierLosses: 0,
      },
    },
    report: reportOf({
      ...{ intervalMs: 100, durationMs: count * 100, roundTrip: outward, outward },
      homeward: outward.map((arrived) => arrived ? true : null),
      roundTripsMs: outward.filter(Boolean).map(() => 0.2 + random.next()),
      ...{ variationsMs: [0.1, 0.2], copies: 1, reordered: 0, late: 2, refused: 0 },
      far: { copies: 0, reordered: 3, unanswered: 0 },
    }, null),
  };
}

function result(...paths: PathResult[]): ProbeResult {
  const judged = { keepaliveMs: 500, deadTimeMs: 1_500 };
  return resultFrom(paths, { keepaliveMs: null, judged, acceptMs: 365 * dayMs }, around);
}

Deno.test("every line of a report fits 80 columns, and says what must be said without colour", () => {
  const lines = renderResult(result(path("udp 192.0.2.2:694", "node2", 9)), 80, plainPaint);
  for (const line of lines) assert.ok(line.length <= 80, line);
  const text = lines.join("\n").replaceAll(/\n {4,}/g, " ");
  for (
    const words of [
      /^WARNING: hb0 runs at half duplex$/m,
      /^WARNING: the deadtime of 1\.5 s towards node2 costs one false alarm in /m,
      /lost +there [\d.]+ % \(.*\), back 0 %/,
      /also +2 answers too late, counted as lost, 1 answers twice, 3 questions out of order/,
      /tcp:hb2 was not asked/,
      /slept through 2 questions/,
      /judged/,
      /enough/,
    ]
  ) assert.match(text, words);
});

Deno.test("each other node has its price, from the paths to it alone", () => {
  const { prices } = result(path("a", "node2", 9), path("b", "node2", 8), path("c", "node3", 9));
  assert.deepEqual(prices.map(({ peer, pathCount }) => [peer, pathCount]), [["node2", 2], ["node3", 1]]);
  const [two, one] = prices.map(({ advice }) => advice.judged!.falseAlarmEveryMs);
  assert.ok(two! > 5 * one!, `${two} against ${one}`);
});

Deno.test("the picture is XML with a dark style, escapes names, and stays small", () => {
  const svg = probeSvg(result(path("udp <x> & y", "node2", 9), path("b", "node2", 3, 20_000)));
  assert.match(svg, /^<svg [^>]*viewBox=/);
  assert.match(svg, /prefers-color-scheme:dark/);
  assert.match(svg, /udp &lt;x&gt; &amp; y/);
  const opened = [...svg.matchAll(/<(\w+)[^>]*[^/]>/g)].map(([, name]) => name).filter((name) =>
    name !== "svg"
  );
  const closed = [...svg.matchAll(/<\/(\w+)>/g)].map(([, name]) => name).filter((name) => name !== "svg");
  assert.equal(opened.length, closed.length);
  assert.ok(svg.length < 200_000, `${svg.length} characters`);
});

Deno.test("Nagios: WARNING for a price, CRITICAL for silence, with performance data", () => {
  assert.deepEqual(nagiosResult(result(path("a", "node2", 9))).exitCode, 1);
  const silent = reportOf({ ...path("a", "node2", 9).report.outcome, roundTrip: [false, false] }, null);
  const { line, exitCode } = nagiosResult(result({ ...path("a", "node2", 9), report: silent }));
  assert.equal(exitCode, 2);
  assert.match(
    line,
    /^PROBE CRITICAL: a: no answer to 2 questions.*; not asked: tcp:hb2 \| 'p0_lost'=100%;;;0;100/,
  );
});

Deno.test("a link that carries nothing is CRITICAL, although no question went over it", () => {
  const wishes = { keepaliveMs: null, judged: null, acceptMs: dayMs };
  const [link] = around.passive;
  const dead = [link!, { ...link!, link: "/dev/ttyS0", state: "dead" as const, heard: 0 }];
  const noAddress = { link: "eth1", reason: "interface eth1 has no IPv4 address", isBroken: true };
  const whole = { ...path("a", "node2", 9), facts: null };
  const found = (change: Partial<Surroundings>) => resultFrom([whole], wishes, { ...around, ...change });
  const cases: ReadonlyArray<readonly [Partial<Surroundings>, number, RegExp]> = [
    [{}, 0, /^PROBE OK: a lost .*; not asked: tcp:hb2 \|/],
    [{ skipped: [] }, 0, /^PROBE OK: a lost [\d.]+ % \|/],
    [
      { passive: dead },
      2,
      /: \/dev\/ttyS0: dead, the daemon here does not hear node2 on it; not asked: tcp:hb2 \|/,
    ],
    [{ skipped: [noAddress] }, 2, /CRITICAL: eth1 could not be asked: interface eth1 has no IPv4 address \|/],
    // Who names a path does not ask for the daemon's links.
    [{ passive: dead, isCluster: false }, 0, /^PROBE OK/],
  ];
  for (const [change, code, line] of cases) {
    const result = nagiosResult(found(change));
    assert.match(result.line, line);
    assert.equal(result.exitCode, code);
  }
});

Deno.test("JSON has no Infinity, a schema, and the counts of each run of losses", () => {
  const json = JSON.parse(JSON.stringify(probeJson(result(path("a", "node2", 9)))));
  assert.equal(json.schema, 1);
  assert.ok(
    json.paths[0].outward.bursts.every(({ length, count }: { length: number; count: number }) =>
      length * count > 0
    ),
  );
  assert.equal(json.paths[0].outcome, undefined);
});
