/** Control server and client over real sockets, with a daemon that is a double. */

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "../../lib/core/inputs.ts";
import { EnvironmentError } from "../../lib/errors.ts";
import { ControlClient } from "../../lib/runtime/control_client.ts";
import { type CommandResult, controlLimits, type ControlTarget } from "../../lib/runtime/control_protocol.ts";
import { type ControlServer, openControlServer } from "../../lib/runtime/control_server.ts";
import { healthyPair } from "../cli/views.ts";

const noProbe = () => Promise.resolve(null);

class FakeDaemon implements ControlTarget {
  readonly probe: ControlTarget["probe"] = noProbe;
  readonly commands: Command[] = [];
  view() {
    return { view: healthyPair(), ageMs: 3 };
  }
  command(command: Command) {
    this.commands.push(command);
    return Promise.resolve({ accepted: true, message: `will do: ${command.kind}` });
  }
  history() {
    return [
      { at: "2026-01-01T00:00:00.000Z", level: "info", code: "started", sentence: "up", fields: {} } as const,
    ];
  }
}

const question = { session: "0123456789abcdef", number: 7, to: "node2" };

Deno.test("questions over a link are handed on as asked, and malformed ones are not", async () => {
  const asked: unknown[] = [];
  const daemon = new FakeDaemon();
  const target: ControlTarget = {
    view: () => daemon.view(),
    command: (command) => daemon.command(command),
    history: () => daemon.history(),
    probe: (...all) => {
      asked.push(all);
      return Promise.resolve(null);
    },
  };
  await withServer(target, async ({ path }) => {
    const client = await ControlClient.connect(path, 2000);
    assert.equal((await client.probe("tcp:eth1", question, 900)).result, null);
    const bad: ReadonlyArray<readonly [changes: object, waitMs: number, message: RegExp]> = [
      [{ session: "xyz" }, 900, /16 hexadecimal digits/],
      [{ number: -1 }, 900, /whole number from 0/],
      [{ number: 0.5 }, 900, /whole number from 0/],
      [{ to: "a b" }, 900, /null or the name of a node/],
      [{}, controlLimits.probeWaitMsMax + 1, /"waitMs" must be/],
    ];
    for (const [changes, waitMs, message] of bad) {
      await assert.rejects(client.probe("tcp:eth1", { ...question, ...changes }, waitMs), message);
    }
    client.close();
  });
  assert.deepEqual(asked, [["tcp:eth1", question, 900]]);
});

interface Bench {
  readonly directory: string;
  readonly path: string;
  readonly server: ControlServer;
}

/** Runs `body` against a server in a directory of its own and takes both away again. */
async function withServer(target: ControlTarget, body: (bench: Bench) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "heartline-control-"));
  const path = join(directory, "run", "control.sock");
  const server = await openControlServer(path, target);
  try {
    await body({ directory, path, server });
  } finally {
    await server.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A client that sends bytes and collects lines, without the manners of `ControlClient`. */
class RawClient {
  text = "";
  isClosed = false;
  #changed: () => void = () => {};
  private constructor(readonly socket: Socket) {
    socket.setEncoding("utf8");
    socket.on("data", (chunk) => {
      this.text += String(chunk);
      this.#changed();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.isClosed = true;
      this.#changed();
    });
  }
  static open(path: string): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      socket.once("error", reject);
      socket.once("connect", () => resolve(new RawClient(socket)));
    });
  }
  get lines(): Array<{ id: unknown; ok: boolean; error?: { code: string; message: string } }> {
    return this.text.split("\n").slice(0, -1).map((line) => JSON.parse(line));
  }
  /** Waits until `condition` holds, for at most 5 s. */
  async until(what: string, condition: () => boolean): Promise<void> {
    const deadline = performance.now() + 5000;
    while (!condition()) {
      const leftMs = deadline - performance.now();
      assert.ok(leftMs > 0, `waited 5 s for: ${what}; got ${this.text.slice(0, 500)}`);
      let timer;
      await Promise.race([
        new Promise<void>((resolve) => this.#changed = resolve),
        new Promise<void>((resolve) => timer = setTimeout(resolve, leftMs)),
      ]);
      clearTimeout(timer);
    }
  }
  async close(): Promise<void> {
    this.socket.destroy();
    await this.until("close", () => this.isClosed);
  }
}

