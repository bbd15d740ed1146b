import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { mayImport } from "../../scripts/lint/house.ts";
import plugin from "../../scripts/lint/purity.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FIXTURES = join(ROOT, "tests/fixtures/lint");

function fixtures(kind: "good" | "bad"): string[] {
  return readdirSync(join(FIXTURES, kind), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(FIXTURES, kind, name));
}

/** `LINE RULE` of everything that is found, sorted, without repetitions. */
function found(file: string, source: string): string[] {
  const diagnostics = Deno.lint.runPlugin(plugin, file, source);
  const lineOf = (offset: number) => source.slice(0, offset).split("\n").length;
  return unique(diagnostics.map(({ id, range }) => `${lineOf(range[0])} ${id.replace(/^heartline\//, "")}`));
}

/** `LINE RULE` of everything that the comments at the ends of lines announce. */
function announced(source: string): string[] {
  return unique(
    source.split("\n").flatMap((line, index) => {
      const rules = /\/\/ ((?:(?:pure|imports|runtime)-[a-z-]+ ?)+)$/.exec(line)?.[1];
      return rules?.trim().split(" ").map((rule) => `${index + 1} ${rule}`) ?? [];
    }),
  );
}

function unique(items: readonly string[]): string[] {
  return [...new Set(items)].sort((a, b) => parseInt(a) - parseInt(b) || a.localeCompare(b));
}

for (const file of fixtures("bad")) {
  const name = file.slice(FIXTURES.length + 1);
  Deno.test(`every bad line of ${name} is refused, by the rule that its comment names`, () => {
    const source = readFileSync(file, "utf8");
    assert.ok(announced(source).length > 0);
    assert.deepEqual(found(file, source), announced(source));
  });
}

for (const file of fixtures("good")) {
  Deno.test(`nothing of ${file.slice(FIXTURES.length + 1)} is refused`, () => {
    assert.deepEqual(found(file, readFileSync(file, "utf8")), []);
  });
}

Deno.test("the bad fixtures need every rule of the plugin", () => {
  const rules = new Set(
    fixtures("bad").flatMap((file) => announced(readFileSync(file, "utf8"))).map((each) =>
      each.split(" ")[1]
    ),
  );
  assert.deepEqual([...rules].sort(), Object.keys(plugin.rules).sort());
});

Deno.test("deno lint with the settings of this house refuses the bad fixtures and accepts the good ones", () => {
  const scratch = mkdtempSync(join(tmpdir(), "heartline-lint-"));
  try {
    const { lint } = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8"));
    // The same settings without the exclusion that keeps the fixtures out of the ordinary run.
    const plugins = lint.plugins.map((path: string) => join(ROOT, path));
    writeFileSync(join(scratch, "deno.json"), JSON.stringify({ lint: { ...lint, plugins, exclude: [] } }));
    cpSync(join(ROOT, "tests/fixtures/lint"), join(scratch, "tests/fixtures/lint"), { recursive: true });
    const lintOf = (kind: string) =>
      spawnSync(process.execPath, ["lint", `tests/fixtures/lint/${kind}`], {
        cwd: scratch,
        encoding: "utf8",
      });
    const bad = lintOf("bad");
    assert.equal(bad.status, 1, bad.stderr);
    for (const rule of Object.keys(plugin.rules)) assert.match(bad.stderr, new RegExp(`heartline/${rule}`));
    const good = lintOf("good");
    assert.equal(good.status, 0, good.stderr);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
});

const imports: ReadonlyArray<readonly [from: string, to: string, verdict: boolean]> = [
  ["lib/core/node.ts", "lib/wire/message.ts", true],
  ["lib/wire/message.ts", "lib/core/node.ts", false],
  ["lib/core/node.ts", "lib/errors.ts", true],
  ["lib/errors.ts", "lib/core/node.ts", false],
  ["lib/sim/world.ts", "lib/core/node.ts", true],
  ["lib/core/node.ts", "lib/sim/world.ts", false],
  ["lib/media/ucast.ts", "lib/resources/vip.ts", false],
  ["lib/fencing/ssh.ts", "lib/resources/resource.ts", true],
  ["lib/resources/vip.ts", "lib/system/netlink.ts", true],
  ["lib/system/netlink.ts", "lib/resources/vip.ts", false],
  ["lib/runtime/peer.ts", "lib/resources/registry.ts", true],
  ["lib/resources/vip.ts", "lib/runtime/peer.ts", false],
  ["cli/commands/peer.ts", "lib/runtime/peer.ts", true],
  ["lib/runtime/peer.ts", "cli/main.ts", false],
  ["scripts/demo.ts", "cli/main.ts", false],
  ["scripts/demo.ts", "lib/runtime/peer.ts", true],
  ["tests/cli/status_test.ts", "cli/commands/status.ts", true],
];

for (const [from, to, verdict] of imports) {
  Deno.test(`${from} ${verdict ? "may" : "must not"} import ${to}`, () => {
    assert.equal(mayImport(from, to), verdict);
  });
}
