/** `heartline resource` as a person runs it: real processes, real scripts, real addresses. */

import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import process from "node:process";
import fc from "fast-check";
import { joined } from "../../cli/commands/resource.ts";
import { parseResourceSpec } from "../../lib/config/resource_spec.ts";
import { type ProcessResult, runProcess } from "../../lib/system/process.ts";
import { ScriptDirectory } from "./scripts.ts";
import { missingForNamespaces, TwoMachines } from "./two_machines.ts";

const main = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));
const missing = missingForNamespaces();
if (missing !== null) console.warn(`SKIPPED: heartline resource with addresses: this needs ${missing}`);

function resource(args: readonly string[], namespace?: string): Promise<ProcessResult> {
  const command = [process.execPath, "run", "-A", "--no-check", "-q", main, "resource", ...args];
  const [program = "", ...rest] = namespace === undefined
    ? command
    : ["ip", "netns", "exec", namespace, ...command];
  return runProcess(program, rest, { limitMs: 30_000, environment: { NO_COLOR: "1" } });
}

Deno.test("words such as ip=10.0.0.9 belong to the resource before them", () => {
  const cases: [words: string[], specs: string[]][] = [
    [["apache::/etc/x.conf"], ["apache::/etc/x.conf"]],
    [["ocf:heartbeat:IPaddr2", "ip=10.0.0.9", "nic=eth0"], ["ocf:heartbeat:IPaddr2 ip=10.0.0.9 nic=eth0"]],
    [["ocf:a:b", "x=1", "lsb:nginx"], ["ocf:a:b x=1", "lsb:nginx"]],
    [["ocf:a:b", "x=two words"], ['ocf:a:b x="two words"']],
    [["ocf:a:b", `x=a "b" c`], [`ocf:a:b x="a "'"'"b"'"'" c"`]],
    [["exec:/bin/x -v", "lsb:y"], ["exec:/bin/x -v", "lsb:y"]],
    [["x=1"], ["x=1"]],
  ];
  for (const [words, specs] of cases) assert.deepEqual(joined(words), specs);
});

Deno.test("a parameter reaches the agent exactly as the shell handed it over", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (value) => {
    const [text = ""] = joined(["ocf:a:b", `x=${value}`]);
    const { spec } = parseResourceSpec(text);
    assert.deepEqual(spec, { kind: "ocf", provider: "a", type: "b", parameters: { x: value } });
  }));
});

Deno.test("a command is started, looked at, stopped, and its exit codes are passed on", async () => {
  using scripts = new ScriptDirectory();
  const path = scripts.addService("thing", { running: "exit 0", stopped: "echo is down; exit 3" });
  const spec = `exec:${path}`;
  const stopped = await resource(["status", spec]);
  assert.equal(stopped.code, 3, stopped.stderr);
  assert.equal(stopped.stdout, `${spec}: stopped\n`);
  const started = await resource(["start", spec]);
  assert.equal(started.code, 0);
  assert.equal(started.stdout, `${spec}: running (started)\n`);
  const json = JSON.parse((await resource(["monitor", spec, "--json"])).stdout);
  assert.equal(json.schema, 1);
  assert.equal(json.exitCode, 0);
  assert.equal(json.resources[0].result, "running");
  assert.equal((await resource(["stop", spec])).code, 0);
  assert.equal(existsSync(join(scripts.path, "thing.state")), false);
});

Deno.test("a failure shows what the program said, and what was left undone", async () => {
  using scripts = new ScriptDirectory();
  const bad = scripts.add("bad", "echo the disk is on fire >&2; exit 4");
  const result = await resource(["start", `exec:${bad}`, "lsb:never-reached"]);
  assert.equal(result.code, 4);
  assert.match(result.stdout, /failed \(".*bad start" ended with exit code 4: the disk is on fire\)/);
  assert.match(result.stderr, /^ {2}\| the disk is on fire$/m);
  assert.match(result.stderr, /not done because of that: start "lsb:never-reached"/);
});

Deno.test("a limit ends it with exit code 124", async () => {
  using scripts = new ScriptDirectory();
  const path = scripts.add("slow", "sleep 600");
  const result = await resource(["start", `exec:${path}`, "--timeout", "300ms"]);
  assert.equal(result.code, 124);
  assert.match(result.stdout, /did not end within 300 ms and was killed/);
});