async function rejectsWith(promise: Promise<unknown>, exitCode: number, pattern: RegExp): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof EnvironmentError, String(error));
    assert.equal(error.exitCode, exitCode);
    assert.match(error.message, pattern);
    return true;
  });
}

Deno.test("status, history and commands are answered, with their age", async () => {
  const daemon = new FakeDaemon();
  await withServer(daemon, async ({ path }) => {
    const client = await ControlClient.connect(path, 2000);
    assert.deepEqual(await client.status(), { ageMs: 3, result: healthyPair() });
    assert.equal((await client.history()).result[0]?.code, "started");
    const { result } = await client.command({ kind: "takeover", groups: ["web"] }, 1000);
    assert.deepEqual(result, { accepted: true, message: "will do: takeover" });
    assert.deepEqual(daemon.commands, [{ kind: "takeover", groups: ["web"] }]);
    client.close();
  });
});

Deno.test("a watcher gets a view at once and then one per interval", async () => {
  await withServer(new FakeDaemon(), async ({ path }) => {
    const client = await ControlClient.connect(path, 2000);
    let views = 0;
    for await (const { result } of client.watch(100)) {
      assert.equal(result.node, "alpha");
      if (++views === 3) break;
    }
    client.close();
    assert.equal(views, 3);
  });
});

Deno.test("the socket has mode 0660, its directory 0755, and both ends leave nothing behind", async () => {
  await withServer(new FakeDaemon(), async ({ path, directory, server }) => {
    assert.equal(statSync(path).mode & 0o777, 0o660);
    assert.equal(statSync(join(directory, "run")).mode & 0o777, 0o755);
    assert.ok(!existsSync(`${path}~`));
    await server.close();
    assert.ok(!existsSync(path));
  });
});

Deno.test("a second daemon is refused while the first one answers", async () => {
  await withServer(new FakeDaemon(), async ({ path }) => {
    await rejectsWith(openControlServer(path, new FakeDaemon()), 69, /another daemon listens on it/);
    const client = await ControlClient.connect(path, 2000);
    await client.status();
    client.close();
  });
});

