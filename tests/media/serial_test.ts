import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { EnvironmentError } from "../../lib/errors.ts";
import { Serial } from "../../lib/media/serial.ts";
import { deviceLockName, lockDevice } from "../../lib/system/device_lock.ts";
import { libc } from "../../lib/system/libc.ts";
import { open } from "../../lib/wire/packet.ts";
import { capture } from "../wire/captures.ts";
import { Inbox, until } from "./conformance.ts";
import { hasSocat, PseudoLine, textPacket } from "./pseudo_line.ts";

// Once for all tests: the library stays open.
libc();

const packet = textPacket(new Uint8Array(80));

interface Ends {
  readonly line: PseudoLine;
  readonly a: Serial;
  readonly b: Serial;
  readonly inbox: Inbox;
}

function serialTest(name: string, body: (ends: Ends) => Promise<void>): void {
  Deno.test({
    name,
    ignore: !hasSocat,
    fn: async () => {
      const line = await PseudoLine.open();
      const end = (tty: string) =>
        new Serial({ kind: "serial", tty, baud: 115_200 }, { lockDirectory: line.directory });
      const [a, b, inbox] = [end(line.a), end(line.b), new Inbox()];
      try {
        await a.open(new Inbox());
        await b.open(inbox);
        await body({ line, a, b, inbox });
      } finally {
        await a.close();
        await b.close();
        await line.close();
      }
    },
  });
}

serialTest("noise and cut lines cost the packets they hit, and no other", async ({ line, a, inbox }) => {
  line.writeToB(Uint8Array.from({ length: 300 }, (_, i) => i * 7 & 255));
  line.writeToB(packet.subarray(0, 50));
  await until(() => a.localAddress !== null, "it is open");
  a.send(packet);
  a.send(packet);
  await inbox.has(2);
  assert.deepEqual(inbox.packets, [packet, packet]);
});

for (const name of ["media-serial-1to2.raw", "media-serial-2to1.raw"]) {
  serialTest(
    `what a real daemon wrote to its line is found and verified: ${name}`,
    async ({ line, inbox }) => {
      const recorded = readFileSync(new URL(`../fixtures/captures/${name}`, import.meta.url));
      const { packets, authentication } = capture(name);
      // A terminal holds 4 KiB: wait until the piece before has been taken.
      for (let at = 0; at < recorded.length; at += 2048) {
        line.writeToB(recorded.subarray(at, at + 2048));
        await inbox.has(Math.max(0, ends(recorded.subarray(0, at + 2048)) - 1));
      }
      await inbox.has(packets.length);
      assert.deepEqual(inbox.packets, packets);
      for (const each of inbox.packets) assert(open(each, { authentication, isPrivate: true }).ok);
    },
  );
}

function ends(bytes: Uint8Array): number {
  return new TextDecoder("latin1").decode(bytes).split("<<<\n").length - 1;
}

serialTest(
  "a line that takes nothing costs packets, but no time and no memory",
  async ({ line, a, b, inbox }) => {
    a.send(packet);
    await inbox.has(1);
    line.stop();
    const large = textPacket(new Uint8Array(15_000));
    const startMs = performance.now();
    for (let i = 0; i < 1_000; i++) a.send(large);
    assert(performance.now() - startMs < 3_000, "sending does not block");
    // Three seconds' worth may wait; the rest is lost at once.
    const overflow = a.counters.sendErrors;
    assert(overflow >= 995, `${overflow} lost`);
    let sent = 1_001;
    const isSettled = () => a.counters.sentPackets + a.counters.sendErrors === sent;
    await until(isSettled, "what waits is written or abandoned", 6_000);
    // Until the terminal's own buffer is full; two packets always find room to wait.
    for (let round = 0; round < 20 && a.counters.sendErrors === overflow; round++, sent += 2) {
      a.send(large);
      a.send(large);
      await until(
        () => a.counters.sentPackets + a.counters.sendErrors === sent + 2,
        "both are written or abandoned",
      );
    }
    assert(a.counters.sendErrors > overflow, "what the line does not take is abandoned");
    line.continue();
    const before = inbox.packets.length;
    await until(
      () => {
        if (a.counters.sentPackets + a.counters.sendErrors < 1_100) a.send(packet);
        return inbox.packets.length > before + 1;
      },
      "the line works again",
      8_000,
    );
    assert.deepEqual(inbox.packets.at(-1), packet);
    assert.deepEqual(inbox.changes, []);
    assert.equal(b.counters.sendErrors, 0);
  },
);

