/** Completion scripts: made from the commands, accepted by their shells, and completing what they should. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { buildWholeProgram } from "../../cli/program.ts";
import { completionScript, type Shell } from "../../cli/render/completion_scripts.ts";

const lines: ReadonlyArray<readonly [words: readonly string[], expected: readonly string[]]> = [
  [["heartline", "sta"], ["status", "standby"]],
  [["heartline", "tak"], ["takeover"]],
  [["heartline", "status", "--j"], ["--json"]],
  [["heartline", "takeover", ""], ["web", "db"]],
  [["heartline", "takeover", "web", "d"], ["db"]],
  [["heartline", "maintenance", ""], ["on", "off"]],
  [["heartline", "arp", "a"], ["announce"]],
  [["heartline", "arp", "announce", "--v"], ["--vip"]],
  [["heartline", "status", "--socket", "/et"], ["/etc"]],
];

Deno.test("bash completes commands, options, choices, groups and files", async () => {
  const script = completionScript("bash", await buildWholeProgram());
  const probe = `${script}
heartline() { [[ $2 == groups ]] && printf 'web\\ndb\\n'; }
while read -r -a COMP_WORDS; do
  [[ \${COMP_WORDS[-1]} == "''" ]] && COMP_WORDS[-1]=""
  COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
  _heartline
  echo "\${COMPREPLY[*]}"
done`;
  const input = lines.map(([words]) => words.map((word) => word || "''").join(" ")).join("\n") + "\n";
  const { stdout, stderr, status } = spawnSync("bash", ["--norc", "-c", probe], { input, encoding: "utf8" });
  assert.equal(stderr, "");
  assert.equal(status, 0);
  assert.deepEqual(stdout.trimEnd().split("\n"), lines.map(([, expected]) => expected.join(" ")));
});

for (const [shell, check] of [["zsh", ["-n"]], ["fish", ["--no-execute"]]] as const) {
  const isThere = spawnSync(shell, ["--version"]).status === 0;
  if (!isThere) console.warn(`skipped: the ${shell} completion script, because "${shell}" is missing`);
  Deno.test({
    name: `${shell} accepts its completion script`,
    ignore: !isThere,
    fn: async () => {
      const input = completionScript(shell as Shell, await buildWholeProgram());
      const { stderr, status } = spawnSync(shell, [...check, "/dev/stdin"], { input, encoding: "utf8" });
      assert.equal(stderr, "");
      assert.equal(status, 0);
    },
  });
}

Deno.test("every command and every option is in every script", async () => {
  const program = await buildWholeProgram();
  for (const shell of ["bash", "zsh", "fish"] as const) {
    const script = completionScript(shell, program);
    for (const command of program.commands) {
      assert.ok(script.includes(command.name()), `${shell}: ${command.name()}`);
      for (const option of command.options) {
        assert.ok(script.includes(option.long!.slice(shell === "fish" ? 2 : 0)), `${shell}: ${option.long}`);
      }
    }
  }
});
