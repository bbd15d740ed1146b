import assert from "node:assert/strict";
import type { ResourceOutcome } from "../../lib/core/inputs.ts";
import type { ResourceSettings, ResourceSpec } from "../../lib/core/settings.ts";
import { exitCodeOf, operate, type OperateOptions, stepsOf } from "../../lib/resources/operate.ts";
import { runnerFor } from "../../lib/resources/registry.ts";
import type { Operation } from "../../lib/resources/resource.ts";

const resource = (id: string, spec: ResourceSpec = { kind: "lsb", script: id }): ResourceSettings => ({
  id,
  spec,
  startLimitMs: 1000,
  stopLimitMs: 2000,
  monitorLimitMs: 3000,
});

const web = [resource("disk"), resource("address"), resource("server")];

type Answer = Partial<ResourceOutcome> & Pick<ResourceOutcome, "result">;

/** Runners that write down what they are asked, and answer what `answers` says, else success. */
function scene(answers: Record<string, Answer> = {}) {
  const asked: string[] = [];
  const limits: number[] = [];
  const options: OperateOptions = {
    limitMs: null,
    context: { environment: {}, scriptDirectories: [] },
    runnerFor: () =>
      Promise.resolve({
        run: (spec: ResourceSpec, operation: Operation, context: { limitMs: number }) => {
          const name = spec.kind === "lsb" ? spec.script : spec.kind;
          asked.push(`${operation} ${name}`);
          limits.push(context.limitMs);
          const success = operation === "stop" ? "stopped" : "running";
          const answer = answers[`${operation} ${name}`] ?? { result: success, code: 0 };
          return Promise.resolve({
            kind: "resource",
            code: null,
            reason: "",
            output: [],
            durationMs: 0,
            ...answer,
          } as ResourceOutcome);
        },
        describe: () => "",
      }),
  };
  return { asked, limits, options };
}

Deno.test("starts go left to right, stops right to left, a restart is both", async () => {
  const { asked, options } = scene();
  assert.equal(exitCodeOf(await operate(stepsOf("restart", web), options)), 0);
  assert.deepEqual(asked, [
    "stop server",
    "stop address",
    "stop disk",
    "start disk",
    "start address",
    "start server",
  ]);
});

Deno.test("nothing is done after a step that failed, and its code is the result", async (t) => {
  const cases: [
    verb: "start" | "stop" | "restart",
    failing: string,
    answer: Answer,
    asked: number,
    code: number,
  ][] = [
    ["start", "start address", { result: "failed", code: 6 }, 2, 6],
    ["start", "start disk", { result: "failed", code: null }, 1, 1],
    ["start", "start disk", { result: "unknown", durationMs: 1000 }, 1, 124],
    ["start", "start disk", { result: "unknown", durationMs: 10 }, 1, 1],
    ["stop", "stop address", { result: "failed", code: 1 }, 2, 1],
    ["restart", "stop disk", { result: "unknown", durationMs: 2000 }, 3, 124],
  ];
  for (const [verb, failing, answer, count, code] of cases) {
    await t.step(`${verb}: ${failing} ${answer.result}`, async () => {
      const { asked, options } = scene({ [failing]: answer });
      assert.equal(exitCodeOf(await operate(stepsOf(verb, web), options)), code);
      assert.equal(asked.length, count);
    });
  }
});

Deno.test("a look at the state looks at everything", async () => {
  const { asked, options } = scene({ "monitor disk": { result: "stopped", code: 3 } });
  assert.equal(exitCodeOf(await operate(stepsOf("status", web), options)), 3);
  assert.equal(asked.length, 3);
});

Deno.test("stopped has a code even where the script gave none", async (t) => {
  const cases: [spec: ResourceSpec, code: number | null, expected: number][] = [
    [{ kind: "ha", script: "x", args: [] }, 0, 3],
    [{ kind: "ha", script: "x", args: [] }, 1, 1],
    [{ kind: "exec", path: "/x", args: [] }, 7, 7],
    [{ kind: "systemd", unit: "x.service" }, 3, 3],
    [{ kind: "ocf", provider: "p", type: "t", parameters: {} }, 7, 7],
  ];
  for (const [spec, code, expected] of cases) {
    await t.step(`${spec.kind} ${code}`, async () => {
      const { options } = scene({ [`monitor ${spec.kind}`]: { result: "stopped", code } });
      assert.equal(exitCodeOf(await operate(stepsOf("status", [resource("r", spec)]), options)), expected);
    });
  }
});

Deno.test("a degraded agent's own code is passed on when it is asked for alone", async () => {
  const agent = resource("a", { kind: "ocf", provider: "p", type: "t", parameters: {} });
  const { options } = scene({ "monitor ocf": { result: "running", code: 190 } });
  assert.equal(exitCodeOf(await operate(stepsOf("monitor", [agent]), options)), 190);
  assert.equal(exitCodeOf(await operate(stepsOf("monitor", [agent, web[0]!]), options)), 0);
});

Deno.test("each step has its own limit, and never more than what is left of the whole", async () => {
  const own = scene();
  await operate(stepsOf("restart", [web[0]!]), own.options);
  assert.deepEqual(own.limits, [2000, 1000]);
  const whole = scene();
  await operate(stepsOf("restart", [web[0]!]), { ...whole.options, limitMs: 1500 });
  assert.ok(whole.limits[0]! <= 1500 && whole.limits[0]! > 1000);
  assert.ok(whole.limits[1]! <= 1000);
});

Deno.test("every kind of resource has a runner, one in a process", async () => {
  for (const kind of ["vip", "ha", "lsb", "ocf", "systemd", "exec"] as const) {
    const runner = await runnerFor(kind);
    assert.equal(typeof runner.run, "function");
    assert.equal(await runnerFor(kind), runner);
  }
});
