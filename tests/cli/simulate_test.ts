/** `heartline simulate run` and `list` as processes: output, exit codes, files. */

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { heartline } from "./run.ts";

function withDirectory(body: (directory: string) => Promise<void>): () => Promise<void> {
  return async () => {
    const directory = mkdtempSync(join(tmpdir(), "heartline-simulate-"));
    try {
      await body(directory);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  };
}

Deno.test("a scenario of the library is told on 80 columns, and ends with 0 when all was as expected", async () => {
  const { code, stdout, stderr } = await heartline(["simulate", "run", "gateway-on-both-sides"]);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /--- link hb0: cut/);
  assert.match(stdout, /=== web held by n1 AND n2/);
  assert.match(stdout, /ALARM split-brain/);
  assert.match(stdout, /TWO 1\d\.\d s/);
  assert.match(stdout, /All was as expected/);
  assert.ok(stdout.split("\n").every((line) => line.length <= 80));
});

Deno.test(
  "an expectation that is not met ends with 1 and says what was found",
  withDirectory(async (directory) => {
    const listed = await heartline(["simulate", "list", "gateway-on-both-sides"]);
    const file = join(directory, "mine.yaml");
    writeFileSync(file, listed.stdout.replace("- two-holders", "- never-two-holders"));
    const { code, stdout } = await heartline(["simulate", "run", file]);
    assert.equal(code, 1);
    assert.match(stdout, /FAILED {2}never two holders of any group; found: n1 and n2 hold\s+web from/);
    assert.match(stdout, /NOT as expected: 1 of 4/);
  }),
);

Deno.test(
  "configurations are read beside the scenario: a file for one node, an ha.d directory for another",
  withDirectory(async (directory) => {
    writeFileSync(
      join(directory, "ha.cf"),
      "keepalive 1\ndeadtime 5\nbcast hb0\nnode n1 n2\nauto_failback off\n",
    );
    writeFileSync(join(directory, "authkeys"), "auth 1\n1 sha1 correct-horse-battery\n");
    writeFileSync(join(directory, "haresources"), "n1 192.0.2.10/24/eth0\n");
    writeFileSync(
      join(directory, "mine.yaml"),
      "duration: 30s\nconfig: .\nevents: [{ at: 10s, power-off: n1 }]\nexpect: [holder: { at: 29s, is: n2 }]\n",
    );
    const { code, stdout, stderr } = await heartline(["simulate", "run", join(directory, "mine.yaml")]);
    assert.equal(code, 0, stdout + stderr);
  }),
);

Deno.test(
  "mistakes are printed with line, excerpt and hint, and end with 78",
  withDirectory(async (directory) => {
    const file = join(directory, "bad.yaml");
    const { stdout } = await heartline(["simulate", "list", "power-off"]);
    writeFileSync(file, stdout.replace("power-off: n1", "power-of: n1"));
    const { code, stderr } = await heartline(["simulate", "run", file]);
    assert.equal(code, 78);
    assert.match(
      stderr,
      /bad\.yaml:\d+:\d+: error: unknown key "power-of" in an event\n.*\n\s+\^~+\n.*"power-off"/,
    );
  }),
);

Deno.test("unknown names, missing files and bad seeds are told apart", async () => {
  const unknown = await heartline(["simulate", "run", "one-way-lnk"]);
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /no scenario "one-way-lnk".*did you mean "one-way-link"/);
  const missing = await heartline(["simulate", "run", "./nowhere.yaml"]);
  assert.equal(missing.code, 69);
  assert.match(missing.stderr, /Cannot read the scenario ".\/nowhere.yaml": there is no such file/);
  const seed = await heartline(["simulate", "run", "power-off", "--seed", "x"]);
  assert.equal(seed.code, 2);
  assert.match(seed.stderr, /"x" is no whole number/);
});

Deno.test(
  "many seeds are played, and the first that is not as expected is told",
  withDirectory(async (directory) => {
    const good = await heartline(["simulate", "run", "stalled-host", "--seeds", "20"]);
    assert.equal(good.code, 0, good.stdout);
    assert.match(good.stdout, /All 20 seeds from 1 on went as expected/);
    assert.match(good.stdout, /longest outage \d\.\d+ s \(seed \d+\); never two holders/);
    const file = join(directory, "chancy.yaml");
    const text = (await heartline(["simulate", "list", "cut-heartbeat-cable"])).stdout
      .replace("cut: hb0, for: 25s", "degrade: { link: hb0, loss: 40% }, for: 25s")
      .replace(/expect:[^]*/, "expect: [no-alarm]\n");
    writeFileSync(file, text);
    const many = ["simulate", "run", file, "--seeds", "60", "--json"];
    const [mixed, alone] = [
      await heartline([...many, "--jobs", "3"]),
      await heartline([...many, "--jobs", "1"]),
    ];
    assert.equal(mixed.code, 1);
    assert.equal(mixed.stdout, alone.stdout, "the same on all cores");
    const { seed, seeds, asExpected } = JSON.parse(mixed.stdout);
    assert.ok(seeds.failed > 0 && seeds.failed < 60, `${seeds.failed} of 60`);
    assert.deepEqual([seed, asExpected], [seeds.failedSeed, false]);
    assert.equal(seeds.failures[0].firstSeed, seed);
  }),
);

Deno.test("--json has a schema, the groups' times and the judgements", async () => {
  const { stdout } = await heartline(["simulate", "run", "power-off", "--json", "--seed", "5"]);
  const result = JSON.parse(stdout);
  assert.deepEqual([result.schema, result.scenario, result.seed, result.asExpected], [
    1,
    "power-off",
    5,
    true,
  ]);
  const [web] = result.groups;
  assert.equal(web.falseFailovers, 0);
  assert.equal(web.moves[0].kind, "due");
  assert.equal(web.twoMs, 0);
  const list = JSON.parse((await heartline(["simulate", "list", "--json"])).stdout);
  assert.equal(list.schema, 1);
  assert.ok(list.scenarios.length >= 13);
});

Deno.test(
  "two processes write the same trace, line by line of JSON",
  withDirectory(async (directory) => {
    const files = [join(directory, "a"), join(directory, "b")];
    for (const file of files) {
      await heartline(["simulate", "run", "flapping-link", "--seed", "9", "--trace", file]);
    }
    const [a, b] = files.map((file) => readFileSync(file, "utf8"));
    assert.equal(a, b);
    const lines = a!.trimEnd().split("\n").map((line) => JSON.parse(line));
    assert.equal(lines[0].seed, 9);
    assert.ok(lines.some(({ kind, arrivedMs }) => kind === "packet" && arrivedMs === null));
  }),
);
