import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { lastLines, runProcess } from "../../lib/system/process.ts";

const sh = (script: string, limitMs = 10_000, more: Partial<Parameters<typeof runProcess>[2]> = {}) =>
  runProcess("/bin/sh", ["-c", script], { limitMs, ...more });

/** Gone, or a zombie that only waits for its reaper. */
function isGone(pid: number): boolean {
  try {
    return /^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return true;
  }
}

async function until(condition: () => boolean, deadlineMs = 30_000): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!condition()) {
    assert.ok(performance.now() < end, "the awaited condition did not come in time");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Ended by itself.
  }
}

Deno.test("exit code and both streams come back", async () => {
  const result = await sh("echo out; echo err >&2; exit 3");
  assert.equal(result.code, 3);
  assert.equal(result.signal, null);
  assert.equal(result.timedOut, false);
  assert.equal(result.stdout, "out\n");
  assert.equal(result.stderr, "err\n");
  assert.equal(result.output.length, "out\nerr\n".length);
});

Deno.test("at the limit the whole process group is killed, grandchildren included", async () => {
  const result = await sh("echo before; sleep 600 & echo $!; trap '' TERM; sleep 600", 300);
  assert.equal(result.timedOut, true);
  assert.equal(result.code, null);
  assert.equal(result.signal, "SIGKILL");
  assert.ok(result.durationMs >= 295 && result.durationMs < 2000, `took ${result.durationMs} ms`);
  const [before, grandchild] = result.stdout.split("\n");
  assert.equal(before, "before");
  await until(() => isGone(Number(grandchild)));
});

Deno.test("a daemon that keeps the pipes does not delay the end, and lives on", async () => {
  const result = await sh("echo starting; sleep 600 & echo $!");
  const daemon = Number(result.stdout.split("\n")[1]);
  try {
    assert.equal(result.code, 0);
    assert.equal(result.timedOut, false);
    assert.ok(result.durationMs < 8_000, `took ${result.durationMs} ms`);
    assert.equal(isGone(daemon), false);
  } finally {
    kill(daemon);
  }
});

Deno.test("a daemon that chatters on the inherited pipe is not listened to for long", async () => {
  const result = await sh("(while sleep 0.005; do echo x; done) & echo $!");
  const daemon = Number(result.stdout.split("\n")[0]);
  try {
    assert.equal(result.code, 0);
    assert.ok(result.durationMs < 8_000, `took ${result.durationMs} ms`);
  } finally {
    kill(daemon);
  }
});

Deno.test("a limit that has passed does not kill the daemon of a script that had ended while we slept", async () => {
  const running = sh("sleep 600 & echo $!", 2_000);
  // Sleeps without seeing the exit: what a SIGSTOP of this process looks like from inside.
  const end = performance.now() + 2_500;
  while (performance.now() < end);
  const result = await running;
  const daemon = Number(result.stdout.trim());
  try {
    assert.equal(result.timedOut, false);
    assert.equal(result.code, 0);
    assert.equal(isGone(daemon), false);
  } finally {
    kill(daemon);
  }
});

Deno.test("a grandchild in a session of its own cannot hold the caller past the limit", async () => {
  const result = await sh("setsid sh -c 'echo $$; exec sleep 600'", 300);
  const escaped = Number(result.stdout.trim());
  try {
    assert.equal(result.timedOut, true);
    assert.ok(result.durationMs < 2000, `took ${result.durationMs} ms`);
  } finally {
    if (escaped > 0) kill(escaped);
  }
});

Deno.test("only the last bytes of a flood are kept", async () => {
  const result = await sh("yes 0123456789 | head -c 3000000; echo end", 10_000, { outputBytesMax: 1000 });
  assert.equal(result.code, 0);
  assert.equal(result.stdout.length, 1000);
  assert.ok(result.stdout.endsWith("end\n"));
});

