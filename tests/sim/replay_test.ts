import assert from "node:assert/strict";
import type { Instant } from "../../lib/core/instant.ts";
import { withChanges } from "../../lib/sim/replay/changes.ts";
import { type JournalRun, runsOf } from "../../lib/sim/replay/journal.ts";
import { replay } from "../../lib/sim/replay/replay.ts";
import { fromTheMiddle, whatIf } from "../../lib/sim/replay/what_if.ts";
import { fencing, settings } from "../core/samples.ts";
import { Recorded } from "./recorded.ts";

function recordStall(ms: number): JournalRun {
  const [run] = runsOf(new Recorded(settings({ nodes: ["n1", "n2"] })).stall(ms).lines);
  return run!;
}

function changed(run: JournalRun, ...wishes: string[]) {
  const result = withChanges(run.header.settings, wishes);
  assert.ok(result.ok);
  return result.settings;
}

const takeover = "start web 0";

Deno.test("a recorded run is had again, step by step", () => {
  const run = recordStall(2_500);
  const again = replay(run);
  assert.equal(again.divergence, null);
  assert.ok(again.compared > 50, `${again.compared} steps were compared`);
  assert.ok(again.decisions.some(({ key }) => key === "alarm node-dead n2"), "n2 was missed");
});

Deno.test("a run with fencing is had again, and what other settings would have fenced is told, never believed", () => {
  const recorded = new Recorded(settings({ nodes: ["n1", "n2"], fencing: fencing() }));
  recorded.fence = (
    _node,
    attempt,
  ) => [300, { kind: "fence", result: attempt === 1 ? "failed" : "fenced", reason: "pdu" }];
  const [run] = runsOf(recorded.stall(5_000).lines);
  const again = replay(run!);
  assert.equal(again.divergence, null);
  const fenced = again.decisions.filter(({ key }) => key === "fence n2");
  assert.equal(fenced.length, 2);
  assert.ok(again.decisions.some(({ key, now }) => key === takeover && now > fenced[1]!.now));
  const without = whatIf(run!, again, { ...run!.header.settings, fencing: null });
  assert.ok(without.decisions.every(({ key }) => !key.startsWith("fence ")));
  assert.ok(
    without.decisions.some(({ key, now }) => key === takeover && now > 5_000 && now < fenced[1]!.now),
  );
});

Deno.test("a journal that was changed anywhere that matters is no exact one", () => {
  const { lines } = new Recorded(settings({ nodes: ["n1", "n2"] })).stall(2_500);
  const runOf = (change: (lines: string[]) => void) => {
    const copy = [...lines];
    change(copy);
    return replay(runsOf(copy)[0]!);
  };
  const beat = lines.findIndex((line) => /^\[\d+,0,\d+\]$/.test(line));
  // What the other link brings too is a copy, which changes nothing.
  const lastBeat = lines.findLastIndex((line) => line.includes(`["hb0",0,`));
  const heard = lines.findLastIndex((line, index) => index < lastBeat - 30 && line.includes(`["hb0",0,`));
  const cases: ReadonlyArray<readonly [string, (lines: string[]) => void]> = [
    ["a message is missing", (copy) => copy.splice(heard, 1)],
    ["a digest is another", (copy) => copy[beat] = copy[beat]!.replace(/\d+\]$/, "1]")],
    ["another seed and node", (copy) => copy[0] = copy[0]!.replace(`"node":"n1"`, `"node":"n2"`)],
    ["another deadtime", (copy) => copy[0] = copy[0]!.replace(`"keepaliveMs":200`, `"keepaliveMs":150`)],
  ];
  for (const [what, change] of cases) assert.notEqual(runOf(change).divergence, null, what);
});

Deno.test("the same settings decide the same in a what-if, and other ones what they would have", () => {
  const run = recordStall(2_500);
  const recorded = replay(run);
  const took = (decisions: ReadonlyArray<{ key: string; now: number }>) =>
    decisions.filter(({ key, now }) => key === takeover && now > 5_000).map(({ now }) => now);
  assert.equal(took(recorded.decisions).length, 1, "a takeover was recorded");

  const same = whatIf(run, recorded, run.header.settings);
  assert.equal(
    same.divergedAtMs,
    null,
    JSON.stringify(same.rows.filter(({ side }) => side !== "both"), null, 1),
  );

  const slower = whatIf(run, recorded, changed(run, "deadtime=4s"));
  assert.ok(!slower.decisions.some(({ key }) => key === "alarm node-dead n2"), "4 s outlast the stall");
  assert.deepEqual(took(slower.decisions).filter((now) => now < 7_500), []);
  assert.ok(slower.divergedAtMs !== null && slower.divergedAtMs > 5_000);

  const faster = whatIf(run, recorded, changed(run, "deadtime=500ms"));
  const [before] = took(faster.decisions);
  const [was] = took(recorded.decisions);
  assert.ok(before! < was! - 300, `taken at ${before} ms with 500 ms, at ${was} ms as recorded`);
  assert.ok(faster.assumptions.length > 0, "the service network was asked earlier than anybody recorded");
});

