/**
 * At most one daemon per state directory: a lock that the kernel holds for as long as the process lives, so that a
 * crash leaves nothing to clean up. The file's content, the holder's pid, is for people; the lock decides.
 */

import { dirname } from "node:path";
import { Errno, succeed, SystemError } from "./errno.ts";
import { cString, errno, libc } from "./libc.ts";

export type LockResult =
  | { readonly kind: "acquired"; release(): void }
  /** `pid` is `null` when the holder has not written it yet. */
  | { readonly kind: "held"; readonly pid: number | null };

// Close on exec: a script that outlives the daemon must not keep the lock.
const openFlags = { readWrite: 2, create: 0o100, closeOnExec: 0o2000000 };
const lockFlags = { exclusive: 2, nonBlocking: 4 };

/** Throws a SystemError when the file cannot be opened or locked at all. */
export function acquireLock(path: string): LockResult {
  const purpose = `lock "${path}"`;
  const flags = openFlags.readWrite | openFlags.create | openFlags.closeOnExec;
  const next = `its directory "${dirname(path)}" must exist and be writable`;
  const file = succeed(libc().open(cString(path), flags, 0o644), purpose, "open", next);
  if (libc().flock(file, lockFlags.exclusive | lockFlags.nonBlocking) !== 0) {
    const code = errno();
    const pid = readPid(file);
    libc().close(file);
    if (code === Errno.EAGAIN) return { kind: "held", pid };
    throw new SystemError(purpose, "flock", code);
  }
  const content = new TextEncoder().encode(`${process.pid}\n`);
  if (libc().ftruncate(file, 0) !== 0 || libc().pwrite(file, content, content.length, 0) < 0) {
    const code = errno();
    libc().close(file);
    throw new SystemError(`write the pid to "${path}"`, "pwrite", code);
  }
  let isHeld = true;
  return {
    kind: "acquired",
    release() {
      // The file stays: removing it would let two processes lock two files of the same name.
      if (isHeld) libc().close(file);
      isHeld = false;
    },
  };
}

function readPid(file: number): number | null {
  const buffer = new Uint8Array(new ArrayBuffer(32));
  const length = libc().pread(file, buffer, buffer.length, 0);
  const match = /^(\d+)\n/.exec(new TextDecoder().decode(buffer.subarray(0, Math.max(0, length))));
  return match === null ? null : Number(match[1]);
}
