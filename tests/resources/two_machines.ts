/** Two network namespaces joined by a cable, for the tests that need real addresses and real neighbours. */

import { execFileSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { monotonicMs } from "../../lib/system/clock.ts";
import { inNetworkNamespace, networkNamespacePath } from "../../lib/system/namespaces.ts";

export function hasProgram(name: string): boolean {
  return [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"].some((directory) => {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** What a test that needs namespaces lacks on this machine; `null`: nothing. */
export function missingForNamespaces(): string | null {
  if (process.getuid?.() !== 0) return "root";
  if (!hasProgram("ip")) return 'the program "ip" (Debian package "iproute2")';
  return null;
}

// Loads the table of libc functions, which stays for the life of the process, outside of any one test.
monotonicMs();

let count = 0;

/** `a` has 10.9.0.1/24 and fd09::1/64 on eth0, `b` has 10.9.0.2/24 and fd09::2/64. */
export class TwoMachines implements Disposable {
  readonly a: string;
  readonly b: string;

  constructor() {
    const name = `hlres${process.pid}x${++count}`;
    this.a = `${name}a`;
    this.b = `${name}b`;
    try {
      for (const namespace of [this.a, this.b]) ip("netns", "add", namespace);
      ip("-n", this.a, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", this.b);
      for (const [namespace, host] of [[this.a, 1], [this.b, 2]] as const) {
        ip("-n", namespace, "link", "set", "lo", "up");
        ip("-n", namespace, "address", "add", `10.9.0.${host}/24`, "dev", "eth0");
        ip("-n", namespace, "address", "add", `fd09::${host}/64`, "dev", "eth0", "nodad");
        ip("-n", namespace, "link", "set", "eth0", "up");
      }
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** Runs a synchronous function on one of them; what it opens stays there. */
  on<Result>(namespace: string, act: () => Result): Result {
    return inNetworkNamespace(networkNamespacePath(namespace), act);
  }

  /** Output of `ip` on one of them. */
  ip(namespace: string, ...args: string[]): string {
    return ip("-n", namespace, ...args);
  }

  [Symbol.dispose](): void {
    for (const namespace of [this.a, this.b]) {
      try {
        ip("netns", "delete", namespace);
      } catch {
        // Was never made.
      }
    }
  }
}

function ip(...args: string[]): string {
  return execFileSync("ip", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

export async function until(condition: () => boolean, what: string, deadlineMs = 30_000): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