/** A guarded pair whose leases are as "auto" is for this deadtime; n2 holds the group and is lost for good. */
function recordLoss(deadTimeMs: number, leaseSeconds: number): { run: JournalRun; lostAtMs: number } {
  const timing = { keepaliveMs: 1_000, deadTimeMs };
  const groups = [{ name: "web", resources: [{ leaseSeconds }], waitForLease: true }];
  const world = new Recorded(
    settings({ nodes: ["n1", "n2"], timing, groups, arbiter: { kind: "release" } }),
  );
  const runTo = (untilMs: number) => {
    for (let ms = world.nowMs + 200; ms <= untilMs; ms += 200) {
      world.run(ms);
      for (const node of ["n1", "n2"]) {
        if (world.still.has(node)) continue;
        world.step(node, { kind: "arbiter", name: "gateway", target: "192.0.2.1", askedAt: ms as Instant });
      }
    }
  };
  world.start("n1");
  world.start("n2");
  runTo(30_000);
  world.command("n2", { kind: "takeover", groups: ["web"] });
  runTo(40_000);
  world.still.add("n2");
  runTo(60_000);
  return { run: runsOf(world.lines)[0]!, lostAtMs: 40_000 };
}

Deno.test("a lease that was auto follows the times, of this node and of the others; another one stays, and it is said", () => {
  const takenAfterMs = (decisions: ReadonlyArray<{ key: string; now: number }>, lostAtMs: number) =>
    decisions.find(({ key, now }) => key === takeover && now > lostAtMs)!.now - lostAtMs;
  const { run, lostAtMs } = recordLoss(10_000, 5);
  const recorded = replay(run);
  assert.equal(recorded.divergence, null);
  assert.ok(takenAfterMs(recorded.decisions, lostAtMs) >= 9_000);
  const real = takenAfterMs(replay(recordLoss(4_000, 1).run).decisions, lostAtMs);

  const shorter = withChanges(run.header.settings, ["deadtime=4s"]);
  assert.ok(shorter.ok);
  assert.match(
    shorter.premises.join(),
    /^the lease of web, 5 s as "auto" was, is 1 s as "auto" would be, on all/,
  );
  const guessed = takenAfterMs(whatIf(run, recorded, shorter.settings).decisions, lostAtMs);
  assert.ok(Math.abs(guessed - real) < 100, `after ${guessed} ms, with a real file after ${real} ms`);

  const fixed = withChanges(recordLoss(10_000, 3).run.header.settings, ["deadtime=4s"]);
  assert.ok(fixed.ok);
  assert.deepEqual(fixed.premises, [`the lease of web stays at 3 s: "auto" was 5 s`]);
  assert.deepEqual(
    fixed.settings.groups[0]!.resources[0]!.spec,
    settings({
      groups: [{ name: "web", resources: [{ leaseSeconds: 3 }] }],
    }).groups[0]!.resources[0]!.spec,
  );
  const same = withChanges(run.header.settings, ["failback=on"]);
  assert.ok(same.ok && same.premises.length === 0);
});

Deno.test("where the daemon itself stood still, the what-if stands still too", () => {
  const world = new Recorded(settings({ nodes: ["n1", "n2"] }));
  world.start("n1");
  world.start("n2");
  world.run(3_000);
  world.still.add("n1");
  world.run(5_500);
  world.still.delete("n1");
  const [run] = runsOf(world.run(8_000).lines);
  const recorded = replay(run!);
  assert.equal(recorded.divergence, null);
  const isStalled = ({ key }: { key: string }) => key.startsWith("warning stalled");
  assert.ok(recorded.decisions.some(isStalled));
  assert.ok(whatIf(run!, recorded, run!.header.settings).decisions.some(isStalled));
  assert.ok(!whatIf(run!, recorded, changed(run!, "deadtime=10s")).decisions.some(isStalled));
});

