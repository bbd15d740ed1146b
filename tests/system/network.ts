/**
 * A network of namespaces for the tests of this folder: a switch, which is also a host of its own ("a", interface
 * br0), and hosts "b" and "c" attached to it (interface e0). Nothing of it exists outside its namespaces.
 */

import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { inNetworkNamespace, networkNamespacePath } from "../../lib/system/namespaces.ts";

export type Host = "a" | "b" | "c";
export const deviceOf: Readonly<Record<Host, string>> = { a: "br0", b: "e0", c: "e0" };

export interface TestNetwork {
  /** `ip` in the host's namespace; throws when it fails. */
  ip(host: Host, command: string): string;
  /** Sets a kernel variable, written as its path below /proc/sys. */
  sysctl(host: Host, path: string, value: string): void;
  /** Runs the function in the host's namespace; it must be synchronous. */
  on<Result>(host: Host, fn: () => Result): Result;
  /** The namespace, for `ip netns exec`. */
  name(host: Host): string;
}

function run(program: string, args: readonly string[]): string {
  const result = spawnSync(program, args, { encoding: "utf8" });
  if (result.status !== 0) throw new Error(`${program} ${args.join(" ")}: ${result.stderr || result.error}`);
  return result.stdout;
}

/** Why these tests cannot run here; `null` when they can. */
export function missingForNetwork(...programs: string[]): string | null {
  if (process.getuid?.() !== 0) return "root";
  for (const program of ["ip", ...programs]) {
    if (spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0) return `the program ${program}`;
  }
  return null;
}

/** A test that needs root and programs; skipped aloud, by name, where they are missing. */
export function networkTest(
  name: string,
  programs: string[],
  fn: (network: TestNetwork) => Promise<void> | void,
  /** `leavesChildren`: processes that outlive their caller by design. */
  { leavesChildren = false }: { leavesChildren?: boolean } = {},
) {
  const missing = missingForNetwork(...programs);
  if (missing !== null) console.warn(`SKIPPED "${name}": needs ${missing}`);
  const sanitize = !leavesChildren;
  Deno.test({
    name,
    ignore: missing !== null,
    sanitizeOps: sanitize,
    sanitizeResources: sanitize,
    fn: () => withNetwork(fn),
  });
}

async function withNetwork(fn: (network: TestNetwork) => Promise<void> | void): Promise<void> {
  // Files of tests are threads of one process.
  const tag = `hlsys${process.pid}${randomBytes(3).toString("hex")}`;
  const name = (host: Host) => `${tag}${host}`;
  const ip = (host: Host, command: string) => run("ip", ["-n", name(host), ...command.split(" ")]);
  const hosts: Host[] = ["a", "b", "c"];
  const sysctl = (host: Host, path: string, value: string) =>
    void run("ip", ["netns", "exec", name(host), "sh", "-c", `echo ${value} > /proc/sys/${path}`]);
  try {
    for (const host of hosts) {
      run("ip", ["netns", "add", name(host)]);
      // Addresses are usable at once: what is tested is not the kernel's duplicate address detection.
      sysctl(host, "net/ipv6/conf/default/accept_dad", "0");
      ip(host, "link set lo up");
    }
    ip("a", "link add br0 type bridge mcast_snooping 0 forward_delay 0");
    ip("a", "link set br0 up");
    for (const host of ["b", "c"] as const) {
      ip("a", `link add v${host} type veth peer name e0 netns ${name(host)}`);
      ip("a", `link set v${host} master br0 up`);
      ip(host, "link set e0 up");
    }
    await until("all interfaces have a carrier and a link-local address", () =>
      hosts.every((host) => {
        const shown = ip(host, `-6 -o addr show dev ${deviceOf[host]} scope link`);
        return shown.includes("fe80:") && !shown.includes("tentative");
      }));
    await fn({
      ip,
      name,
      sysctl,
      on: (host, fn) => inNetworkNamespace(networkNamespacePath(name(host)), fn),
    });
  } finally {
    for (const host of hosts) spawnSync("ip", ["netns", "del", name(host)]);
  }
}

/** Waits for a condition; fails by its name after the deadline. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  limitMs = 30_000,
): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!await holds()) {
    if (performance.now() > deadline) throw new Error(`not within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
