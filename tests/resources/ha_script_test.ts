import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { HaScriptRunner, saysRunning, saysStopped } from "../../lib/resources/ha_script.ts";
import { ScriptDirectory } from "./scripts.ts";

const runner = new HaScriptRunner();
const spec = (script: string, ...args: string[]) => ({ kind: "ha", script, args }) as const;

Deno.test("the printed text decides whether a script runs", async (t) => {
  const cases: [printed: string, isRunning: boolean, isStoppedForSure: boolean][] = [
    ["running", true, false],
    ["Running", true, false],
    ["httpd (pid 12) is running...", true, false],
    ["OK", true, false],
    ["INFO:  Running OK", true, false],
    ["not running", false, true],
    ["NOT running", false, true],
    ["nOt Running", false, true],
    ["it is not yet running", false, true],
    ["dead but pid file exists", false, true],
    ["stopped", false, true],
    ["INFO:  Resource is stopped", false, true],
    ["", false, false],
    ["Usage: script {start|stop}", false, false],
    ["RUNNING", false, false],
    ["ok", false, false],
    // As Heartbeat reads it: any "running" without "not " before it.
    ["not\nrunning", true, false],
    ["isnot running", false, true],
    ["NOK", true, false],
  ];
  for (const [printed, isRunning, isStoppedForSure] of cases) {
    await t.step(JSON.stringify(printed), () => {
      assert.equal(saysRunning(printed), isRunning);
      assert.equal(saysStopped(printed), isStoppedForSure);
    });
  }
});

Deno.test("status is judged by standard output; exit code and standard error count for nothing", async (t) => {
  const cases: [body: string, result: string][] = [
    ["echo running; exit 3", "running"],
    ["echo stopped; exit 0", "stopped"],
    ["echo running >&2; exit 0", "stopped"],
    ["exit 0", "stopped"],
  ];
  for (const [body, result] of cases) {
    await t.step(body, async () => {
      using scripts = new ScriptDirectory();
      scripts.add("thing", body);
      const outcome = await runner.run(spec("thing"), "monitor", scripts.context());
      assert.equal(outcome.result, result);
    });
  }
});

Deno.test("a start skips what runs, and a stop does not ask first", async () => {
  using scripts = new ScriptDirectory();
  scripts.addService("thing", { running: "echo running", stopped: "echo stopped" });
  const calls = () => readFileSync(join(scripts.path, "calls"), "utf8").trim().split("\n");
  assert.equal((await runner.run(spec("thing"), "start", scripts.context())).result, "running");
  const again = await runner.run(spec("thing"), "start", scripts.context());
  assert.equal(again.result, "running");
  assert.match(again.reason, /was running already/);
  assert.equal((await runner.run(spec("thing"), "stop", scripts.context())).result, "stopped");
  assert.equal((await runner.run(spec("thing"), "stop", scripts.context())).result, "stopped");
  assert.deepEqual(calls(), ["status", "start", "status", "stop", "stop"]);
});

Deno.test("arguments come before the operation, and the environment is Heartbeat's", async () => {
  using scripts = new ScriptDirectory();
  const directory = join(scripts.path, "resource.d");
  mkdirSync(directory);
  scripts.add(
    "resource.d/thing",
    'echo "$@|$HA_CURHOST|$HA_DIR|$HA_FUNCS|$OCF_ROOT|$HEARTLINE_EPOCH"; exit 1',
  );
  const context = scripts.context({
    scriptDirectories: [directory],
    environment: { HA_CURHOST: "node1", HEARTLINE_EPOCH: "7" },
  });
  const outcome = await runner.run(spec("thing", "a b", "c"), "start", context);
  const home = scripts.path;
  assert.equal(outcome.output.at(-1), `a b c start|node1|${home}|${home}/shellfuncs|/usr/lib/ocf|7`);
  assert.equal(runner.describe(spec("thing", "x"), "monitor", context), `${directory}/thing x status`);
});

Deno.test("the first directory that has an executable file of the name wins", async () => {
  using first = new ScriptDirectory();
  using second = new ScriptDirectory();
  first.add("thing", "echo running", 0o644);
  first.add("other", "echo running");
  second.add("thing", "echo stopped");
  second.add("other", "echo stopped");
  const context = first.context({ scriptDirectories: [first.path, second.path] });
  assert.equal((await runner.run(spec("thing"), "monitor", context)).result, "stopped");
  assert.equal((await runner.run(spec("other"), "monitor", context)).result, "running");
});

Deno.test("a failed start tells the exit code and the last thing said", async () => {
  using scripts = new ScriptDirectory();
  scripts.add("thing", 'if [ $1 = start ]; then echo "no such disk" >&2; exit 6; fi');
  const outcome = await runner.run(spec("thing"), "start", scripts.context());
  assert.equal(outcome.result, "failed");
  assert.equal(outcome.code, 6);
  assert.equal(outcome.reason, '"thing start" ended with exit code 6 (not configured): no such disk');
  assert.deepEqual(outcome.output, ["no such disk"]);
});