Deno.test("without the beginning of a run, a core that starts in the middle follows it, and what-ifs go on", () => {
  for (const holder of ["n1", "n2"]) {
    const world = new Recorded(settings({ nodes: ["n1", "n2"] }));
    world.start("n1");
    world.start("n2");
    world.run(20_000);
    world.command(holder, { kind: "takeover", groups: ["web"] });
    world.run(30_000);
    world.head(1);
    const from = world.lines.length - 1;
    world.run(40_000);
    if (holder === "n1") world.command("n2", { kind: "takeover", groups: ["web"] });
    world.run(45_000);
    world.still.add("n2");
    world.run(47_500);
    world.still.delete("n2");
    world.run(52_000);
    const [run] = runsOf(world.lines.slice(from));
    assert.ok(run!.isHeadless);
    const middle = fromTheMiddle(run!);
    assert.ok(middle.recorded >= 5, `${middle.recorded} decisions were recorded`);
    assert.equal(middle.met, middle.recorded, `${holder} held it`);

    const slower = whatIf(run!, middle, changed(run!, "deadtime=4s"));
    const isDead = ({ key, now }: { key: string; now: number }) =>
      key === "alarm node-dead n2" && now > 45_000;
    assert.ok(middle.decisions.some(isDead));
    assert.ok(!slower.decisions.some(isDead), "4 s outlast the stall");
    // With its beginning the same run is exact.
    assert.equal(replay(runsOf(world.lines)[0]!).divergence, null);
  }
});

Deno.test("a journal is sorted into runs, with what is missing in them", () => {
  const { lines } = new Recorded(settings({ nodes: ["n1", "n2"] })).stall(0);
  const shape = (text: string[]) =>
    runsOf(text).map(({ steps, isHeadless, gap }) => [steps.length, isHeadless, gap !== ""]);
  const steps = lines.length - 1;
  const later = lines[0]!.replace(`"part":0`, `"part":1`);
  const other = lines[0]!.replace(`"generation":1`, `"generation":2`);
  assert.deepEqual(shape(lines), [[steps, false, false]]);
  assert.deepEqual(shape([...lines, other]), [[steps, false, false], [0, false, false]]);
  assert.deepEqual(shape([lines[0]!, "[1]", later, "[1]"]), [[2, false, false]]);
  assert.deepEqual(shape(["[1]", later, "[1]"]), [[1, true, false]]);
  assert.deepEqual(shape([lines[0]!, "[1]", `{"lost":3,"now":5}`, "[1]"]), [[1, false, true]]);
  assert.deepEqual(shape([lines[0]!, "[1]", "[1,[", "[1]"]), [[1, false, true]]);
  for (const partial of ["[1,[", lines[0]!.slice(0, -40), `[1,{"journal":1,"now":`]) {
    const cutOff = [lines[0]!, "[1]", `${partial}${other}`, "[1]", "[1]"];
    assert.deepEqual(shape(cutOff), [[1, false, true], [2, false, false]], `a run behind ${partial}`);
  }
  assert.deepEqual(shape([]), []);
});

Deno.test("what cannot be set is refused, all at once, with what was meant", () => {
  const base = settings();
  const cases: ReadonlyArray<readonly [string[], RegExp]> = [
    [["deadtme=4s"], /did you mean "deadtime"/],
    [["deadtime=quick"], /not a length of time/],
    [["deadtime"], /not a length of time/],
    [["deadtime=300ms"], /not more than twice keepalive/],
    [["constructor=1"], /cannot be changed/],
    [["takeover-confirm=perhaps"], /neither "on" nor "off"/],
    [["failback=sometimes"], /neither "on", "off" nor/],
  ];
  for (const [wishes, expected] of cases) {
    const result = withChanges(base, wishes);
    assert.ok(!result.ok, wishes.join());
    assert.match(result.problems.join("\n"), expected);
  }
  const many = withChanges(base, ["a=1", "b=2"]);
  assert.ok(!many.ok && many.problems.length === 2);
  const good = withChanges(base, ["deadtime=4s", "failback=30s", "takeover-delay=1s"]);
  assert.ok(good.ok);
  assert.deepEqual(good.settings.timing, { ...base.timing, deadTimeMs: 4_000, warnTimeMs: 2_000 });
  assert.deepEqual(good.settings.groups[0]!.failback, { kind: "after", ms: 30_000 });
});
