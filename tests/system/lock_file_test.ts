import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SystemError } from "../../lib/system/errno.ts";
import { libc } from "../../lib/system/libc.ts";
import { acquireLock } from "../../lib/system/lock_file.ts";
import { until } from "./network.ts";

libc(); // opened once for all tests: it stays open

async function inDirectory(fn: (directory: string) => Promise<void> | void): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "heartline-lock-"));
  try {
    await fn(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function acquired(path: string): { release(): void } {
  const lock = acquireLock(path);
  assert.equal(lock.kind, "acquired");
  return lock as { release(): void };
}

Deno.test("the second to ask is told who holds the lock, and gets it after the release", () =>
  inDirectory((directory) => {
    const path = join(directory, "lock");
    const first = acquired(path);
    assert.equal(readFileSync(path, "utf8"), `${process.pid}\n`);
    assert.deepEqual(acquireLock(path), { kind: "held", pid: process.pid });
    first.release();
    first.release(); // harmless
    acquired(path).release();
  }));

Deno.test("a holder that was killed leaves nothing behind, and its children do not keep the lock", () =>
  inDirectory(async (directory) => {
    const path = join(directory, "lock");
    const module = fileURLToPath(new URL("../../lib/system/lock_file.ts", import.meta.url));
    const program = `
      import { spawn } from "node:child_process";
      import { acquireLock } from ${JSON.stringify(module)};
      acquireLock(${JSON.stringify(path)});
      const child = spawn("sleep", ["600"], { stdio: "ignore", detached: true });
      console.log(child.pid);
      setInterval(() => {}, 1000);`;
    const holder = spawn(process.execPath, ["eval", program], { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    holder.stdout.on("data", (chunk) => output += chunk);
    const ended = new Promise((resolve) => holder.on("close", resolve));
    try {
      await until("the holder has the lock", () => output.includes("\n"), 20_000);
      assert.deepEqual(acquireLock(path), { kind: "held", pid: holder.pid });
    } finally {
      holder.kill("SIGKILL");
      await ended;
    }
    const child = Number(output);
    try {
      process.kill(child, 0); // the child lives
      acquired(path).release();
    } finally {
      process.kill(child, "SIGKILL");
    }
  }));

Deno.test("a lock that cannot be is an error that names the path and the next step", () => {
  assert.throws(() => acquireLock("/nonexistent/directory/lock"), (error) => {
    assert.ok(error instanceof SystemError);
    assert.equal(error.errno, "ENOENT");
    assert.match(
      error.message,
      /^Cannot lock "\/nonexistent\/directory\/lock": .*must exist and be writable$/,
    );
    return true;
  });
});
