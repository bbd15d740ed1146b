/**
 * What keeps the daemon running when the machine is in trouble: memory that is not paged out, a real-time priority,
 * and no selection by the out-of-memory killer. Each is tried; what was not granted comes back as a reason, to be said
 * once. None is needed to work: the daemon's own stall detection covers what is missing.
 */

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { errnoName, errnoText } from "./errno.ts";
import { errno, libc } from "./libc.ts";
import { int32 } from "./socket.ts";

export interface Grant {
  readonly granted: boolean;
  /** What was done, or why not and what would allow it. */
  readonly reason: string;
}

const mcl = { current: 1, future: 2, onFault: 4 };
const mlockOnFault = 1;
/** mlock2 is called by its number: musl has no function for it. */
const mlock2Number: Readonly<Record<string, number>> = { x64: 325, arm64: 284, riscv64: 284 };
const schedulerRoundRobin = 2;
const schedulerResetOnFork = 0x40000000;
/** Numbers of capabilities (linux/capability.h). */
export const capability = { netAdmin: 12, netRaw: 13, ipcLock: 14 } as const;
/** Not -1000: a daemon with a leak should be killed last, but be killed rather than take the machine with it. */
const oomScoreAdjustment = -900;

/**
 * Pages that were touched once stay in memory. Only with CAP_IPC_LOCK or without a limit on locked memory: with a
 * limit, mlockall would succeed and a later allocation fail.
 *
 * Under Deno only the program's code and constants are locked: V8 aborts the process when the kernel refuses to take
 * back heap pages (madvise MADV_DONTNEED), as it does for locked ones. JavaScriptCore, in the compiled binary, does not
 * mind. Code is what matters most: without swap space it is all that a machine short of memory can page out.
 */
export function lockMemory(): Grant {
  if (!hasCapability(capability.ipcLock) && !isLockedMemoryUnlimited()) {
    return {
      granted: false,
      reason: "memory is not locked: give the daemon CAP_IPC_LOCK or LimitMEMLOCK=infinity",
    };
  }
  if (typeof Deno !== "undefined") return lockFileMappings();
  if (libc().mlockall(mcl.current | mcl.future | mcl.onFault) !== 0) {
    return refused("memory is not locked", "mlockall", "needs Linux 4.4 and CAP_IPC_LOCK");
  }
  return { granted: true, reason: "memory is locked as it is touched" };
}

/** Locks, as they are touched, all mappings of files: the executable and its libraries. */
function lockFileMappings(): Grant {
  const number = mlock2Number[process.arch];
  if (number === undefined) {
    return { granted: false, reason: `memory is not locked: not known how on ${process.arch}` };
  }
  const mapping = /^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ [1-9]\d* +\//gm; // an inode and a path
  for (const [, start, end] of readFileSync("/proc/self/maps", "utf8").matchAll(mapping)) {
    const from = parseInt(start!, 16);
    const bytes = parseInt(end!, 16) - from;
    if (libc().syscall(number, from, bytes, mlockOnFault) !== 0) {
      return refused(
        "the program's code is not locked in memory",
        "mlock2",
        "needs Linux 4.4 and CAP_IPC_LOCK",
      );
    }
  }
  return {
    granted: true,
    reason: "the program's code is locked in memory as it is touched, its data is not (V8)",
  };
}

/**
 * A real-time priority for *all* threads of this process. The runtime's own threads (compiler, garbage collector) must
 * not be left behind: the main thread spins with sched_yield while it waits for one of them, and where every core is
 * busy with such spinning the ordinary thread does not run until the kernel's limit on real-time (950 ms of each
 * second) lets it: seen as two daemons that stood still for a second together. `priority` 1 to 99; children are
 * ordinary again.
 */
export class ProcessRealtime {
  readonly #known = new Set<string>();

  constructor(readonly priority: number) {}

  /** Raises the threads that have appeared since the last call; cheap enough for once a second. */
  raise(): Grant {
    let grant: Grant = { granted: true, reason: `real-time priority ${this.priority} (SCHED_RR)` };
    const threads = readdirSync("/proc/self/task");
    // Threads come and go for years, and their numbers come again for others.
    for (const thread of this.#known) if (!threads.includes(thread)) this.#known.delete(thread);
    for (const thread of threads) {
      if (this.#known.has(thread)) continue;
      const raised = setThreadRealtime(Number(thread), this.priority);
      if (raised.granted) this.#known.add(thread);
      else if (existsSync(`/proc/self/task/${thread}`)) grant = raised;
    }
    return grant;
  }
}

function setThreadRealtime(thread: number, priority: number): Grant {
  const policy = schedulerRoundRobin | schedulerResetOnFork;
  const result = libc().sched_setscheduler(thread, policy, int32(priority));
  if (result !== 0) {
    return refused(
      `no real-time priority ${priority}`,
      "sched_setscheduler",
      "needs CAP_SYS_NICE or LimitRTPRIO=, and real-time bandwidth in the control group",
    );
  }
  return { granted: true, reason: `real-time priority ${priority} (SCHED_RR)` };
}

/** Children inherit it: scripts that the daemon starts should be reset by `process.ts` or live with it. */
export function protectFromOom(): Grant {
  try {
    writeFileSync("/proc/self/oom_score_adj", `${oomScoreAdjustment}`);
    return { granted: true, reason: `out-of-memory score adjusted by ${oomScoreAdjustment}` };
  } catch (error) {
    const code = (error as { code?: string }).code ?? String(error);
    return {
      granted: false,
      reason: `out-of-memory score is not adjusted (${code}): needs CAP_SYS_RESOURCE or OOMScoreAdjust=`,
    };
  }
}

function refused(what: string, call: string, next: string): Grant {
  const code = errno();
  return { granted: false, reason: `${what}: ${errnoText(code)} (${call}: ${errnoName(code)}); ${next}` };
}

/** Whether this process may now do what the capability allows. */
export function hasCapability(number: number): boolean {
  const line = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync("/proc/self/status", "utf8"));
  return line !== null && ((BigInt(`0x${line[1]}`) >> BigInt(number)) & 1n) === 1n;
}

function isLockedMemoryUnlimited(): boolean {
  return /^Max locked memory\s+unlimited/m.test(readFileSync("/proc/self/limits", "utf8"));
}