Deno.test("a stale socket file is replaced, a file that is no socket is not", async () => {
  const directory = mkdtempSync(join(tmpdir(), "heartline-control-"));
  try {
    const stale = join(directory, "stale.sock");
    await leaveStaleSocket(stale);
    const server = await openControlServer(stale, new FakeDaemon());
    const client = await ControlClient.connect(stale, 2000);
    await client.status();
    client.close();
    await server.close();

    const plain = join(directory, "plain");
    writeFileSync(plain, "precious");
    await rejectsWith(openControlServer(plain, new FakeDaemon()), 69, /no socket is in the way/);
    assert.ok(existsSync(plain));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

/** A bound socket whose listener is gone: what a killed daemon leaves. */
async function leaveStaleSocket(path: string): Promise<void> {
  const { renameSync } = await import("node:fs");
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(`${path}.bound`, resolve));
  renameSync(`${path}.bound`, path);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  assert.ok(statSync(path).isSocket());
}

Deno.test("a server that closes does not remove the socket of its successor", async () => {
  await withServer(new FakeDaemon(), async ({ path, server }) => {
    rmSync(path);
    const successor = await openControlServer(path, new FakeDaemon());
    await server.close();
    assert.ok(existsSync(path));
    await successor.close();
  });
});

Deno.test("a path that a unix socket cannot have is refused before anything is made", async () => {
  await rejectsWith(openControlServer(`/tmp/${"x".repeat(110)}`, new FakeDaemon()), 69, /at most 106/);
});

const nobody: ReadonlyArray<
  readonly [name: string, exitCode: number, pattern: RegExp, make: (path: string) => unknown]
> = [
  ["no file", 69, /no daemon runs there; start it \(systemctl start heartline\)/, () => {}],
  ["a stale socket", 69, /its daemon is gone; start it again/, leaveStaleSocket],
];
for (const [name, exitCode, pattern, make] of nobody) {
  Deno.test(`a client that finds ${name} says what to do next`, async () => {
    const directory = mkdtempSync(join(tmpdir(), "heartline-control-"));
    try {
      const path = join(directory, "control.sock");
      await make(path);
      await rejectsWith(ControlClient.connect(path, 2000), exitCode, pattern);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
}

Deno.test("garbage is answered, counted against nobody, and the next request is served", async () => {
  const cases = [
    ["nonsense", "malformed"],
    ["[]", "malformed"],
    ["null", "malformed"],
    ['{"id":1,"request":"explode"}', "malformed"],
    ['{"id":1,"request":"watch","intervalMs":1}', "malformed"],
    ['{"id":1,"request":"watch","intervalMs":"1000"}', "malformed"],
    ['{"id":1,"request":"command"}', "malformed"],
    ['{"id":1,"request":"command","command":{"kind":"shutdown"}}', "malformed"],
    ['{"id":1,"request":"command","command":{"kind":"maintenance"}}', "malformed"],
    ['{"id":1,"request":"command","command":{"kind":"takeover","groups":[1]}}', "malformed"],
    ['{"id":1,"request":"command","command":{"kind":"takeover","groups":"web"}}', "malformed"],
    ['{"id":1,"request":"command","waitMs":0,"command":{"kind":"maintenance","on":true}}', "malformed"],
  ] as const;
  const daemon = new FakeDaemon();
  await withServer(daemon, async ({ path }) => {
    const client = await RawClient.open(path);
    for (const [line] of cases) client.socket.write(line + "\r\n");
    client.socket.write('\n\n{"id":"last","request":"status"}\n');
    await client.until("all answers", () => client.lines.length === cases.length + 1);
    assert.deepEqual(
      client.lines.slice(0, -1).map((line) => line.error?.code),
      cases.map(([, code]) => code),
    );
    assert.deepEqual([client.lines.at(-1)?.id, client.lines.at(-1)?.ok], ["last", true]);
    assert.deepEqual(daemon.commands, []);
    await client.close();
  });
});

Deno.test("a line without end is refused, and its client dropped", async () => {
  await withServer(new FakeDaemon(), async ({ path }) => {
    const client = await RawClient.open(path);
    client.socket.write("x".repeat(controlLimits.lineBytesMax + 100));
    await client.until("the end", () => client.isClosed);
    assert.equal(client.lines.at(-1)?.error?.code, "too-long");
  });
});

Deno.test("a line that comes in halves is served when it is whole", async () => {
  await withServer(new FakeDaemon(), async ({ path }) => {
    const client = await RawClient.open(path);
    const other = await ControlClient.connect(path, 2000);
    client.socket.write('{"id":5,"reque');
    await other.status();
    assert.equal(client.text, "");
    client.socket.write('st":"status"}\n');
    await client.until("the answer", () => client.lines.length === 1);
    assert.equal(client.lines[0]?.id, 5);
    other.close();
    await client.close();
  });
});

Deno.test("a client that stops in the middle of a line is dropped, one that waits for an answer is not", async () => {
  const limits = controlLimits as { idleMsMax: number };
  const idleMsMax = limits.idleMsMax;
  limits.idleMsMax = 100;
  let answer: (result: CommandResult) => void = () => {};
  const slow: ControlTarget = {
    view: () => ({ view: healthyPair(), ageMs: 0 }),
    command: () => new Promise((resolve) => answer = resolve),
    history: () => [],
    probe: noProbe,
  };
  try {
    await withServer(slow, async ({ path }) => {
      const waiting = await RawClient.open(path);
      waiting.socket.write('{"id":1,"request":"command","command":{"kind":"maintenance","on":true}}\n');
      const half = await RawClient.open(path);
      half.socket.write('{"id":1,"reque');
      await half.until("the end", () => half.isClosed);
      assert.equal(half.text, "");
      const later = await RawClient.open(path);
      await later.until("the end", () => later.isClosed);
      assert.equal(waiting.isClosed, false);
      answer({ accepted: true, message: "done" });
      await waiting.until("the answer", () => waiting.lines.length === 1);
      assert.equal(waiting.lines[0]?.ok, true);
      await waiting.close();
    });
  } finally {
    limits.idleMsMax = idleMsMax;
  }
});

Deno.test("one client too many is told so; when one leaves there is room again", async () => {
  await withServer(new FakeDaemon(), async ({ path }) => {
    const clients = [];
    for (let count = 0; count < controlLimits.clientsMax; count++) {
      const client = await ControlClient.connect(path, 2000);
      await client.status();
      clients.push(client);
    }
    const tooMany = await RawClient.open(path);
    await tooMany.until("the end", () => tooMany.isClosed);
    assert.equal(tooMany.lines[0]?.error?.code, "busy");
    const refused = await ControlClient.connect(path, 2000);
    await rejectsWith(refused.status(), 69, /32 clients are connected already|hung up/);
    refused.close();
    clients.pop()!.close();
    await eventually(async () => {
      const client = await ControlClient.connect(path, 2000);
      await client.status().finally(() => client.close());
    });
    for (const client of clients) client.close();
  });
});

async function eventually(attempt: () => Promise<void>): Promise<void> {
  const deadline = performance.now() + 5000;
  while (true) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

Deno.test("a client that asks and never reads is dropped, while others are served", async () => {
  await withServer(new FakeDaemon(), async ({ path }) => {
    const asked = 4000;
    const greedy = await RawClient.open(path);
    greedy.socket.pause();
    greedy.socket.write('{"id":1,"request":"status"}\n'.repeat(asked));
    // Served while the greedy one is being dropped, and long enough for that to have happened.
    const client = await ControlClient.connect(path, 2000);
    for (let count = 0; count < asked; count++) await client.status();
    greedy.socket.resume();
    await greedy.until("the end", () => greedy.isClosed);
    const answered = greedy.text.split("\n").length - 1;
    assert.ok(answered > 0 && answered < asked, `${answered} of ${asked} answers were kept for it`);
    client.close();
  });
});

Deno.test("a daemon whose methods throw keeps its server, and its client learns that it is a bug", async () => {
  const broken: ControlTarget = {
    view: () => {
      throw new Error("no view");
    },
    command: () => Promise.reject(new Error("no command")),
    history: () => {
      throw new Error("no history");
    },
    probe: () => Promise.reject(new Error("no link")),
  };
  await withServer(broken, async ({ path }) => {
    const client = await ControlClient.connect(path, 2000);
    await rejectsWith(client.status(), 69, /BUG: no view/);
    await rejectsWith(client.history(), 69, /BUG: no history/);
    await rejectsWith(client.probe("eth1", question, 1000), 69, /no link/);
    await rejectsWith(client.command({ kind: "maintenance", on: true }, 1000), 69, /BUG: no command/);
    client.close();
  });
});

Deno.test("a daemon that does not answer a command in time leads to exit code 124, and the number of commands is bounded", async () => {
  const stuck: ControlTarget = {
    view: () => ({ view: healthyPair(), ageMs: 0 }),
    command: () => new Promise(() => {}),
    history: () => [],
    probe: noProbe,
  };
  await withServer(stuck, async ({ path }) => {
    const client = await ControlClient.connect(path, 2000);
    await rejectsWith(client.command({ kind: "maintenance", on: true }, 50), 124, /no answer within 50 ms/);
    client.close();
    const raw = await RawClient.open(path);
    const request = JSON.stringify({
      id: 1,
      request: "command",
      waitMs: 200,
      command: { kind: "maintenance", on: true },
    });
    raw.socket.write(`${request}\n`.repeat(controlLimits.commandsMax + 1));
    await raw.until("all answers", () => raw.lines.length === controlLimits.commandsMax + 1);
    assert.deepEqual(raw.lines.map((line) => line.error?.code), [
      "busy",
      ...Array(controlLimits.commandsMax).fill("timeout"),
    ]);
    await raw.close();
  });
});

Deno.test("closing the server ends its clients with a message that names the log", async () => {
  await withServer(new FakeDaemon(), async ({ path, server }) => {
    const client = await ControlClient.connect(path, 2000);
    const views = client.watch(100);
    await views.next();
    await server.close();
    await rejectsWith(
      (async () => {
        for await (const _ of views);
      })(),
      69,
      /it hung up; see what its log says/,
    );
    client.close();
  });
});
