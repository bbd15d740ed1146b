/**
 * The daemon's clock: CLOCK_BOOTTIME, which never goes back, is not set by anybody, and goes on while the machine
 * sleeps, so that after a suspend the core sees that its own time was lost. (`performance.now()` stands still then.)
 */

import { libc } from "./libc.ts";

const clockBootTime = 7;
const clockRealTime = 0;

/** struct timespec: seconds and nanoseconds, 64 bits each, as halves, because a BigInt would allocate. */
const time = new Int32Array(new ArrayBuffer(16));
const timeBytes = new Uint8Array(time.buffer);

/** Unix time in milliseconds, with a fraction: only for what others stamped with it, since it can be set. */
export function unixMs(): number {
  return read(clockRealTime);
}

/** Milliseconds since the machine was started, with a fraction; costs a fraction of a microsecond. */
export function monotonicMs(): number {
  return read(clockBootTime);
}

function read(clock: number): number {
  libc().clock_gettime(clock, timeBytes);
  const seconds = time[1]! * 4294967296 + (time[0]! >>> 0);
  return seconds * 1000 + time[2]! / 1e6;
}
