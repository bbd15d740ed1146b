import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AgentDevice } from "../../lib/fencing/agent.ts";
import { agentInput, withoutSecrets } from "../../lib/fencing/agent_call.ts";
import type { FenceStep } from "../../lib/fencing/fence.ts";
import { Fencer } from "../../lib/fencing/fencer.ts";
import { hasPorts, isFabric, parseMetadata, unknownOptions } from "../../lib/fencing/metadata.ts";
import { until } from "../system/network.ts";

const agent = fileURLToPath(new URL("../../scripts/lab/fence_lab", import.meta.url));

/** A device whose power is a file, which fails as `fault` says. */
class Power {
  readonly directory = mkdtempSync(join(tmpdir(), "hl-fence-"));
  readonly steps: FenceStep[] = [];
  readonly tell = (step: FenceStep) => void this.steps.push(step);

  constructor(fault = "", state = "on") {
    writeFileSync(join(this.directory, "fault"), fault);
    writeFileSync(join(this.directory, "n1.state"), `${state}\n`);
  }

  settings(limitMs: number, name = "lab") {
    const options = { directory: this.directory, password: "tell-nobody", instant: "1" };
    return { name, agent, ports: { n1: null }, options, limitMs };
  }

  get state(): string {
    return readFileSync(join(this.directory, "n1.state"), "utf8").trim();
  }

