/** A reboot that does not happen is told, with its reason. Nothing here reboots anything: each row names its program. */

import assert from "node:assert/strict";
import type { Input } from "../../lib/core/inputs.ts";
import { SystemHands, type Tools } from "../../lib/runtime/hands.ts";
import { rebootMachine } from "../../lib/runtime/self_reboot.ts";

const rows: readonly (readonly [name: string, command: string, args: readonly string[], reason: RegExp])[] = [
  ["is not installed", "/nonexistent/reboot", ["-f"], /^"\/nonexistent\/reboot -f" could not be .*ENOENT/],
  ["is refused", ...shell("echo not permitted >&2; exit 4"), /" failed with code 4: not permitted$/],
  ["fails without a word", ...shell("exit 1"), /" failed with code 1$/],
  ["is killed", ...shell("kill -9 $$"), /" was ended by SIGKILL$/],
  ["hangs", "sleep", ["60"], /^"sleep 60" did not end within 0\.3 s$/],
  ["does nothing", "true", [], /^"true" ended well, but this machine still runs 0\.01 s later$/],
];

function shell(script: string): [command: string, args: readonly string[]] {
  return ["sh", ["-c", script]];
}

for (const [name, command, args, reason] of rows) {
  Deno.test(`a reboot that ${name} says so`, async () => {
    const limitMs = name === "hangs" ? 300 : 10_000;
    const held = setTimeout(() => {}, 20_000);
    assert.match(await rebootMachine({ command, args, limitMs, goneWithinMs: 10 }), reason);
    clearTimeout(held);
  });
}

Deno.test("the core is told that this machine still runs", async () => {
  const tools: Partial<Tools> = { reboot: () => Promise.resolve("no program") };
  const hands = new SystemHands(tools as Tools);
  const told = new Promise<Input>((resolve) => hands.input = resolve);
  hands.reboot({ kind: "reboot", group: "web", reason: "stuck" });
  assert.deepEqual(await told, { kind: "reboot-failed", group: "web", reason: "no program" });
});
