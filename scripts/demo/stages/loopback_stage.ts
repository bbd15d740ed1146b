/**
 * The demo's stage without root: two peers on 127.0.0.1 and 127.0.0.2, and a script resource in place of an address.
 *
 * The script marks with a file that its service runs; the client looks for these files. A SIGKILL takes the mark
 * along, as the death of a machine takes its services. Everything lies in one temporary directory.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { stringify } from "yaml";
import { monotonicMs } from "../../../lib/system/clock.ts";
import type { HeardLine, Target } from "../../lab/daemon.ts";
import { tryRun } from "../../lab/run.ts";
import { MarkWatch } from "./mark_watch.ts";
import { program } from "./program.ts";
import { MARK } from "./sweep.ts";
import {
  askIntervalMs,
  deadTimeMs,
  GROUP,
  keepaliveMs,
  NODES,
  type ServiceWatch,
  type Stage,
} from "./stage.ts";

const ADDRESSES = { node1: "127.0.0.1", node2: "127.0.0.2" } as const;
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** The service of a node runs while its mark is there. HA_CURHOST is the node's name. */
const script = (directory: string) =>
  `#!/bin/sh
mark="${directory}/serving-$HA_CURHOST"
case "$1" in
start) : >"$mark" ;;
stop) rm -f "$mark" ;;
status) test -e "$mark" || exit 3 ;;
*) exit 2 ;;
esac
`;

export async function buildLoopbackStage(target: Target): Promise<Stage> {
  return new LoopbackStage(target, await freePort());
}

class LoopbackStage implements Stage {
  readonly mode = "loopback";
  readonly links = ["lo"];
  readonly hardware = null;
  readonly introduction: readonly string[];
  readonly #directory = mkdtempSync(join(tmpdir(), `${MARK}-${process.pid}-1-`));
  readonly #daemons = new Map<string, ChildProcess>();
  readonly #lines: Array<HeardLine & { readonly node: string }> = [];
  readonly #onSignal = (signal: keyof typeof EXIT_CODES) =>
    void this.destroy().finally(() => process.exit(EXIT_CODES[signal]));

  constructor(private readonly target: Target, port: number) {
    for (const signal of Object.keys(EXIT_CODES) as Array<keyof typeof EXIT_CODES>) {
      process.on(signal, this.#onSignal);
    }
    const path = join(this.#directory, "service");
    writeFileSync(path, script(this.#directory), { mode: 0o755 });
    const yaml = stringify({
      cluster: "demo",
      nodes: NODES,
      keepalive: `${keepaliveMs}ms`,
      deadtime: `${deadTimeMs}ms`,
      initdead: `${2 * deadTimeMs}ms`,
      port,
      links: [{ ucast: { dev: "lo", peer: ADDRESSES } }],
      keys: { "sign-with": 1, keys: [{ index: 1, method: "sha256", secret: "key-of-the-demo" }] },
      groups: { [GROUP]: { nodes: NODES, failback: "off", resources: [`exec:${path}`] } },
      process: { realtime: false },
    });
    writeFileSync(join(this.#directory, "heartline.yaml"), yaml, { mode: 0o600 });
    this.introduction = [
      `  node1 ${ADDRESSES.node1} ━━━━━━━━━ lo, UDP ${port} ━━━━━━━━━ node2 ${ADDRESSES.node2}`,
      `           client  asks every ${askIntervalMs} ms who runs the service`,
      "",
      "A script resource stands in for the virtual address: a file marks the service.",
    ];
  }

  start(node: string): void {
    const args = ["--config", join(this.#directory, "heartline.yaml"), "--node", node];
    const places = ["--socket", this.socketPath(node), "--state-dir", join(this.#directory, `state-${node}`)];
    const [file, ...rest] = program(this.target, ["peer", ...args, ...places]);
    // A process group of its own: Ctrl-C is for the demo, which then ends it.
    const child = spawn(file, rest, { stdio: ["ignore", "pipe", "pipe"], detached: true });
    this.#daemons.set(node, child);
    for (const stream of [child.stdout, child.stderr]) {
      let rest = "";
      stream?.setEncoding("utf8").on("data", (chunk: string) => {
        const lines = (rest + chunk).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) this.#lines.push({ node, atMs: monotonicMs(), line });
      });
    }
  }

  async kill(node: string): Promise<void> {
    const child = this.#daemons.get(node);
    this.#daemons.delete(node);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, "close");
    process.kill(-(child.pid ?? 0), "SIGKILL");
    rmSync(this.#mark(node), { force: true });
    await closed;
    // Its last act may have been a start.
    rmSync(this.#mark(node), { force: true });
  }

  daemon(node: string): "off" | "running" | "ended" {
    const child = this.#daemons.get(node);
    if (child === undefined) return "off";
    return child.exitCode === null && child.signalCode === null ? "running" : "ended";
  }

  socketPath(node: string): string {
    return join(this.#directory, `${node}.sock`);
  }

  heartline(node: string, args: readonly string[]) {
    const [file, ...rest] = program(this.target, [...args, "--socket", this.socketPath(node)]);
    return tryRun(file, rest);
  }

  lines() {
    return this.#lines;
  }

  watchService(): ServiceWatch {
    return new MarkWatch(() => NODES.filter((node) => existsSync(this.#mark(node))));
  }

  async destroy(): Promise<void> {
    await Promise.all(NODES.map((node) => this.kill(node)));
    rmSync(this.#directory, { recursive: true, force: true });
    for (const signal of Object.keys(EXIT_CODES)) process.off(signal, this.#onSignal);
  }

  #mark(node: string): string {
    return join(this.#directory, `serving-${node}`);
  }
}

/** A UDP port that is free on both addresses now. */
async function freePort(): Promise<number> {
  const sockets = Object.values(ADDRESSES).map(() => createSocket("udp4"));
  try {
    let port = 0;
    for (const [index, address] of Object.values(ADDRESSES).entries()) {
      const socket = sockets[index];
      socket?.bind(port, address);
      if (socket) await once(socket, "listening");
      port = socket?.address().port ?? 0;
    }
    return port;
  } finally {
    for (const socket of sockets) socket.close();
  }
}
