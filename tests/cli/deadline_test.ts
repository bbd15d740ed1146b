/** The end of a command that hangs: by a word while the event loop turns, by the kernel when it stands still. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import process from "node:process";

const deadline = new URL("../../cli/deadline.ts", import.meta.url).href;

/** Runs a script after arming a deadline of 200 ms. */
function armed(
  script: string,
): Promise<{ code: number | null; signal: string | null; stdout: string; tookMs: number }> {
  const text = `
    const { armDeadline } = await import(${JSON.stringify(deadline)});
    const deadline = armDeadline(200, { stream: "stdout", text: "too late\\n", exitCode: 3 });
    ${script}`;
  const startedMs = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["eval", "--no-check", text], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    const guard = setTimeout(() => child.kill("SIGKILL"), 20_000);
    let stdout = "";
    child.stdout.on("data", (chunk) => stdout += chunk);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(guard);
      resolve({ code, signal, stdout, tookMs: performance.now() - startedMs });
    });
  });
}

Deno.test("a command that waits for ever is ended with its word and exit code", async () => {
  const ended = await armed("await new Promise((resolve) => setTimeout(resolve, 60_000));");
  assert.deepEqual([ended.code, ended.stdout], [3, "too late\n"]);
});

Deno.test("a command whose event loop stands still is ended by the kernel", async () => {
  const ended = await armed("for (;;);");
  assert.ok(ended.signal === "SIGALRM" || ended.code === 142, JSON.stringify(ended));
  assert.ok(ended.tookMs < 15_000, `${ended.tookMs} ms`);
});

Deno.test("a command that ends in time is left alone, also by what it changed its last word to", async () => {
  const calm = await armed("deadline.disarm(); await new Promise((resolve) => setTimeout(resolve, 2500));");
  assert.deepEqual([calm.code, calm.stdout], [0, ""]);
  const told = await armed(
    'deadline.word = { stream: "stdout", text: "", exitCode: 2 }; await new Promise((r) => setTimeout(r, 60_000));',
  );
  assert.deepEqual([told.code, told.stdout], [2, ""]);
});
