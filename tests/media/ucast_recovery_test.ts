import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { until } from "./conformance.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const bun = `${root}node_modules/bun/bin/bun.exe`;
const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn("skipped: unicast media in network namespaces, which need root");
if (!existsSync(bun)) console.warn(`skipped: unicast media under Bun, ${bun} is missing`);

/** The same account of the same events in both runtimes. */
const runtimes = [
  { runtime: "Deno", command: [process.execPath, "run", "-A"], ignore: !isRoot },
  { runtime: "Bun", command: [bun], ignore: !isRoot || !existsSync(bun) },
];

for (const { runtime, command, ignore } of runtimes) {
  for (const family of ["IPv4", "IPv6", "link-local IPv6"] as const) {
    Deno.test({
      name: `${runtime}: a ${family} medium follows its interface through all it can suffer`,
      ignore,
      fn: () => followsItsInterface(command, family),
    });
  }
}

const addresses = {
  "IPv4": { own: "10.199.7.1", peer: "10.199.7.2", prefix: 24, other: "10.199.7.9" },
  "IPv6": { own: "fd00:7::1", peer: "fd00:7::2", prefix: 64, other: "fd00:7::9" },
  "link-local IPv6": { own: "fe80::7:1", peer: "fe80::7:2", prefix: 64, other: "fe80::7:9" },
};

async function followsItsInterface(command: string[], family: keyof typeof addresses): Promise<void> {
  const { own, peer, prefix, other } = addresses[family];
  const shown = (address: string) => family === "link-local IPv6" ? `${address}%hb0` : address;
  const here = `hl-media-${process.pid}-a`;
  const there = `hl-media-${process.pid}-b`;
  const children: Child[] = [];
  try {
    ip("netns", "add", here);
    ip("netns", "add", there);
    ip("-n", here, ..."link add hb0 type veth peer name hb0 netns".split(" "), there);
    // No link-local addresses but those that the test gives.
    for (const namespace of [here, there]) ip("-n", namespace, "link", "set", "hb0", "addrgenmode", "none");
    ip("-n", there, "link", "set", "hb0", "up");
    ip("-n", there, "addr", "add", `${peer}/${prefix}`, "dev", "hb0", ...nodad(peer));
    ip("-n", here, "link", "set", "hb0", "up");
    const run = (namespace: string, towards: string) => {
      const child = new Child(
        ["netns", "exec", namespace, ...command, `${root}tests/media/ucast_child.ts`],
        towards,
      );
      children.push(child);
      return child;
    };
    const far = run(there, own);
    const near = run(here, peer);
    const add = (address: string) =>
      ip("-n", here, "addr", "add", `${address}/${prefix}`, "dev", "hb0", ...nodad(address));

    await far.says(`open: ${shown(peer)}`);
    await near.says(/^failed: interface hb0 (has no IPv[46] address that reaches|does not exist or is down)/);
    await near.says("open: null");
    add(own);
    await near.says(`recovered: ${shown(own)}`);
    await near.says(/^received from /);
    await far.says(/^received from /);

    if (family !== "link-local IPv6") { // Those are not routed.
      ip("-n", here, "route", "add", "prohibit", peer);
      await near.says(
        `failed: cannot send to ${peer}: refused by this machine itself, by a firewall rule or a route that prohibits it`,
      );
      ip("-n", here, "route", "del", "prohibit", peer);
      await near.says(`recovered: ${shown(own)}`);
      await near.says(/^received from /);
    }

    ip("-n", here, "addr", "flush", "dev", "hb0");
    await near.says(/^failed: /);
    add(own);
    await near.says(`recovered: ${shown(own)}`);
    await near.says(/^received from /);

    ip("-n", here, "link", "set", "hb0", "down");
    await near.says(/^failed: /);
    ip("-n", here, "link", "set", "hb0", "up");
    if (family !== "IPv4") add(own); // IPv6 addresses go with the interface.
    await near.says(`recovered: ${shown(own)}`);
    await near.says(/^received from /);

    // Another address of the same subnet does.
    ip("-n", here, "addr", "flush", "dev", "hb0");
    await near.says(/^failed: /);
    add(other);
    await near.says(`recovered: ${shown(other)}`);

    ip("-n", here, "link", "del", "hb0");
    await near.says(/^failed: /);
  } finally {
    for (const child of children) await child.end();
    for (const namespace of [here, there]) {
      execFileSync("sh", ["-c", `ip netns del ${namespace} 2>/dev/null || true`]);
    }
  }
}

function nodad(address: string): string[] {
  return address.includes(":") ? ["nodad"] : [];
}

function ip(...args: string[]): void {
  execFileSync("ip", args);
}

class Child {
  readonly #process: ChildProcess;
  readonly #lines: string[] = [];
  #errors = "";
  #rest = "";

  constructor(args: string[], peer: string) {
    this.#process = spawn("ip", [...args, "hb0", peer, "6940"], { stdio: ["ignore", "pipe", "pipe"] });
    this.#process.stderr!.on("data", (chunk) => this.#errors += chunk);
    this.#process.stdout!.on("data", (chunk) => {
      const lines = (this.#rest + chunk).split("\n");
      this.#rest = lines.pop()!;
      this.#lines.push(...lines);
    });
  }

  /** The next line is the expected one. */
  async says(expected: string | RegExp): Promise<void> {
    await until(() => this.#lines.length > 0, `the child says ${expected} ${this.#errors}`, 15_000);
    const line = this.#lines.shift()!;
    if (typeof expected === "string") assert.equal(line, expected, this.#errors);
    else assert.match(line, expected, this.#errors);
  }

  async end(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.kill("SIGKILL");
    await gone;
  }
}