Deno.test("a hanging operation is killed at its limit and its outcome is unknown", async (t) => {
  for (const operation of ["start", "stop", "monitor"] as const) {
    await t.step(operation, async () => {
      using scripts = new ScriptDirectory();
      const hangs = operation === "monitor" ? "status" : operation;
      scripts.add("thing", `if [ $1 = ${hangs} ]; then echo waiting; sleep 600; fi`);
      const outcome = await runner.run(spec("thing"), operation, scripts.context({ limitMs: 300 }));
      assert.equal(outcome.result, "unknown");
      assert.equal(outcome.code, null);
      assert.match(outcome.reason, /did not end within 300 ms and was killed/);
      assert.ok(outcome.output.includes("waiting"));
      assert.ok(outcome.durationMs < 2000, `took ${outcome.durationMs} ms`);
    });
  }
});

Deno.test("a script that starts a daemon which keeps its output returns at once", async () => {
  using scripts = new ScriptDirectory();
  const pidFile = join(scripts.path, "pid");
  scripts.add(
    "thing",
    `case $1 in
start) sleep 600 & echo $! > ${pidFile}; echo started ;;
stop) kill $(cat ${pidFile}) ;;
*) if [ -e ${pidFile} ] && kill -0 $(cat ${pidFile}); then echo running; else echo stopped; fi ;;
esac`,
  );
  const started = await runner.run(spec("thing"), "start", scripts.context());
  assert.equal(started.result, "running");
  assert.ok(started.durationMs < 2000, `took ${started.durationMs} ms`);
  assert.equal((await runner.run(spec("thing"), "monitor", scripts.context())).result, "running");
  assert.equal((await runner.run(spec("thing"), "stop", scripts.context())).result, "stopped");
});

Deno.test("a failed stop is tried again a second later", async () => {
  using scripts = new ScriptDirectory();
  const marker = join(scripts.path, "tried");
  scripts.add(
    "thing",
    `[ $1 = status ] && { echo running; exit; }; [ -e ${marker} ] || { touch ${marker}; exit 1; }`,
  );
  const outcome = await runner.run(spec("thing"), "stop", scripts.context());
  assert.equal(outcome.result, "stopped");
  assert.ok(outcome.durationMs >= 1000, `took ${outcome.durationMs} ms`);
});

Deno.test("a stop that keeps failing is believed only if the script says that it is stopped", async (t) => {
  const cases: [says: string, result: string][] = [
    ["echo running", "failed"],
    ["echo 'usage: thing start'", "failed"],
    ["true", "failed"],
    ["echo not running", "stopped"],
    ["echo dead but pid file exists", "stopped"],
  ];
  for (const [says, result] of cases) {
    await t.step(says, async () => {
      using scripts = new ScriptDirectory();
      scripts.add("thing", `if [ $1 = status ]; then ${says}; else exit 1; fi`);
      const outcome = await runner.run(spec("thing"), "stop", scripts.context({ limitMs: 500 }));
      assert.equal(outcome.result, result);
      assert.equal(outcome.code, 1);
    });
  }
});

Deno.test("a script that is not installed cannot start; it is stopped unless it was seen running", async () => {
  using scripts = new ScriptDirectory();
  const absent = spec("absent-one");
  const start = await runner.run(absent, "start", scripts.context());
  assert.equal(start.result, "failed");
  assert.equal(start.code, 5);
  assert.match(start.reason, /^Cannot start "absent-one": no executable file of that name in "/);
  assert.equal((await runner.run(absent, "stop", scripts.context())).result, "stopped");
  assert.equal((await runner.run(absent, "monitor", scripts.context())).result, "stopped");

  const vanishing = spec("vanishing-one");
  {
    using elsewhere = new ScriptDirectory();
    elsewhere.add("vanishing-one", "echo running");
    assert.equal((await runner.run(vanishing, "monitor", elsewhere.context())).result, "running");
  }
  const stop = await runner.run(vanishing, "stop", scripts.context());
  assert.equal(stop.result, "failed");
  assert.match(stop.reason, /was running here/);
});

Deno.test("a name never leads out of the script directories", async () => {
  using scripts = new ScriptDirectory();
  for (const name of ["../thing", "/bin/true", ".hidden"]) {
    const outcome = await runner.run(spec(name), "start", scripts.context());
    assert.equal(outcome.code, 5, name);
  }
});

Deno.test("at most twenty lines of output come back, the last ones", async () => {
  using scripts = new ScriptDirectory();
  scripts.add("thing", "i=0; while [ $i -lt 50 ]; do i=$((i+1)); echo line $i; done; exit 1");
  const { output } = await runner.run(spec("thing"), "start", scripts.context());
  assert.equal(output.length, 20);
  assert.equal(output.at(-1), "line 50");
});
