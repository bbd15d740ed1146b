/** Broadcast and multicast on real interfaces: what they must not hear, what they send, and what they survive. */

import assert from "node:assert/strict";
import { type ChildProcess, execFileSync } from "node:child_process";
import process from "node:process";
import type { MediumSettings } from "../../lib/core/settings.ts";
import { until } from "./conformance.ts";
import { ip, isRoot, type Runtime, runtimes, start } from "./namespace.ts";
import { hasSocat } from "./pseudo_line.ts";

const port = 6940;
const kinds: ReadonlyArray<{
  readonly name: string;
  readonly settings: (device: string) => MediumSettings;
  readonly to: (device: string) => string;
}> = [
  {
    name: "bcast",
    settings: (device) => ({ kind: "bcast", device, port }),
    to: (device) => `UDP4-DATAGRAM:10.199.9.255:${port},broadcast,so-bindtodevice=${device}`,
  },
  {
    name: "mcast",
    settings: (device) => ({ kind: "mcast", device, group: "225.0.0.1", port, ttl: 3, loop: false }),
    to: (device) => `UDP4-DATAGRAM:225.0.0.1:${port},so-bindtodevice=${device}`,
  },
  {
    name: "mcast over IPv6",
    settings: (device) => ({ kind: "mcast", device, group: "ff12::694", port, ttl: 3, loop: false }),
    to: (device) => `UDP6-DATAGRAM:[ff12::694]:${port},so-bindtodevice=${device}`,
  },
];

for (const runtime of runtimes) {
  for (const kind of kinds) {
    const ignore = !isRoot || !hasSocat || runtime.isMissing;
    Deno.test({
      name: `${runtime.name}: ${kind.name} hears its own interface and no other, on the same subnet too`,
      ignore,
      fn: () =>
        withTwoWires(async ({ here, there, children }) => {
          const [one, two] = ["hb0", "hb1"].map((device) => {
            const child = run(runtime, here, kind.settings(device));
            children.push(child);
            return child;
          }) as [Child, Child];
          await one.says(/^open: [0-9f]/);
          await two.says(/^open: [0-9f]/);
          send(there, kind.to("hb0"), "over hb0");
          await one.says("received over hb0");
          send(there, kind.to("hb1"), "over hb1");
          await two.says("received over hb1");
          // The next thing that either says would be what it must not hear.
          send(there, kind.to("hb0"), "once more");
          await one.says("received once more");
          send(there, kind.to("hb1"), "and again");
          await two.says("received and again");
        }),
    });
    Deno.test({
      name: `${runtime.name}: ${kind.name} comes back with its address, and with an interface made anew`,
      ignore,
      fn: () =>
        withTwoWires(async ({ here, there, children }) => {
          const child = run(runtime, here, kind.settings("hb0"));
          children.push(child);
          await child.says(/^open: [0-9f]/);
          if (!kind.name.includes("IPv6")) { // There the kernel goes on sending from an address that is gone.
            ip("-n", here, "addr", "flush", "dev", "hb0");
            await child.says(/^failed: /);
            addresses(here, "hb0", 1);
            await child.says(/^recovered: [0-9f]/);
          }
          send(there, kind.to("hb0"), "hello");
          await child.says("received hello");

          ip("-n", here, "link", "del", "hb0");
          await child.says(/^failed: /);
          wire(here, there, "hb0");
          await child.says(/^recovered: [0-9f]/);
          await until(() => {
            send(there, kind.to("hb0"), "hello");
            return child.hasSaid("received hello");
          }, "it hears again");
        }),
    });
  }
}

Deno.test({
  name: "packets to a group leave with the TTL that was asked for, under both runtimes",
  ignore: !isRoot || runtimes.some((runtime) => runtime.isMissing) || !has("tcpdump"),
  fn: async () => {
    for (const runtime of runtimes) {
      for (const [kind, expected] of [[kinds[1]!, /ttl 3,/], [kinds[2]!, /hlim 3,/]] as const) {
        await withTwoWires(async ({ here, there, children }) => {
          const child = run(runtime, here, kind.settings("hb0"));
          children.push(child);
          await child.says(/^open: /);
          const said = execFileSync(
            "ip",
            [
              "netns",
              "exec",
              there,
              "tcpdump",
              "-v",
              "-l",
              "-n",
              "-c",
              "1",
              "-i",
              "hb0",
              "udp",
              "port",
              `${port}`,
            ],
            { encoding: "utf8", timeout: 10_000, stdio: ["ignore", "pipe", "ignore"] },
          );
          assert.match(said, expected, `${runtime.name}: ${said}`);
        });
      }
    }
  },
});

interface Wires {
  readonly here: string;
  readonly there: string;
  readonly children: Child[];
}

let count = 0;

async function withTwoWires(body: (wires: Wires) => Promise<void>): Promise<void> {
  const [here, there] = ["a", "b"].map((end) => `hl-group-${process.pid}-${count}-${end}`) as [
    string,
    string,
  ];
  count++;
  const children: Child[] = [];
  try {
    for (const namespace of [here, there]) ip("netns", "add", namespace);
    for (const device of ["hb0", "hb1"]) wire(here, there, device);
    await body({ here, there, children });
  } finally {
    for (const child of children) await child.end();
    for (const namespace of [here, there]) {
      execFileSync("sh", ["-c", `ip netns del ${namespace} 2>/dev/null || true`]);
    }
  }
}

/** Both wires carry the same subnet: by addresses alone nobody could tell them apart. */
function wire(here: string, there: string, device: string): void {
  ip("-n", here, "link", "add", device, "type", "veth", "peer", "name", device, "netns", there);
  const last = device === "hb0" ? 1 : 3;
  for (const [namespace, number] of [[here, last], [there, last + 1]] as const) {
    ip("-n", namespace, "link", "set", device, "addrgenmode", "none");
    ip("-n", namespace, "link", "set", device, "up");
    addresses(namespace, device, number);
  }
}

function addresses(namespace: string, device: string, number: number): void {
  ip("-n", namespace, "addr", "add", `10.199.9.${number}/24`, "dev", device);
  ip("-n", namespace, "addr", "add", `fe80::9:${number}/64`, "dev", device, "nodad");
}

function send(namespace: string, to: string, text: string): void {
  execFileSync("ip", ["netns", "exec", namespace, "socat", "-u", "-", to], { input: text });
}

function has(program: string): boolean {
  try {
    execFileSync("sh", ["-c", `command -v ${program}`]);
    return true;
  } catch {
    console.warn(`SKIPPED: what needs ${program}`);
    return false;
  }
}

function run(runtime: Runtime, namespace: string, settings: MediumSettings): Child {
  return new Child(start(runtime, namespace, "medium_child.ts", JSON.stringify(settings)));
}

class Child {
  readonly #lines: string[] = [];
  #errors = "";
  #rest = "";

  constructor(readonly process: ChildProcess) {
    process.stderr!.on("data", (chunk) => this.#errors += chunk);
    process.stdout!.on("data", (chunk) => {
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

  hasSaid(line: string): boolean {
    return this.#lines.includes(line);
  }

  async end(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const gone = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.kill("SIGKILL");
    await gone;
  }
}