Deno.test("a dry run does nothing and says what would be done", async () => {
  using scripts = new ScriptDirectory();
  const path = scripts.addService("thing", { running: "exit 0", stopped: "exit 3" });
  const result = await resource([
    "restart",
    `exec:${path} -v`,
    "ocf:heartbeat:IPaddr2",
    "ip=10.0.0.9",
    "--dry-run",
  ]);
  assert.equal(result.code, 0, result.stderr);
  const agent = "OCF_ROOT=/usr/lib/ocf OCF_RESKEY_ip=10.0.0.9 /usr/lib/ocf/resource.d/heartbeat/IPaddr2";
  assert.deepEqual(result.stdout.trim().split("\n"), [
    `${agent} stop`,
    `${path} -v stop`,
    `${path} -v start`,
    `${agent} start`,
  ]);
  assert.equal(existsSync(join(scripts.path, "calls")), false);
});

Deno.test("what cannot be meant is refused, all of it at once", async (t) => {
  const cases: [args: string[], code: number, says: RegExp][] = [
    [["start"], 2, /Cannot tell which resource/],
    [
      ["start", "nonsense:x", "exec:relative"],
      2,
      /"nonsense:" is no kind[\s\S]*"relative" is not an absolute path/,
    ],
    [["start", "lsb:x", "--group", "g"], 2, /Cannot operate both/],
    [["start", "lsb:x", "--config", "f"], 2, /add --group NAME/],
    [["start", "--group", "g", "--config", "/nonexistent/heartline.yaml"], 78, /does not exist/],
    [["strat", "lsb:x"], 2, /strat/],
  ];
  for (const [args, code, says] of cases) {
    await t.step(args.join(" "), async () => {
      const result = await resource(args);
      assert.equal(result.code, code, result.stderr);
      assert.match(result.stderr, says);
    });
  }
});

const node = hostname().toLowerCase();
const sample = `cluster: web
nodes: [${node}, other-node]
keepalive: 200ms
deadtime: 2s
links:
  - ucast: { dev: lo, peers: [127.0.0.2] }
keys: { sign-with: 1, keys: [{index: 1, method: sha256, secret: a-long-secret}] }
groups:
  web:
    nodes: [${node}, other-node]
    resources: RESOURCES
`;

/** A directory of configuration files that nobody else may read. */
function configure(scripts: ScriptDirectory, files: Readonly<Record<string, string>>): string {
  const directory = join(scripts.path, "configuration");
  mkdirSync(directory);
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(directory, name), text);
    chmodSync(join(directory, name), 0o600);
  }
  return directory;
}

Deno.test("a group of an ha.d directory is found by its key", async () => {
  using scripts = new ScriptDirectory();
  const directory = configure(scripts, {
    nodeinfo: "node1\n",
    "ha.cf": "keepalive 1\ndeadtime 10\nucast lo 127.0.0.2\nauto_failback on\nnode node1 node2\n",
    authkeys: "auth 1\n1 sha1 test-secret-of-some-length\n",
    haresources: "node1 10.77.9.9/24/lo heartline-test-absent\n",
  });
  const unknown = await resource(["status", "--group", "nobody", "--ha-dir", directory]);
  assert.equal(unknown.code, 2, unknown.stderr);
  assert.match(unknown.stderr, /Cannot find group "nobody": the configuration has "10\.77\.9\.9\/24\/lo"/);
  const stop = await resource(["stop", "--group", "10.77.9.9/24/lo", "--ha-dir", directory, "--dry-run"]);
  assert.equal(stop.code, 0, stop.stderr);
  assert.deepEqual(stop.stdout.trim().split("\n"), [
    "heartline-test-absent stop",
    "remove 10.77.9.9 from lo",
  ]);
});

Deno.test("a configured group is started left to right and stopped right to left, with its surroundings", async () => {
  using scripts = new ScriptDirectory();
  const order = join(scripts.path, "order");
  const service = (name: string) =>
    scripts.add(
      name,
      `case $1 in
start) touch $0.on; echo "start ${name} $HA_CURHOST $HEARTLINE_GROUP" >> ${order} ;;
stop) rm -f $0.on; echo "stop ${name}" >> ${order} ;;
*) [ -e $0.on ] || exit 3 ;;
esac`,
    );
  const directory = configure(scripts, {
    "heartline.yaml": sample.replace("RESOURCES", `[ {exec: ${service("one")}}, {exec: ${service("two")}} ]`),
  });
  const file = join(directory, "heartline.yaml");
  for (const verb of ["start", "stop"]) {
    const result = await resource([verb, "--group", "web", "--config", file]);
    assert.equal(result.code, 0, result.stdout + result.stderr);
  }
  assert.deepEqual(readFileSync(order, "utf8").trim().split("\n"), [
    `start one ${node} web`,
    `start two ${node} web`,
    "stop two",
    "stop one",
  ]);
});

