import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { LsbRunner } from "../../lib/resources/lsb.ts";
import { ScriptDirectory } from "./scripts.ts";

const spec = { kind: "lsb", script: "thing" } as const;

Deno.test("the exit code of status decides", async (t) => {
  const cases: [code: number, result: string][] = [
    [0, "running"],
    [1, "stopped"],
    [2, "stopped"],
    [3, "stopped"],
    [4, "failed"],
    [150, "failed"],
  ];
  for (const [code, result] of cases) {
    await t.step(`exit ${code}`, async () => {
      using scripts = new ScriptDirectory();
      scripts.add("thing", `echo running; exit ${code}`);
      const outcome = await new LsbRunner([scripts.path]).run(spec, "monitor", scripts.context());
      assert.equal(outcome.result, result);
      assert.equal(outcome.code, code);
    });
  }
});

Deno.test("start and stop are idempotent, and a start is verified", async () => {
  using scripts = new ScriptDirectory();
  scripts.addService("thing", { running: "exit 0", stopped: "exit 3" });
  const runner = new LsbRunner([scripts.path]);
  for (
    const [operation, result] of [["start", "running"], ["start", "running"], ["stop", "stopped"], [
      "stop",
      "stopped",
    ]] as const
  ) {
    assert.equal((await runner.run(spec, operation, scripts.context())).result, result);
  }
  const calls = readFileSync(join(scripts.path, "calls"), "utf8").trim().split("\n");
  assert.deepEqual(calls, ["start", "status", "start", "status", "stop", "stop"]);
});

Deno.test("a daemon that dies after a good start is a failed start", async () => {
  using scripts = new ScriptDirectory();
  scripts.add("thing", "[ $1 = start ] || exit 1");
  const outcome = await new LsbRunner([scripts.path]).run(spec, "start", scripts.context({ limitMs: 400 }));
  assert.equal(outcome.result, "failed");
  assert.match(
    outcome.reason,
    /reported success, but afterwards it does not run: dead, and its pid file exists/,
  );
});

Deno.test("the standard meaning of an exit code is told", async () => {
  using scripts = new ScriptDirectory();
  scripts.add("thing", "exit 4");
  const outcome = await new LsbRunner([scripts.path]).run(spec, "stop", scripts.context());
  assert.equal(outcome.result, "failed");
  assert.equal(outcome.reason, '"thing stop" ended with exit code 4 (not permitted)');
});

Deno.test("a script that is not installed cannot start", async () => {
  using scripts = new ScriptDirectory();
  const outcome = await new LsbRunner([scripts.path]).run(spec, "start", scripts.context());
  assert.equal(outcome.result, "failed");
  assert.equal(outcome.code, 5);
});
