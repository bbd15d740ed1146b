/** Heartbeats on a serial line are heard, verified, and never taken from a daemon that has the line. */

import assert from "node:assert/strict";
import { gather } from "../../lib/checks/gather.ts";
import { ofKind } from "../../lib/checks/evidence.ts";
import { sources } from "../../lib/checks/sources.ts";
import type { Authentication } from "../../lib/core/settings.ts";
import { deviceLockDirectory, lockDevice } from "../../lib/system/device_lock.ts";
import { monotonicMs } from "../../lib/system/clock.ts";
import { stringField } from "../../lib/wire/message.ts";
import { seal } from "../../lib/wire/packet.ts";
import { hasSocat, PseudoLine } from "../media/pseudo_line.ts";
import { question } from "./makers.ts";

// Loads the table of libc functions, which stays for the life of the process, outside of any one test.
monotonicMs();

function keys(secret: string): Authentication {
  return { signWith: 1, keys: [{ index: 1, method: "sha1", secret }], allowCrc: false };
}

function beat(secret: string): Uint8Array {
  const fields = [["t", "status"], ["st", "active"], ["src", "node1"], ["seq", "1"], ["hg", "1"], [
    "ts",
    "1",
  ]];
  const message = { fields: fields.map(([name, value]) => stringField(name!, value!)) };
  return seal(message, { format: "text", authentication: keys(secret) });
}

async function listen(tty: string, secret: string | null) {
  const asked = question("standby", {
    links: [{ kind: "serial", tty, baud: 19200 }],
    authentication: secret === null ? null : keys(secret),
    windowMs: 300,
  });
  const only = sources.filter((source) => source.name === "serial");
  return await gather(asked, { askDaemon: () => Promise.reject(new Error("none")), sources: only });
}

Deno.test({
  name:
    "heartbeats on a serial line: authentic, with another key, without a key, and of a line that is in use",
  ignore: !hasSocat,
  async fn() {
    const line = await PseudoLine.open();
    // The listener throws away what was there when it opens the line: beats must go on.
    const timer = setInterval(() => line.writeToB(beat("right")), 30);
    try {
      const cases: ReadonlyArray<
        readonly [secret: string | null, isAuthentic: boolean | null, refusal: string | null]
      > = [
        ["right", true, null],
        ["wrong", false, "wrong-key"],
        [null, null, null],
      ];
      for (const [secret, isAuthentic, refusal] of cases) {
        const [heard] = ofKind(await listen(line.b, secret), "heartbeat");
        assert.ok(heard !== undefined && heard.count > 1, `${secret}: ${heard?.count}`);
        assert.deepEqual([heard.node, heard.isAuthentic, heard.refusal], ["node1", isAuthentic, refusal]);
      }
      const lock = lockDevice(line.b, deviceLockDirectory);
      assert.equal(lock.kind, "acquired");
      // Our own process holds the line, as a daemon would.
      const evidence = await listen(line.b, "right");
      if (lock.kind === "acquired") lock.release();
      assert.match(ofKind(evidence, "unseen")[0]!.reason, /process \d+ has the line/);
      assert.deepEqual(ofKind(evidence, "heartbeat"), []);
    } finally {
      clearInterval(timer);
      await line.unplug();
    }
  },
});