  calls(): string[] {
    return readFileSync(join(this.directory, "calls"), "utf8").trim().split("\n");
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/**
 * What goes wrong, the time there is, what the answer must be, and of what. Shorter times: on a busy machine an agent
 * does not get as far as its fault.
 */
const courses: readonly (readonly [string, string, string, number, string, RegExp])[] = [
  ["a healthy device", "", "on", 5000, "fenced", /n1 is off, as lab says/],
  ["a node that is off already", "", "off", 5000, "fenced", /n1 is off/],
  [
    "an off that fails on a node that is off",
    "refuses",
    "off",
    5000,
    "fenced",
    /is off, although "off" failed/,
  ],
  ["power that goes away a second later", "late", "on", 5000, "fenced", /n1 is off/],
  ["a board whose only session is taken once", "busy", "on", 5000, "fenced", /n1 is off/],
  ["an off that hangs on a node that is off", "hang-off", "off", 5000, "fenced", /not done after/],
  ["an off that hangs", "hang-off", "on", 5000, "failed", /not done after .* it is on/],
  ["an off that says done and does nothing", "liar", "on", 4000, "failed", /still on after/],
  ["a device that refuses", "refuses", "on", 4000, "failed", /exit 1: Failed: Unable to power off.*it is on/],
  ["a device that does not answer", "dead", "on", 4000, "unknown", /Unable to connect/],
  ["an agent that crashes", "crash", "on", 4000, "unknown", /ended by SIGSEGV/],
  ["an agent that hangs", "hang", "on", 4000, "unknown", /not done after/],
  ["an agent that exits with 2 whatever it is asked", "wrong-options", "on", 4000, "unknown", /exit 2/],
  ["a device that cannot tell the state", "no-status", "on", 4000, "unknown", /cannot tell whether/],
];

Deno.test("a node counts as fenced only when it was seen to be off, in each way an agent can fail", async () => {
  await Promise.all(courses.map(async ([name, fault, state, limitMs, result, reason]) => {
    using power = new Power(fault, state);
    const startedMs = performance.now();
    const outcome = await new AgentDevice(power.settings(limitMs)).fence("n1", power.tell);
    assert.equal(outcome.result, result, `${name}: ${outcome.reason}`);
    assert.match(outcome.reason, reason, name);
    // Metadata on a busy machine, and the end of a killed agent, come on top.
    assert.ok(performance.now() - startedMs < limitMs + 6000, `${name} kept its limit`);
    if (outcome.result === "fenced") assert.equal(power.state, "off", name);
    if (fault === "hang") {
      const child = readFileSync(join(power.directory, "child"), "utf8").trim();
      await until("what the agent started is gone too", () => hasEnded(child));
    }
  }));
});

/** Gone, or dead and not yet fetched by whoever inherited it. */
function hasEnded(pid: string): boolean {
  return !existsSync(`/proc/${pid}`) || / Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
}

Deno.test("each step is told, without the password", async () => {
  using power = new Power("chatty");
  await new AgentDevice(power.settings(4000)).fence("n1", power.tell);
  assert.match(JSON.stringify(power.steps), /login with password \*\*\* refused/);
  assert.ok(!JSON.stringify(power.steps).includes("tell-nobody"));
  using good = new Power();
  await new AgentDevice(good.settings(5000)).fence("n1", good.tell);
  assert.deepEqual(good.steps.map(({ action, sentence }) => `${action}: ${sentence}`), [
    "off: done",
    "status: it is off",
  ]);
  assert.deepEqual(good.calls(), ["off n1", "status n1"]);
});

Deno.test("devices are tried in order, the node comes back on, and one answer is given", async () => {
  using dead = new Power("dead");
  using good = new Power();
  const devices = [dead.settings(4000, "first"), good.settings(5000, "second")];
  const fencer = (action: "off" | "reboot") => new Fencer({ devices, action, delayMs: {}, retryMs: 1000 });
  const restarted = Promise.withResolvers<string>();
  const outcome = await fencer("reboot").fence(
    "n1",
    good.tell,
    { restarted: (isOn, device) => restarted.resolve(`${device} ${isOn}`) },
  );
  assert.equal(outcome.result, "fenced");
  assert.equal(await restarted.promise, "second true");
  assert.equal(good.state, "on");
  assert.equal((await fencer("off").fence("n1", good.tell)).result, "fenced");
  assert.equal(good.state, "off");
  assert.deepEqual(await fencer("off").fence("n9", good.tell), {
    kind: "fence",
    result: "failed",
    reason: "no device can fence n9",
  });
  writeFileSync(join(good.directory, "fault"), "refuses");
  writeFileSync(join(good.directory, "n1.state"), "on");
  assert.equal((await fencer("off").fence("n1", good.tell)).result, "unknown", "the first may have done it");
});

Deno.test("the strips of two power supplies fence only together, and are both switched on again", async () => {
  using first = new Power();
  using second = new Power();
  const devices = [first.settings(5000, "first"), second.settings(5000, "second")];
  const together = [["first", "second"]];
  const fencer = new Fencer({ devices, together, action: "reboot", delayMs: {}, retryMs: 1000 });
  const restarted = Promise.withResolvers<string>();
  const care = { restarted: (isOn: boolean, by: string) => restarted.resolve(`${by} ${isOn}`) };
  const outcome = await fencer.fence("n1", first.tell, care);
  assert.deepEqual([outcome.result, outcome.reason], [
    "fenced",
    "n1 is off, as first says, and n1 is off, as second says",
  ]);
  assert.equal(await restarted.promise, "first and second true");
  assert.deepEqual([first.state, second.state], ["on", "on"]);
  writeFileSync(join(second.directory, "fault"), "refuses");
  const half = await fencer.fence("n1", first.tell, care);
  assert.deepEqual(
    [half.result, first.state, second.state],
    ["failed", "off", "on"],
    "it runs on the second one",
  );
});

Deno.test("a node that does not come back on is told, and stays fenced", async () => {
  using power = new Power("no-on");
  const fencer = new Fencer({
    devices: [power.settings(5000)],
    action: "reboot",
    delayMs: {},
    retryMs: 1000,
  });
  const restarted = Promise.withResolvers<boolean>();
  const outcome = await fencer.fence("n1", power.tell, { restarted: restarted.resolve });
  assert.equal(outcome.result, "fenced");
  assert.equal(await restarted.promise, false);
});

Deno.test("a question that is under way makes room for a fencing", async () => {
  using power = new Power("hang");
  const device = new AgentDevice(power.settings(60_000));
  const question = device.ask("n1", 60_000);
  const child = join(power.directory, "child");
  const endsAt = performance.now() + 10_000;
  while (!existsSync(child) || readFileSync(child, "utf8") === "") {
    assert.ok(performance.now() < endsAt, "the agent has not started");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  writeFileSync(join(power.directory, "fault"), "");
  assert.equal((await device.fence("n1", power.tell)).result, "fenced");
  assert.match((await question).reason, /ended to make room for a fencing/);
});

Deno.test("an agent that is not there is a failure, not a doubt", async () => {
  using power = new Power();
  const device = new AgentDevice({ ...power.settings(1000), agent: "fence_nowhere" });
  const outcome = await device.fence("n1", power.tell);
  assert.deepEqual([outcome.result, outcome.reason], [
    "failed",
    `lab: there is no "fence_nowhere" on this machine`,
  ]);
});

Deno.test("options reach the agent as it reads them", () => {
  assert.equal(
    agentInput({ ip: "1.2.3.4", password: " a b", login: '"x"', quote: 'a"b' }),
    `ip=1.2.3.4\npassword=" a b"\nlogin=""x""\nquote=a"b\n`,
  );
  const options = { password: "abc", passwrod: "abcdef", ip: "10.0.0.1", lanplus: "1" };
  assert.equal(withoutSecrets("abcdef abc 10.0.0.1 1", options), "*** *** 10.0.0.1 1");
});

Deno.test("metadata tells options, ports and whether there is power to switch", () => {
  const text = readFileSync(agent, "utf8");
  const metadata = parseMetadata(text)!;
  assert.ok(hasPorts(metadata) && !isFabric(metadata));
  assert.deepEqual(unknownOptions(metadata, ["directory", "pasword"]), ["pasword"]);
  assert.equal(isFabric({ parameters: [], actions: ["on", "off"] }), true);
  assert.equal(parseMetadata("Usage: thing"), null);
});
