import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ExecRunner } from "../../lib/resources/exec.ts";
import { ScriptDirectory } from "./scripts.ts";

const runner = new ExecRunner();
const spec = (path: string, ...args: string[]) => ({ kind: "exec", path, args }) as const;

Deno.test("of status, 0 is running, 3 and 7 are stopped, all else is a failure", async (t) => {
  for (
    const [code, result] of [[0, "running"], [3, "stopped"], [7, "stopped"], [1, "failed"], [2, "failed"]]
  ) {
    await t.step(`exit ${code}`, async () => {
      using scripts = new ScriptDirectory();
      const path = scripts.add("thing", `exit ${code}`);
      assert.equal((await runner.run(spec(path), "monitor", scripts.context())).result, result);
    });
  }
});

Deno.test("the status is asked before and after a start", async () => {
  using scripts = new ScriptDirectory();
  const path = scripts.addService("thing", { running: "exit 0", stopped: "exit 3" });
  assert.equal((await runner.run(spec(path, "a"), "start", scripts.context())).result, "running");
  assert.equal((await runner.run(spec(path, "a"), "start", scripts.context())).result, "running");
  assert.equal((await runner.run(spec(path, "a"), "stop", scripts.context())).result, "stopped");
  const calls = readFileSync(join(scripts.path, "calls"), "utf8").trim().split("\n");
  assert.deepEqual(calls, ["status", "start", "status", "status", "stop"]);
});

Deno.test("a command that does not know its status is refused at the start", async () => {
  using scripts = new ScriptDirectory();
  const path = scripts.add("thing", "[ $1 = status ] && exit 1; exit 0");
  const outcome = await runner.run(spec(path), "start", scripts.context());
  assert.equal(outcome.result, "failed");
  assert.match(outcome.reason, /reported success, but afterwards it does not run/);
});

Deno.test("a stop that fails is forgiven only where the status says stopped", async (t) => {
  for (const [code, result] of [[0, "failed"], [3, "stopped"], [1, "failed"]]) {
    await t.step(`status ${code}`, async () => {
      using scripts = new ScriptDirectory();
      const path = scripts.add("thing", `[ $1 = status ] && exit ${code}; exit 9`);
      assert.equal((await runner.run(spec(path), "stop", scripts.context())).result, result);
    });
  }
});

Deno.test("a path that is no executable file is told", async () => {
  using scripts = new ScriptDirectory();
  const path = scripts.add("thing", "exit 0", 0o644);
  for (const each of [path, scripts.path, "/nonexistent/thing"]) {
    const outcome = await runner.run(spec(each), "start", scripts.context());
    assert.equal(outcome.result, "failed");
    assert.equal(outcome.reason, `Cannot start "${each}": it is not an executable file`);
  }
});
