import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { settings } from "../core/samples.ts";
import { Recorded } from "../sim/recorded.ts";
import { heartline } from "./run.ts";

const recorded = new Recorded(settings({ nodes: ["n1", "n2"] })).stall(2_500).lines;

async function withJournal(
  lines: readonly string[],
  body: (replay: (...args: string[]) => ReturnType<typeof heartline>) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "hlreplay-"));
  const file = join(directory, "journal");
  try {
    writeFileSync(file, `${lines.join("\n")}\n`);
    await body((...args) => heartline(["simulate", "replay", file, ...args]));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

Deno.test("a journal is replayed, told within 80 columns, and compared with other settings", () =>
  withJournal(recorded, async (replay) => {
    const plain = await replay();
    assert.equal(plain.code, 0, plain.stderr);
    assert.match(plain.stdout, /^n1, from 2026-01-31T03:00:00\.000Z for 12 s, \d+ steps/);
    assert.match(plain.stdout, /Replayed \d+ steps, \d+ of them with effects: exactly as the daemon decided/);
    assert.match(plain.stdout, /03:00:06\.\d{3} {2}alarm node-dead: n2 is out of view/);

    const other = await replay("--set", "deadtime=4s");
    assert.equal(other.code, 0, other.stderr);
    assert.match(other.stdout, /^= both {3}- only as recorded {3}\+ only with deadtime=4s$/m);
    assert.match(other.stdout, /^- 03:00:06\.\d{3} {2}alarm node-dead: n2/m);
    assert.match(other.stdout, /Sound up to 03:00:0/);
    assert.match(
      other.stdout,
      /^Assumed: the lease of web, 1 s as "auto" was, is 3 s as "auto" would be, on all/m,
    );
    for (const line of [plain, other].flatMap(({ stdout }) => stdout.split("\n"))) {
      assert.ok(line.length <= 80, line);
    }
    assert.match((await replay("--runs")).stdout, /^1 {2}n1, from /);
  }));

Deno.test("what is wrong with a journal, or with what is asked, is said with the next step", async () => {
  const gap = [...recorded.slice(0, 30), `{"lost":7,"now":5}`];
  const changed = recorded.map((line, index) => index === 60 ? line.replace(/^\[\d+/, "[999") : line);
  const cases: ReadonlyArray<readonly [readonly string[], string[], number, RegExp]> = [
    [gap, [], 1, /Replayed up to a gap: 7 steps were not written in time/],
    [[...recorded.slice(0, 30), "{torn"], [], 1, /Replayed up to a gap: a line cannot be\s+read/],
    [
      changed,
      [],
      1,
      /NOT EXACT from 03:00:\d\d\.\d{3} on \(step \d+ of \d+\): it was written by\s+heartline 1,/,
    ],
    [["nothing"], [], 69, /holds no run of a daemon/],
    [recorded, ["--run", "4"], 2, /holds 1 runs, so there is no run 4; --runs lists them/],
    [recorded, ["--set", "deadtim=4s"], 2, /did you mean "deadtime"\?/],
    [recorded, ["--set", "deadtime=0"], 2, /not more than twice keepalive/],
  ];
  for (const [lines, args, code, expected] of cases) {
    await withJournal(lines, async (replay) => {
      const { stdout, stderr, ...ended } = await replay(...args);
      assert.match(stdout + stderr, expected);
      assert.equal(ended.code, code, stdout + stderr);
      assert.ok(stdout.split("\n").every((line) => line.length <= 80), stdout);
    });
  }
  const missing = await heartline(["simulate", "replay", "/nowhere/journal"]);
  assert.equal(missing.code, 69);
  assert.match(
    missing.stderr,
    /Cannot read the journal "\/nowhere\/journal": there is no such file; name the/,
  );
});