serialTest("an adapter that is pulled out is a failure, and one that is not there yet too", async (ends) => {
  const { line, a, b, inbox } = ends;
  await line.unplug();
  await until(() => {
    if (b.counters.sendErrors === 0) b.send(packet);
    return inbox.changes.length > 0;
  }, "the line is gone");
  assert.match(inbox.changes[0]!, /^Cannot (use|open) serial line/);
  assert.equal(b.localAddress, null);
  assert(a.counters.sendErrors === 0);
  const late = new Serial({ kind: "serial", tty: line.b, baud: 9600 }, { lockDirectory: line.directory });
  const news = new Inbox();
  await late.open(news);
  assert.match(news.changes[0]!, /^Cannot open serial line .* no such file or directory/);
  await late.close();
});

serialTest("the line is raw, with 8 bits, no parity, its speed and hardware flow control", ({ line }) => {
  const said = execFileSync("stty", ["-F", line.a, "-a"], { encoding: "utf8" });
  for (
    const setting of [
      "speed 115200 baud",
      "cs8",
      "-parenb",
      "crtscts",
      "clocal",
      "-icanon",
      "-echo",
      "-opost",
    ]
  ) {
    assert(said.includes(setting), `${setting} in ${said}`);
  }
  return Promise.resolve();
});

serialTest("a line that is in use is refused with the process that uses it", async ({ line }) => {
  const second = new Serial({ kind: "serial", tty: line.a, baud: 9600 }, { lockDirectory: line.directory });
  await assert.rejects(second.open(new Inbox()), {
    name: "EnvironmentError",
    message: `Cannot open medium "serial ${line.a} 9600": it is in use by process ${process.pid}; ` +
      "stop that program, or name another device",
  });
  await second.close();
});

Deno.test("what is no serial line is refused with what would be one", async () => {
  const directory = mkdtempSync(join(tmpdir(), "hl-serial-"));
  const cases = [
    ["/dev/null", /"\/dev\/null" is not a serial line of that speed; name a device such as \/dev\/ttyS0$/],
    [directory, /Cannot open medium "serial .*"/],
  ] as const;
  try {
    for (const [tty, message] of cases) {
      const medium = new Serial({ kind: "serial", tty, baud: 9600 }, { lockDirectory: directory });
      await assert.rejects(medium.open(new Inbox()), (error: EnvironmentError) => {
        assert.match(error.message, message);
        return true;
      });
      await medium.close();
    }
    const noLock = new Serial({ kind: "serial", tty: "/dev/null", baud: 9600 }, {
      lockDirectory: `${directory}/x`,
    });
    await assert.rejects(noLock.open(new Inbox()), /its directory must exist and be writable$/);
    assert.deepEqual(readdirSync(directory), []);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

Deno.test("the lock of a device is one file that all programs agree on", () => {
  assert.equal(deviceLockName("/dev/ttyS99"), "LCK..ttyS99");
  assert.equal(deviceLockName("/dev/pts/99999"), "LCK..pts_99999");
  const directory = mkdtempSync(join(tmpdir(), "hl-lock-"));
  const file = join(directory, "LCK..ttyS99");
  try {
    const lock = lockDevice("/dev/ttyS99", directory);
    assert.equal(lock.kind, "acquired");
    assert.equal(readFileSync(file, "latin1"), `${String(process.pid).padStart(10)}\n`);
    assert.deepEqual(lockDevice("/dev/ttyS99", directory), { kind: "held", pid: process.pid });
    if (lock.kind === "acquired") lock.release();
    assert.deepEqual(readdirSync(directory), []);

    // Stale, empty, nonsense: all replaced.
    for (const content of ["4194305\n", "", "xyz"]) {
      writeFileSync(file, content);
      const taken = lockDevice("/dev/ttyS99", directory);
      assert.equal(taken.kind, "acquired", content);
      if (taken.kind === "acquired") taken.release();
    }
    // Of a living process, ours to respect.
    writeFileSync(file, "         1\n");
    assert.deepEqual(lockDevice("/dev/ttyS99", directory), { kind: "held", pid: 1 });
    mkdirSync(join(directory, "sub"));
    assert.deepEqual(readdirSync(directory).sort(), ["LCK..ttyS99", "sub"]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
