import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { libc } from "../../lib/system/libc.ts";
import { notifySystemd, watchdogIntervalMs } from "../../lib/system/sd_notify.ts";
import { AF, NativeSocket, SOCK } from "../../lib/system/socket.ts";

libc(); // opened once for all tests: it stays open

Deno.test("a state arrives at a socket in the file system and at one with an abstract name", () => {
  const directory = mkdtempSync(join(tmpdir(), "heartline-notify-"));
  const path = join(directory, "notify");
  const abstract = `heartline-notify-${process.pid}`;
  try {
    for (const [name, sunPath] of [[path, `${path}\0`], [`@${abstract}`, `\0${abstract}`]] as const) {
      const socket = NativeSocket.open(AF.UNIX, SOCK.DGRAM, 0, "listen as systemd");
      try {
        socket.bind(Uint8Array.of(AF.UNIX, 0, ...new TextEncoder().encode(sunPath)), "listen as systemd");
        assert.equal(notifySystemd("READY=1\nSTATUS=holds web", name), true);
        const received = socket.receive("read as systemd");
        assert.equal(new TextDecoder().decode(received!.packet), "READY=1\nSTATUS=holds web");
      } finally {
        socket.close();
      }
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});

Deno.test("where nobody listens nothing happens and nothing is thrown", () => {
  for (const path of [undefined, "", "/", "@", "relative", "/nonexistent/notify", `/${"x".repeat(200)}`]) {
    assert.equal(notifySystemd("READY=1", path), false, String(path));
  }
});

Deno.test("the watchdog wants a sign at half of its interval, if it watches this process", () => {
  const cases: Array<[Record<string, string>, number | null]> = [
    [{}, null],
    [{ WATCHDOG_USEC: "3000000" }, 1500],
    [{ WATCHDOG_USEC: "3000000", WATCHDOG_PID: `${process.pid}` }, 1500],
    [{ WATCHDOG_USEC: "3000000", WATCHDOG_PID: `${process.pid + 1}` }, null],
    [{ WATCHDOG_USEC: "soon" }, null],
    [{ WATCHDOG_USEC: "0" }, null],
  ];
  for (const [environment, expected] of cases) assert.equal(watchdogIntervalMs(environment), expected);
});
