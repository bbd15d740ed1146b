import assert from "node:assert/strict";
import { autoLeaseSeconds, awaitedLeaseMs } from "../../lib/core/limits.ts";
import type { Settings } from "../../lib/core/settings.ts";
import { checkSettings, settingsHash, unprotectedSentences } from "../../lib/config/checks.ts";
import { Places } from "../../lib/config/problem.ts";
import { goodYaml, yaml } from "./samples.ts";

type Change = readonly [from: string, to: string];

function settings(...changes: readonly Change[]): Settings {
  let text = goodYaml;
  for (const [from, to] of changes) {
    assert.ok(text.includes(from), from);
    text = text.replaceAll(from, to);
  }
  const result = yaml(text);
  assert.ok(result.settings, JSON.stringify(result.problems));
  return result.settings;
}

function codes(given: Settings): string[] {
  return checkSettings(given, new Places("x"), "node1").map(({ severity, code }) => `${severity} ${code}`);
}

Deno.test("the automatic lease is the longest that ends before another node may act", () => {
  const cases: readonly [deadTimeMs: number, seconds: number][] = [
    [100, 1],
    [1000, 1],
    [1299, 1],
    [1300, 1],
    [2299, 1],
    [2300, 2],
    [10_000, 9],
    [30_000, 29],
  ];
  for (const [deadTimeMs, seconds] of cases) {
    const timing = {
      keepaliveMs: deadTimeMs / 5,
      deadTimeMs,
      warnTimeMs: deadTimeMs / 2,
      initDeadMs: deadTimeMs,
    };
    assert.equal(autoLeaseSeconds(timing, false), seconds, String(deadTimeMs));
  }
});

Deno.test("where cut-off nodes let go, the automatic lease costs a takeover no time, if any lease can do that", () => {
  const cases: readonly [keepaliveMs: number, deadTimeMs: number, seconds: number, takeoverMs: number][] = [
    [200, 1_000, 1, 2_100],
    [400, 2_000, 1, 2_850],
    [500, 3_000, 1, 3_250],
    [500, 4_000, 1, 4_000],
    [1_000, 10_000, 5, 10_000],
    [1_000, 30_000, 20, 30_000],
  ];
  for (const [keepaliveMs, deadTimeMs, seconds, takeoverMs] of cases) {
    const timing = { keepaliveMs, deadTimeMs, warnTimeMs: deadTimeMs / 2, initDeadMs: deadTimeMs };
    assert.deepEqual(
      [autoLeaseSeconds(timing, true), awaitedLeaseMs(timing, seconds)],
      [seconds, takeoverMs],
      String(deadTimeMs),
    );
  }
});

Deno.test("the lease is judged against the dead time, and its gap is told in numbers", () => {
  assert.deepEqual(codes(settings()), []);
  const codesAlone = (...changes: readonly Change[]) =>
    codes(settings(noArbiter, ...changes)).filter((code) => code !== "note unprotected");
  assert.deepEqual(codesAlone(["deadtime: 4s", "deadtime: 1s"]), ["note lease-long"]);
  assert.deepEqual(codesAlone(["deadtime: 4s", "deadtime: 1300ms"]), []);
  assert.deepEqual(codesAlone(["dev: pub0}", "dev: pub0, lease: 4s}"]), ["warning lease-long"]);
  assert.deepEqual(codes(settings(["dev: pub0}", "dev: pub0, lease: none}"])), [
    "warning no-lease",
    "note unprotected",
  ]);
  assert.deepEqual(codesAlone(["failback: off", "wait-for-lease: true"], ["deadtime: 4s", "deadtime: 1s"]), [
    "note lease-awaited",
  ]);
  const [gap] = checkSettings(
    settings(noArbiter, ["deadtime: 4s", "deadtime: 1s"]),
    new Places("x"),
    "node1",
  );
  assert.match(
    gap!.message,
    /up to 1\.25s after its last renewal.*1s after the last heartbeat.*for up to 250ms/,
  );
  assert.match(gap!.hint!, /1\.3s/);
});

Deno.test("where cut-off nodes let go, the lease is waited for, and the price or the gap is told in numbers", () => {
  const told = (...changes: readonly Change[]) =>
    checkSettings(settings(...changes), new Places("x"), "node1").map(({ severity, code, message }) =>
      `${severity} ${code}: ${message.replace(/\n/g, " ")}`
    );
  assert.deepEqual(told(), []);
  assert.match(
    told(["deadtime: 4s", "deadtime: 1s"]).join(),
    /^note lease-awaited: .*2\.1s after .*instead of 1s/,
  );
  const unawaited = ["failback: off", "wait-for-lease: false"] as const;
  assert.match(
    told(unawaited, ["deadtime: 4s", "deadtime: 1s"]).join(),
    /^warning lease-long: .*up to 750ms/,
  );
  assert.deepEqual(told(unawaited), []);
});

const noArbiter: Change = ["arbiters: [ { ping: [10.0.0.254], on-unreachable: release } ]\n", ""];

