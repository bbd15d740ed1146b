/**
 * Listens on serial lines for heartbeats. A line that a daemon on this machine has open is left to it: two readers
 * would take each other's bytes. It sends nothing.
 */

import { deviceLockDirectory, lockDevice } from "../../system/device_lock.ts";
import { Tty } from "../../system/tty.ts";
import type { Authentication } from "../../core/settings.ts";
import { serialPacketBytesMax } from "../../wire/limits.ts";
import { SerialFramer } from "../../media/serial_framer.ts";
import { HeartbeatTally } from "../heartbeats.ts";
import type { Evidence } from "../evidence.ts";
import { unseen, unseenBy } from "../gather.ts";
import type { CheckedLink } from "../question.ts";
import type { Look } from "../sources.ts";

const readIntervalMs = 20;

export async function gatherSerial({ question, window }: Look): Promise<Evidence[]> {
  const lines = question.links.filter((link) => link.kind === "serial");
  return (await Promise.all(lines.map((line) => listen(line, question.authentication, window)))).flat();
}

async function listen(
  line: Extract<CheckedLink, { kind: "serial" }>,
  authentication: Authentication | null,
  window: Look["window"],
): Promise<Evidence[]> {
  const { tty: path, baud } = line;
  let tty: Tty | null = null;
  let release = () => {};
  try {
    const lock = lockDevice(path, deviceLockDirectory);
    if (lock.kind === "held") {
      return [unseen("serial", path, `process ${lock.pid} has the line; ask its daemon, or stop it first`)];
    }
    release = () => lock.release();
    tty = Tty.open(path, baud);
    const tally = new HeartbeatTally(authentication, "serial");
    const framer = new SerialFramer(
      serialPacketBytesMax,
      (packet) => tally.add(path, packet, true, window.passedMs()),
    );
    const buffer = new Uint8Array(new ArrayBuffer(4096));
    while (window.passedMs() < window.ms) {
      for (let bytes = tty.read(buffer); bytes > 0; bytes = tty.read(buffer)) {
        framer.push(buffer.subarray(0, bytes));
      }
      await window.pause(readIntervalMs);
    }
    return tally.evidence(window.passedMs());
  } catch (error) {
    return [unseenBy("serial", path, error)];
  } finally {
    tty?.close();
    release();
  }
}
