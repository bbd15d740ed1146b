import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { errno, libc } from "../../lib/system/libc.ts";
import { AF, NativeSocket, SOCK } from "../../lib/system/socket.ts";
import { networkTest } from "./network.ts";

libc(); // opened once for all tests: it stays open

const script = fileURLToPath(new URL("./exercise.ts", import.meta.url));
const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
const bun = fileURLToPath(new URL("../../node_modules/bun/bin/bun.exe", import.meta.url));

const runtimes: Array<[name: string, program: string, args: string[]]> = [
  ["Deno", process.execPath, ["run", "-A", "--no-check", "--config", config, script]],
  ["Bun", bun, [script]],
];

interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

function run(program: string, args: string[], environment: Record<string, string>): Promise<Ended> {
  const child = spawn(program, args, { env: { ...process.env, ...environment } });
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk) => output += chunk);
  child.stderr.on("data", (chunk) => errors += chunk);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output, errors }));
  });
}

/** A datagram socket with an abstract name, as systemd's. */
function notifySocket(name: string): NativeSocket {
  const bytes = new TextEncoder().encode(`\0${name}`);
  const address = Uint8Array.of(AF.UNIX, 0, ...bytes);
  const socket = NativeSocket.open(AF.UNIX, SOCK.DGRAM, 0, "listen as systemd");
  socket.bind(address, "listen as systemd");
  return socket;
}

for (const [name, program, args] of runtimes) {
  if (!existsSync(program)) {
    console.warn(`SKIPPED "everything that talks to the kernel works in ${name}": no ${program}`);
  } else {
    networkTest(`everything that talks to the kernel works in ${name}`, ["chrt"], async (network) => {
      network.ip("c", "addr add 10.9.0.3/24 dev e0");
      network.ip("c", "addr add fd09::3/64 dev e0");
      const directory = mkdtempSync(join(tmpdir(), "heartline-system-"));
      const notifyName = `heartline-test-${process.pid}-${name}`;
      // The program is in another network namespace, and abstract names belong to one.
      const systemd = network.on("b", () => notifySocket(notifyName));
      try {
        const inside = [
          "netns",
          "exec",
          network.name("b"),
          program,
          ...args,
          network.name("c"),
          join(directory, "lock"),
        ];
        const ended = await run("ip", inside, { NOTIFY_SOCKET: `@${notifyName}` });
        assert.equal(ended.code, 0, ended.errors);
        assert.deepEqual(JSON.parse(ended.output), {
          clockMs: true,
          address: true,
          monitor: ["address-set"],
          device: { index: 2, name: "e0", prefixOfLocalSubnet: 24 },
          refusal: "ENODEV",
          "10.9.0.3": "answered",
          "fd09::3": "answered",
          "10.9.0.77": "silent",
          "fd09::77": "silent",
          "own packets heard": 0,
          "echo sent": 0,
          "other namespace": true,
          lock: ["acquired", "held", true],
          notify: true,
          realtime: true,
          scheduler: true,
          "child scheduler": true,
          memory: true,
          "oom reason": true,
        });
        const received = systemd.receive("read as systemd");
        assert.equal(new TextDecoder().decode(received!.packet), "READY=1");
      } finally {
        systemd.close();
        rmSync(directory, { recursive: true });
      }
    });
  }
}

Deno.test("errno is that of the last call, also when others were made before", () => {
  assert.equal(libc().close(-1), -1);
  assert.equal(errno(), 9);
  assert.equal(libc().socket(9999, 1, 0), -1);
  assert.equal(errno(), 97);
});
