/** Real programs all the way: fence_ipmilan, ipmitool, and the board controller that OpenIPMI simulates. */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AgentDevice } from "../../lib/fencing/agent.ts";
import { findAgent } from "../../lib/fencing/agent_call.ts";
import type { FenceStep } from "../../lib/fencing/fence.ts";

const missing = ["ipmi_sim", "ipmitool", "fence_ipmilan"].find((program) => findAgent(program) === null);
if (missing !== undefined) console.warn(`SKIP the tests beside a simulated board: "${missing}" is missing`);

const secret = "tell-nobody";

/** A board controller on loopback, whose power is a file. */
class Board {
  readonly directory = mkdtempSync(join(tmpdir(), "hl-ipmi-"));
  readonly #process: ChildProcess;

  private constructor(readonly port: number) {
    const chassis = join(this.directory, "chassis");
    this.#write("power", "1");
    writeFileSync(chassis, chassisScript(join(this.directory, "power")), { mode: 0o755 });
    this.#write(
      "lan.conf",
      `name "board"
set_working_mc 0x20
  startlan 1
    addr 127.0.0.1 ${port}
    priv_limit admin
    allowed_auths_admin none md2 md5 straight
    guid a123456789abcdefa123456789abcdef
  endlan
  chassis_control "${chassis} 0x20"
  user 2 true "ha" "${secret}" admin 10 none md2 md5 straight
`,
    );
    this.#write(
      "board.emu",
      "mc_setbmc 0x20\nmc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02\nmc_enable 0x20\n",
    );
    const files = ["-c", "lan.conf", "-f", "board.emu", "-s", this.directory, "-n"];
    this.#process = spawn("ipmi_sim", files, { cwd: this.directory, stdio: "ignore" });
  }

  /** Answers when the board does. */
  static async start(): Promise<Board> {
    const board = new Board(await freePort());
    const { state, reason } = await board.device(secret, 15_000).ask("n1", 10_000);
    if (state === "on") return board;
    await board[Symbol.asyncDispose]();
    assert.fail(`the simulated board does not answer: ${reason}`);
  }

  device(password: string, limitMs: number): AgentDevice {
    const options = {
      ip: "127.0.0.1",
      ipport: `${this.port}`,
      username: "ha",
      password,
      lanplus: "1",
      // Else ipmitool waits ten seconds for a list that this board does not have.
      cipher: "3",
      power_wait: "0",
    };
    return new AgentDevice({ name: "bmc", agent: "fence_ipmilan", ports: { n1: null }, options, limitMs });
  }

  get power(): string {
    return readFileSync(join(this.directory, "power"), "utf8").trim();
  }

  async end(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    rmSync(this.directory, { recursive: true, force: true });
  }

  #write(name: string, text: string): void {
    writeFileSync(join(this.directory, name), text);
  }
}

/** What the simulator asks for the power, and tells what becomes of it. */
function chassisScript(file: string): string {
  return `#!/bin/sh
shift
verb=$1
shift
if [ "$verb" = get ]; then
  for what; do [ "$what" != power ] || echo "power:$(cat ${file})"; done
  exit 0
fi
while [ $# -gt 1 ]; do
  [ "$1" != power ] || echo "$2" >${file}
  shift 2
done
`;
}

async function freePort(): Promise<number> {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

Deno.test({
  name: "a simulated board is switched off and on through fence_ipmilan, and each answer is verified",
  ignore: missing !== undefined,
  fn: async () => {
    await using board = await Board.start();
    const steps: FenceStep[] = [];
    const tell = (step: FenceStep) => void steps.push(step);
    const device = board.device(secret, 20_000);
    const outcome = await device.fence("n1", tell);
    assert.deepEqual([outcome.result, board.power], ["fenced", "0"], outcome.reason);
    assert.equal((await device.fence("n1", tell)).result, "fenced", "it was off already");
    assert.equal(await device.release("n1", tell), true);
    assert.equal(board.power, "1");

    const wrong = await board.device("not-the-password", 8_000).fence("n1", tell);
    assert.deepEqual([wrong.result, board.power], ["unknown", "1"], wrong.reason);
    await board.end();
    const gone = await board.device(secret, 4_000).fence("n1", tell);
    assert.equal(gone.result, "unknown", gone.reason);
    assert.ok(!/tell-nobody|not-the-password/.test(JSON.stringify([steps, wrong, gone])));
    console.log(
      `fencing a simulated board: off and verified in ${steps[0]!.durationMs + steps[1]!.durationMs} ms`,
    );
  },
});
