/**
 * The lock files of serial lines that all programs on a machine agree on (UUCP, minicom, Heartbeat…):
 * `/var/lock/LCK..ttyS0` with the holder's pid in ten columns. A file whose process is gone is replaced. The file is
 * linked into place whole, so that nobody ever reads half a pid.
 */

import { linkSync, readFileSync, realpathSync, unlinkSync, writeFileSync } from "node:fs";
import process from "node:process";

export const deviceLockDirectory = "/var/lock";

export type DeviceLockResult =
  | { readonly kind: "acquired"; release(): void }
  | { readonly kind: "held"; readonly pid: number };

/** Rivals may replace the same stale file: one of them wins each round. */
const roundsMax = 5;

/** Throws the error of node:fs when the directory is not there or not writable. */
export function lockDevice(device: string, directory = deviceLockDirectory): DeviceLockResult {
  const lock = `${directory}/${deviceLockName(device)}`;
  const own = `${lock}.${process.pid}`;
  writeFileSync(own, `${String(process.pid).padStart(10)}\n`, { mode: 0o644 });
  try {
    let holder = 0;
    for (let round = 0; round < roundsMax; round++) {
      try {
        linkSync(own, lock);
        return { kind: "acquired", release: () => removeOwn(lock) };
      } catch (error) {
        if ((error as { code?: string }).code !== "EEXIST") throw error;
      }
      holder = readHolder(lock);
      if (holder > 0 && isAlive(holder)) return { kind: "held", pid: holder };
      remove(lock);
    }
    return { kind: "held", pid: holder };
  } finally {
    remove(own);
  }
}

/** `LCK..ttyS0`, `LCK..pts_3`; of a link, what it points to, so that one device has one lock. */
export function deviceLockName(device: string): string {
  let path = device;
  try {
    path = realpathSync(device);
  } catch {
    // Not there: opening it tells.
  }
  return `LCK..${path.replace(/^\/(dev\/)?/, "").replaceAll("/", "_")}`;
}

/** 0 for a file without a pid, or one that has just gone. */
function readHolder(lock: string): number {
  try {
    const match = /^\s*(\d+)/.exec(readFileSync(lock, "latin1"));
    return match === null ? 0 : Number(match[1]);
  } catch {
    return 0;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === "EPERM";
  }
}

/** Whoever took the lock meanwhile, because he thought us dead, keeps it. */
function removeOwn(lock: string): void {
  if (readHolder(lock) === process.pid) remove(lock);
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Gone already.
  }
}
