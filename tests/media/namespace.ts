/**
 * A network namespace of a test's own, with an interface `hb0` whose other end, `far0`, hears what is sent; and
 * programs of ours that run in it under either runtime.
 */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

export const OWN_ADDRESS = "10.199.8.1";

const root = fileURLToPath(new URL("../../", import.meta.url));
const bun = `${root}node_modules/bun/bin/bun.exe`;
export const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn("SKIPPED: media in network namespaces, which need root");
if (!existsSync(bun)) console.warn(`SKIPPED: media under Bun, ${bun} is missing`);

export interface Runtime {
  readonly name: "Deno" | "Bun";
  readonly command: readonly string[];
  readonly isMissing: boolean;
}

export const runtimes: readonly Runtime[] = [
  { name: "Deno", command: [process.execPath, "run", "-A"], isMissing: false },
  { name: "Bun", command: [bun], isMissing: !existsSync(bun) },
];

export function ip(...args: string[]): void {
  execFileSync("ip", args);
}

let count = 0;

export async function withNamespace(body: (name: string) => Promise<void>): Promise<void> {
  const name = `hl-media-${process.pid}-${count++}`;
  try {
    ip("netns", "add", name);
    ip("-n", name, ..."link add hb0 type veth peer name far0".split(" "));
    ip("-n", name, "link", "set", "lo", "up");
    for (const device of ["hb0", "far0"]) {
      ip("-n", name, "link", "set", device, "addrgenmode", "none");
      ip("-n", name, "link", "set", device, "up");
    }
    for (const address of [`${OWN_ADDRESS}/24`, "10.199.8.2/24"]) {
      ip("-n", name, "addr", "add", address, "dev", "hb0");
    }
    for (const address of ["fe80::8:1/64", "fd00:8::1/64", "fd00:8::2/64"]) {
      ip("-n", name, "addr", "add", address, "dev", "hb0", "nodad");
    }
    await body(name);
  } finally {
    execFileSync("sh", ["-c", `ip netns del ${name} 2>/dev/null || true`]);
  }
}

/** Starts a script of this folder in a namespace; `null`: in ours. Output is piped. */
export function start(
  runtime: Runtime,
  namespace: string | null,
  script: string,
  ...args: string[]
): ChildProcess {
  const prefix = namespace === null ? [] : ["ip", "netns", "exec", namespace];
  const [command, ...rest] = [...prefix, ...runtime.command, `${root}tests/media/${script}`, ...args];
  return spawn(command!, rest, { stdio: ["ignore", "pipe", "pipe"] });
}
