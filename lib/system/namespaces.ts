/**
 * Runs a function inside another network namespace: sockets opened in it stay there for life. For tests and the demo,
 * which build a whole network on one machine.
 *
 * Namespaces belong to threads. The function is therefore synchronous, and the thread is always taken back; if that
 * fails the process cannot go on, because everything it opens later would be in the wrong network.
 */

import { InvariantError } from "../errors.ts";
import { succeed } from "./errno.ts";
import { cString, libc } from "./libc.ts";

const openReadOnlyCloseOnExec = 0o2000000;
const cloneNewNet = 0x40000000;

/** The file of a namespace that `ip netns add NAME` made. */
export function networkNamespacePath(name: string): string {
  return `/run/netns/${name}`;
}

/** Needs CAP_SYS_ADMIN. `path` is that of `networkNamespacePath`, or `/proc/PID/ns/net`. */
export function inNetworkNamespace<Result>(path: string, fn: () => Result): Result {
  const purpose = `enter network namespace "${path}"`;
  const own = openNamespace("/proc/thread-self/ns/net", purpose);
  try {
    const other = openNamespace(path, purpose);
    try {
      succeed(libc().setns(other, cloneNewNet), purpose, "setns", "run it as root");
    } finally {
      libc().close(other);
    }
    try {
      const result = fn();
      if (result instanceof Promise) {
        throw new InvariantError("a function run in a network namespace must not return a promise");
      }
      return result;
    } finally {
      returnTo(own, path);
    }
  } finally {
    libc().close(own);
  }
}

function returnTo(own: number, path: string): void {
  if (libc().setns(own, cloneNewNet) !== 0) {
    throw new InvariantError(`this thread cannot leave network namespace "${path}"`);
  }
}

function openNamespace(path: string, purpose: string): number {
  return succeed(libc().open(cString(path), openReadOnlyCloseOnExec, 0), purpose, "open");
}
