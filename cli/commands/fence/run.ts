/**
 * Carries the `fence` commands out. Only `switchNode` changes anything, after the node's name was typed or `--yes`
 * was given, and says of each step what came of it. Nothing counts as done that was not verified.
 */

import { createInterface } from "node:readline/promises";
import process from "node:process";
import { nearest } from "../../../lib/config/spelling.ts";
import { UsageError } from "../../../lib/errors.ts";
import type { AgentDevice } from "../../../lib/fencing/agent.ts";
import { endRunningPrograms } from "../../../lib/system/process.ts";
import { findAgent } from "../../../lib/fencing/agent_call.ts";
import type { FenceStep } from "../../../lib/fencing/fence.ts";
import { Fencer } from "../../../lib/fencing/fencer.ts";
import { unknownOptions } from "../../../lib/fencing/metadata.ts";
import { renderAge } from "../../render/ages.ts";
import { paintFor } from "../../render/paint.ts";
import { type Cell, renderTable } from "../../render/table.ts";
import { Waiting } from "../../render/waiting.ts";
import { type DeviceFlags, readPlan, refuseUnknownNode, type SwitchFlags } from "./plan.ts";

/** Of the JSON output. */
const schema = 1;

/** Who has to decide must not wait for a daemon that hangs. */
const daemonLimitMs = 1_000;

/** A look at the power need not take as long as a fencing may. */
const askLimitMsMax = 20_000;

export async function list(flags: DeviceFlags): Promise<number> {
  const { fencing } = await readPlan(flags, "node");
  const rows = fencing.devices.map(({ name, agent, ports, limitMs }) => ({
    name,
    agent,
    path: findAgent(agent),
    nodes: ports,
    limitMs,
  }));
  if (flags.json) {
    printJson({ schema, action: fencing.action, together: fencing.together ?? [], devices: rows });
  } else {
    const paint = await paintFor(process.stdout);
    print(renderTable(
      rows.map(({ name, agent, path, nodes, limitMs }) => [
        name,
        path === null ? { text: `${agent} NOT FOUND`, paint: paint.bad } : agent,
        `within ${renderAge(limitMs)}`,
        Object.entries(nodes).map(([node, port]) => port === null ? node : `${node} (port ${port})`).join(
          ", ",
        ),
      ]),
      { width: width(), indent: 0, widthsMax: [24, 36] },
    ));
    print([
      `Tried in this order; a fenced node is ${fencing.action === "off" ? "left off" : "switched on again"}.`,
    ]);
  }
  return rows.some(({ path }) => path === null) ? 1 : 0;
}

interface Answer {
  readonly device: string;
  readonly node: string;
  readonly state: "on" | "off" | "unknown";
  readonly reason: string;
}

export async function test(what: readonly string[], flags: DeviceFlags): Promise<number> {
  const plan = await readPlan(flags, what[0]?.toLowerCase() ?? null);
  const { devices } = new Fencer(plan.fencing);
  const known = [...devices.map(({ name }) => name), ...plan.nodes];
  const unknown = what.filter((word) => !known.includes(word) && !known.includes(word.toLowerCase()));
  if (unknown.length > 0) {
    throw new UsageError(unknown.map((word) => {
      const near = nearest(word, known);
      const hint = near === null ? `there are ${known.join(", ")}` : `did you mean "${near}"?`;
      return `Cannot test "${word}": it is neither a device nor a node; ${hint}`;
    }));
  }
  const isMeant = (device: string, node: string) =>
    what.length === 0 || what.includes(device) || what.some((word) => word.toLowerCase() === node);
  const pairs = devices.map((device) => ({
    device,
    nodes: device.nodes.filter((node) => isMeant(device.name, node)),
  }));
  const waiting = waitingFor(flags, "asking the devices");
  const answers = (await Promise.all(pairs.map(({ device, nodes }) => askDevice(device, nodes)))).flat();
  const warnings = (await Promise.all(
    pairs.filter(({ nodes }) => nodes.length > 0).map(({ device }) => doubts(device)),
  )).flat();
  waiting.end();
  return await tell(flags, "test", answers, warnings, answers.some(({ state }) => state === "unknown"));
}

