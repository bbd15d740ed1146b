import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadSettings } from "../../lib/runtime/load_settings.ts";
import { runConfigCheck } from "../../cli/commands/config.ts";
import { goodAuthKeys, goodHaCf, goodYaml, ucastsOf } from "./samples.ts";

const good = { "ha.cf": goodHaCf, "authkeys": goodAuthKeys, "haresources": "node1 10.77.1.100/24/pub0\n" };

/** Files with mode 600 in a directory of their own. */
async function inDirectory(
  files: Readonly<Record<string, string>>,
  body: (directory: string) => Promise<void>,
) {
  const directory = await mkdtemp(join(tmpdir(), "heartline-config-"));
  try {
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(directory, name), text, { mode: 0o600 });
    }
    await body(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function check(
  paths: readonly string[],
  options: { json?: boolean; warningsOk?: boolean; node?: string } = {},
) {
  let output = "";
  const io = { write: (text: string) => void (output += text), isTerminal: false };
  const code = await runConfigCheck({ paths, ...options }, io);
  return { code, output };
}

Deno.test("an ha.d directory and a heartline.yaml are loaded for the node named", async () => {
  await inDirectory({ ...good, "heartline.yaml": goodYaml }, async (directory) => {
    const ha = await loadSettings({ haDirectory: directory, nodeOverride: "NODE1" });
    assert.deepEqual([ha.node, ha.settings?.nodes, ha.files.length], ["node1", ["node1", "node2"], 3]);
    const yaml = await loadSettings({ configFile: join(directory, "heartline.yaml"), nodeOverride: "node2" });
    assert.equal(ucastsOf(yaml.settings)[0]?.peer, "10.0.1.1");
  });
});

Deno.test("the node is the first line of nodeinfo, else the host's name", async () => {
  await inDirectory({ ...good, nodeinfo: "Node2\nmore\n" }, async (directory) => {
    assert.equal((await loadSettings({ haDirectory: directory })).node, "node2");
    await rm(join(directory, "nodeinfo"));
    const own = await loadSettings({ haDirectory: directory });
    assert.equal(own.node, hostname().toLowerCase());
    assert.deepEqual(own.problems.filter(({ severity }) => severity === "error").map(({ code }) => code), [
      "node-not-listed",
    ]);
  });
});

Deno.test("secrets that others can read are refused, wherever they stand", async () => {
  const keyed = {
    "heartline.yaml": goodYaml.replace(/^keys:.*$/m, "keys: {file: keys}"),
    "keys": goodAuthKeys,
  };
  const cases: readonly [Readonly<Record<string, string>>, string][] = [
    [good, "authkeys"],
    [{ "heartline.yaml": goodYaml }, "heartline.yaml"],
    [keyed, "keys"],
  ];
  for (const [files, secret] of cases) {
    await inDirectory(files, async (directory) => {
      const request = "ha.cf" in files
        ? { haDirectory: directory }
        : { configFile: join(directory, "heartline.yaml") };
      for (const [mode, expected] of [[0o600, 0], [0o400, 0], [0o640, 1], [0o604, 1]] as const) {
        await chmod(join(directory, secret), mode);
        const { settings, problems } = await loadSettings({ ...request, nodeOverride: "node1" });
        const found = problems.filter(({ code }) => code === "public-secrets");
        assert.equal(found.length, expected, `${secret} ${mode.toString(8)}`);
        assert.equal(settings === null, expected === 1);
      }
    });
  }
});

Deno.test("a YAML file without secrets may be public", async () => {
  await inDirectory({
    "heartline.yaml": goodYaml.replace(/^keys:.*$/m, "keys: {file: keys}"),
    "keys": goodAuthKeys,
  }, async (directory) => {
    await chmod(join(directory, "heartline.yaml"), 0o644);
    const { settings, problems } = await loadSettings({
      configFile: join(directory, "heartline.yaml"),
      nodeOverride: "node1",
    });
    assert.deepEqual(problems, []);
    assert.deepEqual(settings?.authentication.keys.map(({ method }) => method), ["sha1"]);
  });
});

Deno.test("files that are missing are problems among the others, all at once", async () => {
  await inDirectory({ "ha.cf": goodHaCf.replace("deadtime 2", "deadtime 1x") }, async (directory) => {
    const { settings, problems } = await loadSettings({ haDirectory: directory, nodeOverride: "node1" });
    assert.equal(settings, null);
    assert.deepEqual(problems.map(({ code }) => code), ["unreadable", "unreadable", "bad-value"]);
  });
});

Deno.test("config check exits with 0, 1 and 78 for clean files, warnings and errors", async () => {
  const cases: readonly [string, string, 0 | 1 | 78][] = [
    ["", "", 0],
    ["a-long-secret", "short", 1],
    ["keepalive", "keepalvie", 78],
  ];
  for (const [from, to, expected] of cases) {
    await inDirectory({ "heartline.yaml": goodYaml.replace(from, to) }, async (directory) => {
      const file = join(directory, "heartline.yaml");
      const { code, output } = await check([file], { node: "node1" });
      assert.equal(code, expected, output);
      assert.equal(
        (await check([directory], { node: "node1" })).output,
        output,
        "the directory means the file",
      );
      if (expected === 1) assert.equal((await check([file], { node: "node1", warningsOk: true })).code, 0);
      const json = JSON.parse((await check([file], { node: "node1", json: true })).output);
      assert.equal(json.schema, 1);
      assert.equal(json.verdict, expected === 0 ? "ok" : expected === 1 ? "warnings" : "errors");
      assert.deepEqual(json.files, [file]);
    });
  }
});

Deno.test("config check points at the place with a caret and the nearest spelling", async () => {
  await inDirectory({ "heartline.yaml": goodYaml.replace("keepalive", "keepalvie") }, async (directory) => {
    const file = join(directory, "heartline.yaml");
    const { output } = await check([file], { node: "node1" });
    assert.equal(
      output,
      `${file}:3:1: error: unknown key "keepalvie" in the file\n` +
        "    keepalvie: 200ms\n    ^~~~~~~~~\n" +
        `  hint: did you mean "keepalive"?\n${file}: 1 error\n`,
    );
  });
});

Deno.test("config check never shows a secret nor lets a file steer the terminal", async () => {
  const text = goodYaml.replace("method: sha256", "method: sha257").replace(
    "cluster: web",
    `clutser: "\u001b[2J"`,
  );
  await inDirectory({ "heartline.yaml": text }, async (directory) => {
    const { code, output } = await check([directory], { node: "node1" });
    assert.equal(code, 78);
    assert.ok(output.includes("secret: *************"), output);
    assert.ok(!output.includes("a-long-secret") && !output.includes("\u001b"), output);
  });
  await inDirectory({ ...good, "ha.cf": `${goodHaCf}\u001b[2Jx\n` }, async (directory) => {
    const { code, output } = await check([directory], { node: "node1" });
    assert.equal(code, 78);
    assert.ok(output.includes("unknown directive") && !output.includes("\u001b"), output);
  });
});

Deno.test("files of one ha.d directory are checked together when ha.cf is among them, alone otherwise", async () => {
  await inDirectory({ ...good, haresources: "node3 10.0.0.9/24/eth0\n" }, async (directory) => {
    const paths = ["ha.cf", "authkeys", "haresources"].map((name) => join(directory, name));
    const together = await check(paths, { node: "node1" });
    assert.equal(together.code, 78);
    assert.match(together.output, /"node3" is not one of the nodes/);
    assert.equal((await check(paths.slice(1), { node: "node1" })).code, 0);
  });
});

Deno.test("on a machine outside the cluster the rest is checked, and that is said", async () => {
  await inDirectory({ "heartline.yaml": goodYaml }, async (directory) => {
    const { code, output } = await check([directory]);
    assert.equal(code, 0, output);
    assert.match(output, /note: checked for no node in particular/);
    assert.equal((await check([directory], { node: "elsewhere" })).code, 78);
  });
});

Deno.test("a file that does not exist is an error, not a crash", async () => {
  const { code, output } = await check([join(tmpdir(), "heartline-no-such-file.yaml")]);
  assert.equal(code, 78);
  assert.match(output, /cannot read the file: it does not exist/);
});

Deno.test("a file that is no configuration at all is one error, not thousands", async () => {
  const cases: ReadonlyArray<readonly [text: string, message: RegExp]> = [
    ["nodes: [a]\n\0\u0001: {".repeat(999), /cannot read the file: it is no text/],
    ["# long\n".repeat(200_000), /cannot read the file: it has 1400000 bytes, and a configuration at most/],
  ];
  for (const [text, message] of cases) {
    await inDirectory({ "heartline.yaml": text }, async (directory) => {
      const { code, output } = await check([directory]);
      assert.equal(code, 78);
      assert.match(output, message);
      assert.ok(output.split("\n").length < 5, output);
    });
  }
});

Deno.test("config check asks the agents that are here, and reads files of options that nobody else can", async () => {
  const lab = fileURLToPath(new URL("../../scripts/lab/fence_lab", import.meta.url));
  const section = `fencing:
  delay: { node1: 5s }
  devices:
    - { name: a, agent: ${lab}, nodes: [node1], options: { directroy: /x }, options-file: opts }
    - { name: b, agent: fence_nowhere, nodes: [node2] }
`;
  const files = { "heartline.yaml": goodYaml + section, opts: "pasword=tell-nobody\n" };
  await inDirectory(files, async (directory) => {
    const path = join(directory, "heartline.yaml");
    const { code, output } = await check([path], { node: "node1" });
    assert.equal(code, 1);
    assert.match(output, /:19:\d+: warning: ".*fence_lab" has no option "directroy"/);
    assert.match(output, /has no option "pasword"[^]*did you mean "password"\?/);
    assert.match(output, /:20:\d+: warning: there is no agent "fence_nowhere"/);
    assert.ok(!output.includes("tell-nobody"));
    await chmod(join(directory, "opts"), 0o640);
    assert.match(
      (await check([path], { node: "node1" })).output,
      /opts: error: .*mode 640 lets others read it/,
    );
    await rm(join(directory, "opts"));
    assert.match((await check([path], { node: "node1" })).output, /opts: error: cannot read the file/);
  });
});