Deno.test("a lease that would run out between two renewals is refused", () => {
  const { problems } = yaml(goodYaml.replace("200ms", "1s").replace("deadtime: 4s", "deadtime: 2100ms"));
  assert.deepEqual(problems.filter(({ severity }) => severity === "error").map(({ code }) => code), [
    "deadtime-short-for-arbiter",
    "lease-short",
  ]);
  const tight = settings(["keepalive: 200ms", "keepalive: 1600ms"], noArbiter);
  assert.deepEqual(codes(tight), ["warning lease-tight", "note unprotected"]);
});

Deno.test("links are counted from the node that reads the settings", () => {
  const single = settings([`  - ucast: { dev: pub0, peers: [10.0.0.1, 10.0.0.2] }\n`, ""]);
  assert.deepEqual(codes(single), ["warning single-link"]);
  const three = settings(["nodes: [node1, node2]\nk", "nodes: [node1, node2, node3]\nk"], [
    "node2: 10.0.1.2}",
    "node2: 10.0.1.2, node3: 10.0.1.3}",
  ], ["peers: [10.0.0.1, 10.0.0.2]", "peer: 10.0.0.2"]);
  assert.deepEqual(codes(three), ["warning partial-link"]);
  assert.deepEqual(checkSettings(three, new Places("x"), null), []);
});

Deno.test("crc is refused over UDP unless it is allowed by name", () => {
  const crc = "{index: 2, method: crc}";
  const both = goodYaml.replace("secret: a-long-secret}", `secret: a-long-secret}, ${crc}`);
  const refused = yaml(both).problems.filter(({ severity }) => severity !== "note");
  assert.deepEqual(refused.map(({ code }) => code), ["crc-refused"]);
  const allowed = yaml(both.replace("sign-with: 1,", "sign-with: 1, allow-crc: true,"));
  assert.deepEqual(allowed.problems.map(({ severity, code }) => `${severity} ${code}`), ["warning crc"]);
});

Deno.test("what remains unprotected is said, and nothing where nothing remains", () => {
  const cases: readonly [string, Settings, readonly RegExp[]][] = [
    ["a leased address with an arbiter", settings(), []],
    ["no arbiter", settings(noArbiter), [/service network.*no arbiter and no fencing/]],
    ["an arbiter that holds", settings(["release", "hold"]), [/policy is to hold/]],
    ["an arbiter that holds for a time", settings(["release", "{hold-for: 30s}"]), [/held twice for 30s/]],
    ["no lease", settings(["dev: pub0}", "lease: none}"]), [/no lease/]],
    ["a service behind the address", settings(["dev: pub0}", "dev: pub0}, lsb:nginx"]), [
      /services.*go on running/,
    ]],
    ["a service alone", settings(["{vip: 10.0.0.9/24, dev: pub0}", "lsb:nginx"]), [
      /still reach the arbiter.*can run twice/,
    ]],
    [
      "one node",
      settings([", node2]\nk", "]\nk"], [", node2: 10.0.1.2", ""], [", node2]", "]"], noArbiter),
      [],
    ],
  ];
  for (const [name, given, expected] of cases) {
    const sentences = unprotectedSentences(given);
    assert.equal(sentences.length, expected.length, `${name}: ${sentences}`);
    for (const [index, pattern] of expected.entries()) assert.match(sentences[index] ?? "", pattern, name);
  }
});

Deno.test("the hash is the same on all nodes and differs where nodes must agree", () => {
  const hash = settingsHash(settings());
  assert.match(hash, /^[0-9a-f]{16}$/);
  const local = { nodeName: "node2", ownAddresses: new Set(["10.0.0.2"]) };
  assert.equal(settingsHash(yaml(goodYaml, local).settings!), hash, "computed on the other node");
  const alike: readonly (readonly [string, string])[] = [
    ["a-long-secret", "other-secret"],
    ["dev: pub0", "dev: ens3"],
    ["10.0.1.", "10.0.7."],
    ["10.0.0.254", "10.0.0.253"],
    ["delay: 0s", "delay: 1s"],
    ["nodes: [node1, node2]\nk", "nodes: [node2, node1]\nk"],
  ];
  for (const change of alike) assert.equal(settingsHash(settings(change)), hash, String(change));
  const different: readonly (readonly [string, string])[] = [
    ["keepalive: 200ms", "keepalive: 100ms"],
    ["deadtime: 4s", "deadtime: 1900ms"],
    ["failback: off", "failback: on"],
    ["nodes: [node1, node2]\n    f", "nodes: [node2, node1]\n    f"],
    ["10.0.0.9", "10.0.0.8"],
    ["sha256", "sha1"],
    ["  web:", "  www:"],
    ["dev: pub0}", "dev: pub0}, lsb:nginx"],
    ["confirm: false", "confirm: true"],
  ];
  for (const change of different) assert.notEqual(settingsHash(settings(change)), hash, String(change));
});