export async function status(node: string, flags: DeviceFlags): Promise<number> {
  const name = node.toLowerCase();
  const plan = await readPlan(flags, name);
  refuseUnknownNode(plan, name);
  const waiting = waitingFor(flags, "asking the devices");
  const devices = new Fencer(plan.fencing).rungsOf(name).flat();
  const answers = (await Promise.all(devices.map((device) => askDevice(device, [name])))).flat();
  waiting.end();
  return await tell(flags, "status", answers, [], answers.every(({ state }) => state === "unknown"));
}

/** One node after the other: many devices have room for one session only. */
async function askDevice(device: AgentDevice, nodes: readonly string[]): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const node of nodes) {
    const limitMs = Math.min(askLimitMsMax, device.settings.limitMs);
    answers.push({ device: device.name, node, ...await device.ask(node, limitMs) });
  }
  return answers;
}

async function doubts(device: AgentDevice): Promise<string[]> {
  const { agent, options } = device.settings;
  if (findAgent(agent) === null) return [];
  const metadata = await device.metadata();
  if (metadata === null) return [`${device.name}: "${agent}" does not describe itself: is it a fence agent?`];
  const unknown = unknownOptions(metadata, Object.keys(options)).map((name) => {
    const near = nearest(name, metadata.parameters);
    return `${device.name}: ${agent} has no option "${name}"${
      near === null ? "" : `; did you mean "${near}"?`
    }`;
  });
  const fabric = await device.isFabric()
    ? [
      `${device.name}: ${agent} cuts a node off and leaves it running; it stays cut off until a person lets it back`,
    ]
    : [];
  return [...unknown, ...fabric];
}

async function tell(
  flags: DeviceFlags,
  command: string,
  answers: readonly Answer[],
  warnings: readonly string[],
  isBad: boolean,
): Promise<number> {
  const exitCode = isBad ? 1 : 0;
  if (flags.json) printJson({ schema, command, exitCode, answers, warnings });
  else {
    const paint = await paintFor(process.stdout);
    const rows = answers.map(({ device, node, state, reason }): Cell[] => [
      device,
      node,
      state === "unknown"
        ? { text: "UNKNOWN", paint: paint.bad }
        : { text: state, paint: state === "on" ? paint.good : paint.doubtful },
      reason,
    ]);
    print(renderTable(rows, { width: width(), indent: 0, widthsMax: [24, 32] }));
    for (const warning of warnings) process.stderr.write(`heartline: ${warning}\n`);
  }
  return exitCode;
}

export async function switchNode(
  verb: "off" | "on" | "reboot",
  written: string,
  flags: SwitchFlags,
): Promise<number> {
  const node = written.toLowerCase();
  const plan = await readPlan(flags, node);
  refuseUnknownNode(plan, node);
  if (node === plan.self && verb !== "on" && flags.force !== true) {
    throw new UsageError([
      `Cannot switch ${node} off: it is this very machine, which then cannot make sure of anything; run it on ` +
      "another node, or add --force",
    ]);
  }
  if (flags.yes !== true && !await isAgreed(verb, node)) return 1;
  const stopListening = onInterrupt(() => {
    process.stderr.write(
      `\nheartline: interrupted; what became of ${node} is not known: heartline fence status ${node}\n`,
    );
  });
  const fencer = new Fencer({ ...plan.fencing, action: "off" });
  const steps: FenceStep[] = [];
  const waiting = waitingFor(flags, `${verb} ${node}`);
  const onStep = (step: FenceStep) => {
    steps.push(step);
    waiting.end();
    if (!flags.json) printStep(step);
    waiting.begin(`${verb} ${node}`);
  };
  const off = verb === "on" ? null : await fencer.fence(node, onStep);
  const isOff = off?.result === "fenced";
  const isOn = (verb === "on" || (verb === "reboot" && isOff)) && await fencer.release(node, onStep);
  waiting.end();
  stopListening();
  const isDone = verb === "off" ? isOff : isOn;
  const reason = off !== null && !(verb === "reboot" && isOff)
    ? off.reason
    : isOn
    ? `${node} is on`
    : isOff
    ? `${node} was switched off, but not on again`
    : `${node} could not be switched on`;
  if (flags.json) {
    printJson({
      schema,
      command: verb,
      node,
      exitCode: isDone ? 0 : 1,
      off: off?.result ?? null,
      isOn,
      reason,
      steps,
    });
  } else {
    const paint = await paintFor(process.stdout);
    const word = isDone ? paint.good("done") : paint.bad(off?.result === "unknown" ? "NOT KNOWN" : "FAILED");
    print([`${word}: ${reason}`]);
  }
  return isDone ? 0 : 1;
}