Deno.test("what cannot be started is told and never thrown", async (t) => {
  const cases: [string, string, object][] = [
    ["/nonexistent/program", "ENOENT", {}],
    ["/etc/passwd", "EACCES", {}],
    ["/bin/true", "ENOENT", { cwd: "/nonexistent" }],
  ];
  for (const [command, code, more] of cases) {
    await t.step(`${command} ${JSON.stringify(more)}`, async () => {
      const result = await runProcess(command, [], { limitMs: 1000, ...more });
      assert.equal(result.spawnError, code);
      assert.equal(result.code, null);
    });
  }
});

Deno.test("a program that dies by a signal names it", async () => {
  const result = await sh("kill -TERM $$");
  assert.equal(result.code, null);
  assert.equal(result.signal, "SIGTERM");
  assert.equal(result.timedOut, false);
});

Deno.test("input arrives, and a program that does not read it is no error", async () => {
  assert.equal((await runProcess("/bin/cat", [], { limitMs: 5000, input: "a\nb" })).stdout, "a\nb");
  assert.equal((await runProcess("/bin/true", [], { limitMs: 5000, input: "x".repeat(1_000_000) })).code, 0);
  assert.equal((await runProcess("/bin/cat", [], { limitMs: 5000 })).stdout, "");
});

Deno.test("the service manager's variables stay with us, given ones arrive, system directories are in PATH", async () => {
  const kept = process.env["NOTIFY_SOCKET"];
  process.env["NOTIFY_SOCKET"] = "/run/nobody";
  try {
    const result = await sh('echo "$NOTIFY_SOCKET|$GIVEN|$PATH"', 5000, {
      environment: { GIVEN: "1", PATH: "/x" },
    });
    assert.equal(result.stdout, "|1|/x:/usr/sbin:/usr/bin:/sbin:/bin\n");
  } finally {
    if (kept === undefined) delete process.env["NOTIFY_SOCKET"];
    else process.env["NOTIFY_SOCKET"] = kept;
  }
});

Deno.test("a working directory is honoured", async () => {
  const directory = mkdtempSync(join(tmpdir(), "heartline-process-"));
  try {
    await sh("touch here", 5000, { cwd: directory });
    assert.ok(existsSync(join(directory, "here")));
  } finally {
    rmSync(directory, { recursive: true });
  }
});

Deno.test("no descriptors are left behind by many runs", async () => {
  const open = () => readdirSync("/proc/self/fd").length;
  const daemons: number[] = [];
  await sh("true");
  const before = open();
  try {
    for (let run = 0; run < 20; run++) {
      daemons.push(Number((await sh("sleep 600 & echo $!")).stdout.trim()));
    }
    await until(() => open() <= before + 2);
  } finally {
    daemons.forEach(kill);
  }
});

Deno.test("the last lines leave empty ones out", () => {
  assert.deepEqual(lastLines("a\n\nb \r\nc", 2), ["b", "c"]);
  assert.deepEqual(lastLines("", 5), []);
});

const scoreFile = "/proc/self/oom_score_adj";

/** Lowering the score needs CAP_SYS_RESOURCE, which root in a container may lack. */
function canProtect(): boolean {
  const before = readFileSync(scoreFile, "utf8");
  try {
    writeFileSync(scoreFile, "-500");
    writeFileSync(scoreFile, before);
    return true;
  } catch {
    return false;
  }
}

const isProtectable = canProtect();
if (!isProtectable) {
  console.warn("SKIPPED: out-of-memory protection of children: this needs the capability CAP_SYS_RESOURCE");
}

Deno.test({
  name: "our own protection from the out-of-memory killer is not inherited",
  ignore: !isProtectable,
  fn: async () => {
    const before = readFileSync(scoreFile, "utf8");
    try {
      writeFileSync(scoreFile, "-500");
      assert.equal((await sh(`sleep 2; cat ${scoreFile}`)).stdout, "0\n");
    } finally {
      writeFileSync(scoreFile, before);
    }
  },
});
