import assert from "node:assert/strict";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { instanceName, OcfRunner } from "../../lib/resources/ocf.ts";
import { ScriptDirectory } from "./scripts.ts";

const runner = new OcfRunner();
const spec = {
  kind: "ocf",
  provider: "test",
  type: "Thing",
  parameters: { ip: "10.0.0.9", text: "a b" },
} as const;

function agent(body: string): ScriptDirectory {
  const scripts = new ScriptDirectory();
  mkdirSync(join(scripts.path, "resource.d", "test"), { recursive: true });
  scripts.add("resource.d/test/Thing", body);
  return scripts;
}

const contextOf = (scripts: ScriptDirectory, limitMs = 10_000) =>
  scripts.context({ environment: { OCF_ROOT: scripts.path }, limitMs });

Deno.test("the exit code decides", async (t) => {
  const cases: [operation: "start" | "stop" | "monitor", code: number, result: string][] = [
    ["start", 0, "running"],
    ["start", 1, "failed"],
    ["start", 7, "failed"],
    ["stop", 0, "stopped"],
    ["stop", 1, "failed"],
    ["stop", 7, "failed"],
    ["monitor", 0, "running"],
    ["monitor", 8, "running"],
    ["monitor", 190, "running"],
    ["monitor", 191, "running"],
    ["monitor", 7, "stopped"],
    ["monitor", 5, "stopped"],
    ...[1, 2, 3, 4, 6, 9, 77].map((code) => ["monitor", code, "failed"] as ["monitor", number, string]),
  ];
  for (const [operation, code, result] of cases) {
    await t.step(`${operation} exit ${code}`, async () => {
      using scripts = agent(`exit ${code}`);
      const outcome = await runner.run(spec, operation, contextOf(scripts));
      assert.equal(outcome.result, result);
      assert.equal(outcome.code, code);
    });
  }
});

Deno.test("the environment is that of the agent API 1.1", async () => {
  using scripts = agent("env | grep ^OCF_ | sort; exit 1");
  const { output } = await runner.run(spec, "monitor", contextOf(scripts, 4321));
  const all = new Set(output);

  for (
    const line of [
      "OCF_CHECK_LEVEL=0",
      "OCF_OUTPUT_FORMAT=text",
      "OCF_RA_VERSION_MAJOR=1",
      "OCF_RA_VERSION_MINOR=1",
      "OCF_RESKEY_CRM_meta_timeout=4321",
      "OCF_RESKEY_ip=10.0.0.9",
      "OCF_RESKEY_text=a b",
      `OCF_RESOURCE_INSTANCE=${instanceName(spec)}`,
      "OCF_RESOURCE_PROVIDER=test",
      "OCF_RESOURCE_TYPE=Thing",
      `OCF_ROOT=${scripts.path}`,
    ]
  ) assert.ok(all.has(line), `${line} is missing in ${output.join(" ")}`);
});

Deno.test("the agent's own reason is the reason", async () => {
  using scripts = agent(
    "echo 'noise' >&2; echo 'ocf-exit-reason:disk /dev/x is gone' >&2; echo more >&2; exit 1",
  );
  const outcome = await runner.run(spec, "start", contextOf(scripts));
  assert.equal(outcome.reason, "disk /dev/x is gone");
});

Deno.test("without a reason of its own the exit code is explained", async () => {
  using scripts = agent("exit 6");
  const outcome = await runner.run(spec, "start", contextOf(scripts));
  assert.equal(outcome.reason, '"Thing start" ended with exit code 6 (wrongly configured on every machine)');
});

Deno.test("the instance name depends on the parameters and not on their order", () => {
  const swapped = { ...spec, parameters: { text: "a b", ip: "10.0.0.9" } };
  assert.equal(instanceName(spec), instanceName(swapped));
  assert.notEqual(instanceName(spec), instanceName({ ...spec, parameters: { ip: "10.0.0.10" } }));
  assert.equal(instanceName({ ...spec, parameters: {} }), "Thing");
});

Deno.test("an agent that is not installed is told, with its path", async () => {
  using scripts = agent("exit 0");
  const outcome = await runner.run({ ...spec, type: "Other" }, "start", contextOf(scripts));
  assert.equal(outcome.result, "failed");
  assert.equal(outcome.code, 5);
  assert.match(outcome.reason, /no executable agent ".*\/resource\.d\/test\/Other"/);
  const escaping = await runner.run({ ...spec, provider: ".." }, "start", contextOf(scripts));
  assert.equal(escaping.code, 5);
});

const dummy = "/usr/lib/ocf/resource.d/heartbeat/Dummy";
const hasDummy = existsSync(dummy);
if (!hasDummy) console.warn('SKIPPED: real OCF agents: no "resource-agents" package on this machine');

Deno.test({
  name: "the real Dummy agent starts, is monitored, stops, and each twice",
  ignore: !hasDummy,
  fn: async () => {
    using scripts = new ScriptDirectory();
    const state = join(scripts.path, "state");
    const real = { kind: "ocf", provider: "heartbeat", type: "Dummy", parameters: { state } } as const;
    const run = async (operation: "start" | "stop" | "monitor") =>
      (await runner.run(real, operation, scripts.context({ limitMs: 20_000 }))).result;
    assert.equal(await run("monitor"), "stopped");
    assert.equal(await run("start"), "running");
    assert.ok(existsSync(state));
    assert.equal(await run("start"), "running");
    assert.equal(await run("monitor"), "running");
    assert.equal(await run("stop"), "stopped");
    assert.equal(await run("stop"), "stopped");
    assert.equal(await run("monitor"), "stopped");
  },
});

Deno.test({
  name: "the real Dummy agent tells its own reason",
  ignore: !hasDummy,
  fn: async () => {
    using scripts = new ScriptDirectory();
    const blocked = join(scripts.path, "file");
    writeFileSync(blocked, "");
    const parameters = { state: join(blocked, "state") };
    const outcome = await runner.run(
      { kind: "ocf", provider: "heartbeat", type: "Dummy", parameters },
      "start",
      scripts.context({ limitMs: 20_000 }),
    );
    assert.equal(outcome.result, "failed");
    assert.ok(outcome.reason.length > 0 && (outcome.code ?? 0) > 0, JSON.stringify(outcome));
  },
});