Deno.test({
  name: "an address is added without a lease, announced, found, and removed; again changes nothing",
  ignore: missing !== null,
  fn: async () => {
    using machines = new TwoMachines();
    const spec = "IPaddr2::10.9.0.100/24/eth0";
    assert.equal((await resource(["status", spec], machines.a)).code, 7);
    const start = await resource(["start", spec], machines.a);
    assert.equal(start.code, 0, start.stdout + start.stderr);
    assert.match(
      start.stdout,
      /running \(added on eth0 as 10\.9\.0\.100\/24; without a lease, which only a running daemon/,
    );
    assert.match(machines.ip(machines.a, "address"), /10\.9\.0\.100\/24 .*\n.*valid_lft forever/);
    assert.match((await resource(["start", spec], machines.a)).stdout, /was on eth0 .* already/);
    assert.equal((await resource(["status", spec], machines.a)).code, 0);
    for (let time = 0; time < 2; time++) assert.equal((await resource(["stop", spec], machines.a)).code, 0);
    assert.doesNotMatch(machines.ip(machines.a, "address"), /10\.9\.0\.100/);
  },
});

Deno.test({
  name: "an address that a neighbour has is not taken, and one with a lease is left alone",
  ignore: missing !== null,
  fn: async () => {
    using machines = new TwoMachines();
    const refused = await resource(["start", "10.9.0.2/24/eth0"], machines.a);
    assert.equal(refused.code, 1, refused.stdout);
    assert.match(refused.stdout, /answers for it on eth0; stop it there first/);
    machines.ip(
      machines.a,
      "address",
      "add",
      "10.9.0.100/24",
      "dev",
      "eth0",
      "valid_lft",
      "60",
      "preferred_lft",
      "60",
    );
    const held = await resource(["start", "10.9.0.100/24/eth0"], machines.a);
    assert.equal(held.code, 0);
    assert.match(held.stdout, /with a lease of a running daemon .*left as it is/);
    assert.doesNotMatch(machines.ip(machines.a, "address", "show", "to", "10.9.0.100/32"), /forever/);
  },
});

Deno.test({
  name:
    "whoever the settings say to ignore, a router with proxy ARP, keeps no address of a group from being taken",
  ignore: missing !== null,
  fn: async () => {
    using machines = new TwoMachines();
    using scripts = new ScriptDirectory();
    const router = "02:00:00:00:00:0a";
    machines.ip(machines.b, "link", "set", "eth0", "address", router);
    machines.ip(machines.b, "address", "add", "10.9.0.100/32", "dev", "eth0");
    const yaml = sample.replace("RESOURCES", "[ { vip: 10.9.0.100/24, dev: eth0 } ]");
    const directory = configure(scripts, {
      "asking.yaml": yaml,
      "ignoring.yaml": `${yaml}takeover: { ignore-answers-from: ["${router}"] }\n`,
    });
    const start = (file: string) =>
      resource(["start", "--group", "web", "--config", join(directory, file)], machines.a);
    assert.match((await start("asking.yaml")).stdout, /02:00:00:00:00:0a answers for it on eth0/);
    const started = await start("ignoring.yaml");
    assert.equal(started.code, 0, started.stdout + started.stderr);
  },
});

Deno.test({
  name: "the real IPaddr2 agent adds and removes its address",
  ignore: missing !== null || !existsSync("/usr/lib/ocf/resource.d/heartbeat/IPaddr2"),
  fn: async () => {
    using machines = new TwoMachines();
    const spec = ["ocf:heartbeat:IPaddr2", "ip=10.9.0.100", "cidr_netmask=24", "nic=eth0"];
    assert.equal((await resource(["status", ...spec], machines.a)).code, 7);
    const start = await resource(["start", ...spec], machines.a);
    assert.equal(start.code, 0, start.stdout + start.stderr);
    assert.match(machines.ip(machines.a, "address"), /10\.9\.0\.100\/24/);
    assert.equal((await resource(["status", ...spec], machines.a)).code, 0);
    assert.equal((await resource(["stop", ...spec], machines.a)).code, 0);
    assert.doesNotMatch(machines.ip(machines.a, "address"), /10\.9\.0\.100/);
  },
});
