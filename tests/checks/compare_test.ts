import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DetectOptions } from "../../cli/commands/detect.ts";
import { questionOf } from "../../cli/commands/detect/question.ts";
import { settingDifferences } from "../../lib/checks/compare.ts";
import { plainContext, settingsFromYaml } from "../../lib/config/load.ts";
import type { Settings } from "../../lib/core/settings.ts";

const text = `
nodes: [node1, node2]
keepalive: 1s
deadtime: 10s
links:
  - ucast: { dev: eth1, peers: [10.0.1.1, 10.0.1.2] }
keys:
  sign-with: 1
  keys:
    - { index: 1, method: sha256, secret: "secret-of-the-pair" }
groups:
  web:
    nodes: [node1, node2]
    failback: off
    resources:
      - vip: 10.0.0.9/24
`;

function settings(from: string, to: string): Settings {
  assert(text.includes(from), from);
  const result = settingsFromYaml(text.replace(from, to), "heartline.yaml", plainContext(null));
  assert(result.settings !== null, JSON.stringify(result.problems));
  return result.settings;
}

const own = settings("nodes", "nodes");

const cases: ReadonlyArray<readonly [from: string, to: string, expected: readonly string[]]> = [
  ["eth1", "eth2", []],
  ["deadtime: 10s", "deadtime: 30s", ["deadtime: 10s, 30s"]],
  ["keepalive: 1s", "keepalive: 2s", ["keepalive: 1s, 2s"]],
  ["secret-of-the-pair", "secret-of-another", ["key 1: one secret, another secret"]],
  ["sha256", "sha1", ["key 1: sha256, sha1"]],
  ["failback: off", "failback: on", [`failback of group "web": off, on`]],
  ["10.0.0.9/24", "10.0.0.8/24", [`resources of group "web": vip:10.0.0.9/24, vip:10.0.0.8/24`]],
  ["  web:", "  www:", [`group "web": present, missing`, `group "www": missing, present`]],
];

for (const [from, to, expected] of cases) {
  Deno.test(`settings of two nodes: "${to}" instead of "${from}" is told as ${expected.join("; ") || "nothing"}`, () => {
    const found = settingDifferences(own, settings(from, to)).map(({ subject, here, there }) =>
      `${subject}: ${here}, ${there}`
    );
    const relevant = found.filter((line) => !/^(warntime|initdead)/.test(line));
    assert.deepEqual(relevant, expected);
    assert(!JSON.stringify(found).includes("secret-of"), "no secret is shown");
  });
}

Deno.test("--compare reads the other node's copy, and says so when this node's own settings are not named", async () => {
  const directory = mkdtempSync(join(tmpdir(), "hl-compare-"));
  const write = (name: string, content: string) => {
    const path = join(directory, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  try {
    const config = write("heartline.yaml", text);
    const compare = write("copy.yaml", text.replace("deadtime: 10s", "deadtime: 30s"));
    const options = { config, compare, node: "node1", local: true } as unknown as DetectOptions;
    const { differences } = await questionOf(options, []);
    const deadtime = differences?.find((difference) => difference.subject === "deadtime");
    assert.deepEqual([deadtime?.here, deadtime?.there], ["10s", "30s"]);
    const alone = { vip: ["10.0.0.9"], compare } as unknown as DetectOptions;
    await assert.rejects(questionOf(alone, []), /own settings are not named; name them with --config/);
    const broken = { ...options, compare: write("broken.yaml", "nodes: 7") } as DetectOptions;
    await assert.rejects(questionOf(broken, []), /broken\.yaml/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
