import assert from "node:assert/strict";
import { SystemdRunner } from "../../lib/resources/systemd.ts";
import { ScriptDirectory } from "./scripts.ts";

const runner = new SystemdRunner();
const spec = { kind: "systemd", unit: "nginx.service" } as const;

/** A `systemctl` that answers `show` from the file `state`, and runs `act` for everything else. */
function systemctl(state: string, act = "true"): ScriptDirectory {
  const scripts = new ScriptDirectory();
  scripts.add(
    "systemctl",
    `state=${scripts.path}/state
[ -e $state ] || printf '%b' '${state}' > $state
case $1 in
show) cat $state ;;
*) ${act} ;;
esac`,
  );
  return scripts;
}

const unit = (active: string, sub: string, load = "loaded", result = "success") =>
  `LoadState=${load}\\nActiveState=${active}\\nSubState=${sub}\\nResult=${result}\\n`;

const contextOf = (scripts: ScriptDirectory, limitMs = 10_000) =>
  scripts.context({ environment: { PATH: scripts.path + ":/usr/bin:/bin" }, limitMs });

Deno.test("the state of the unit decides", async (t) => {
  const cases: [state: string, result: string, code: number | null, reason: RegExp][] = [
    [unit("active", "running"), "running", 0, /^active \(running\)$/],
    [unit("reloading", "reload"), "running", 0, /^reloading/],
    [unit("inactive", "dead"), "stopped", 3, /^inactive \(dead\)$/],
    [unit("failed", "failed", "loaded", "exit-code"), "stopped", 3, /result exit-code/],
    [unit("inactive", "dead", "not-found"), "stopped", 5, /no unit "nginx.service"/],
    [unit("activating", "start"), "unknown", null, /still activating \(start\)/],
    [unit("deactivating", "stop-sigterm"), "unknown", null, /still deactivating/],
    ["nonsense", "unknown", 0, /no ActiveState/],
  ];
  for (const [state, result, code, reason] of cases) {
    await t.step(state, async () => {
      using scripts = systemctl(state);
      const outcome = await runner.run(spec, "monitor", contextOf(scripts, 400));
      assert.equal(outcome.result, result);
      assert.equal(outcome.code, code);
      assert.match(outcome.reason, reason);
    });
  }
});

Deno.test("start and stop are judged by the state that they lead to", async () => {
  const act =
    "if [ $1 = start ]; then echo ActiveState=active > $state; else echo ActiveState=inactive > $state; fi";
  using scripts = systemctl(unit("inactive", "dead"), act);
  assert.equal((await runner.run(spec, "start", contextOf(scripts))).result, "running");
  const stopped = await runner.run(spec, "stop", contextOf(scripts));
  assert.equal(stopped.result, "stopped");
  assert.equal(stopped.code, 0);
});

Deno.test("a unit on its way is waited for", async () => {
  const act =
    "echo ActiveState=activating > $state; (sleep 0.3; echo ActiveState=active > $state) >/dev/null 2>&1 &";
  using scripts = systemctl(unit("inactive", "dead"), act);
  assert.equal((await runner.run(spec, "start", contextOf(scripts))).result, "running");
});

Deno.test("a unit that ends by itself is a failed start, and the reason says what it needs", async () => {
  using scripts = systemctl(unit("inactive", "dead"));
  const outcome = await runner.run(spec, "start", contextOf(scripts));
  assert.equal(outcome.result, "failed");
  assert.match(outcome.reason, /RemainAfterExit=yes/);
});

Deno.test("a failed start tells what systemctl said", async () => {
  using scripts = systemctl(unit("failed", "failed"), "echo 'Job failed.' >&2; exit 1");
  const outcome = await runner.run(spec, "start", contextOf(scripts));
  assert.equal(outcome.result, "failed");
  assert.equal(outcome.code, 1);
  assert.match(outcome.reason, /Job failed\./);
});

Deno.test("a start of a unit that is not installed is told", async () => {
  using scripts = systemctl(unit("inactive", "dead", "not-found"), "exit 5");
  const outcome = await runner.run(spec, "start", contextOf(scripts));
  assert.equal(outcome.result, "failed");
  assert.equal(outcome.code, 5);
});

Deno.test("a hanging systemctl is killed and the outcome unknown", async () => {
  using scripts = systemctl(unit("inactive", "dead"), "sleep 600");
  const outcome = await runner.run(spec, "start", contextOf(scripts, 300));
  assert.equal(outcome.result, "unknown");
});