/** An agent must not go on by itself when nobody waits for it any more. Returns what undoes it. */
function onInterrupt(say: () => void): () => void {
  const end = (signal: NodeJS.Signals) => {
    endRunningPrograms();
    say();
    process.exit(signal === "SIGINT" ? 130 : 143);
  };
  process.on("SIGINT", end).on("SIGTERM", end);
  return () => void process.off("SIGINT", end).off("SIGTERM", end);
}

/** What the daemon here knows of a node, as a warning; empty: nothing, or there is no daemon. */
async function whatItHolds(node: string): Promise<string> {
  const [{ ControlClient }, { defaultControlSocket }] = await Promise.all([
    import("../../../lib/runtime/control_client.ts"),
    import("../../../lib/runtime/control_protocol.ts"),
  ]);
  try {
    const client = await ControlClient.connect(
      process.env.HEARTLINE_SOCKET ?? defaultControlSocket,
      daemonLimitMs,
    );
    const { result: view } = await client.status().finally(() => client.close());
    const isAlive = view.node === node ||
      view.peers.some((peer) => peer.node === node && peer.state === "alive");
    const held = view.groups.filter(({ holders }) => holders.includes(node)).map(({ group }) => group);
    return isAlive
      ? `${node} is ALIVE and holds ${held.join(", ") || "nothing"}.\n`
      : `${node} is not heard.\n`;
  } catch {
    return "";
  }
}

async function isAgreed(verb: string, node: string): Promise<boolean> {
  if (process.stdin.isTTY !== true) {
    throw new UsageError([
      `Cannot ask whether ${node} is to be switched (${verb}): standard input is no terminal; add --yes`,
    ]);
  }
  const question = createInterface({ input: process.stdin, output: process.stderr });
  const warning = await whatItHolds(node);
  const typed = await question.question(`${warning}Type the name of the node for: ${verb} ${node}\n> `);
  question.close();
  if (typed.trim().toLowerCase() === node) return true;
  process.stderr.write("heartline: that is another name; nothing was done\n");
  return false;
}

function printStep({ device, node, action, isGood, sentence, output, durationMs }: FenceStep): void {
  print([`${device}: ${action} ${node}: ${sentence} (${renderAge(durationMs)})`]);
  if (isGood) return;
  for (const line of output) process.stderr.write(`  | ${line}\n`);
}

function waitingFor(flags: DeviceFlags, what: string): Waiting {
  const waiting = new Waiting(!flags.json && process.stderr.isTTY === true);
  waiting.begin(what);
  return waiting;
}

function width(): number {
  return process.stdout.columns || 80;
}

function print(lines: readonly string[]): void {
  if (lines.length > 0) process.stdout.write(lines.join("\n") + "\n");
}

function printJson(value: unknown): void {
  process.stdout.write(JSON.stringify(value) + "\n");
}
