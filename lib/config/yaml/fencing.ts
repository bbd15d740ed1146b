/**
 * The `fencing` of heartline.yaml: devices that can switch nodes off, and how they are used. Whether all nodes are
 * covered is decided in checks/fencing.ts. Messages never repeat the value of an option: it may be a password.
 */

import type { FenceDeviceSettings, FencingSettings } from "../../core/settings.ts";
import type { LoadContext } from "../context.ts";
import * as defaults from "../defaults.ts";
import { type FenceOptions, parseFenceOptions, refusedOption } from "../fence_options.ts";
import type { Findings, Parsed, Places, Span } from "../problem.ts";
import { suggestion } from "../spelling.ts";
import type { Entry, Value, YamlReader } from "./reader.ts";

export interface FencingResult {
  /** `null`: hopeless. */
  readonly fencing: FencingSettings | null;
  /** Values of options, which must not be shown; those that look like a password make the file a secret one. */
  readonly secrets: readonly Span[];
  readonly hasPassword: boolean;
  /** Of the files of options. */
  readonly problems: Findings["problems"];
}

const deviceKeys = ["name", "agent", "nodes", "options", "options-file", "limit"];

const wrongSide: Readonly<Record<string, string>> = {
  ports: `write the ports beside the nodes: "nodes: {node1: 3}"`,
  port: `write the ports beside the nodes: "nodes: {node1: 3}"`,
  plug: `write the ports beside the nodes: "nodes: {node1: 3}"`,
  password: `it is an option of the agent: write it into a file that "options-file" names`,
  delay: `"delay" stands in "fencing" itself and is told for each node`,
};

/** `areFilesOptional`: files of options need not be there, as in a simulation. */
export function readFencing(
  reader: YamlReader,
  value: Value,
  nodes: readonly string[],
  context: LoadContext,
  places: Places,
  areFilesOptional: boolean,
): FencingResult {
  const entries = reader.mapping(value, {
    what: `"fencing"`,
    keys: ["devices", "together", "action", "retry", "delay"],
    required: ["devices"],
    refused: { levels: `devices are tried in the order of the list; "together" joins some of them` },
  });
  const secrets: Span[] = [];
  const problems: Findings["problems"] = [];
  const list = entries?.get("devices");
  if (entries === null || list === undefined) return { fencing: null, secrets, hasPassword: false, problems };
  const items = reader.list(list.value, `"devices"`);
  if (reader.isList(list.value) && items.length === 0) {
    const hint = `name one, or remove the whole section: a fence that is only believed in is worse than none`;
    reader.findings.error(list.value.span, "missing-value", "there is no device", hint);
  }
  const bag = { secrets, problems, passwords: [] };
  const devices: FenceDeviceSettings[] = [];
  for (const item of items) {
    const note = (span: Span, ...part: string[]) =>
      places.set(["fencing", "devices", devices.length, ...part], reader.findings.place(span));
    note(item.span);
    const device = readDevice(reader, item, nodes, context, { ...bag, note }, areFilesOptional);
    if (device === null) continue;
    if (devices.some(({ name }) => name === device.name)) {
      const message = `the device "${device.name}" stands twice`;
      reader.findings.error(item.span, "duplicate-name", message, "give each device a name of its own");
    }
    devices.push(device);
  }
  const action = entries.get("action");
  const retry = entries.get("retry");
  const delay = entries.get("delay");
  const together = entries.get("together");
  const fencing: FencingSettings = {
    devices,
    ...together === undefined ? {} : { together: readTogether(reader, together.value, devices) },
    action: (action && reader.choice(action.value, `"action"`, ["off", "reboot"])) ?? "reboot",
    delayMs: delay === undefined ? {} : readDelays(reader, delay.value, nodes),
    retryMs: (retry && reader.duration(retry.value, `"retry"`, defaults.fenceRetryMsMin)) ??
      defaults.fenceRetryMs,
  };
  return {
    fencing: devices.length > 0 ? fencing : null,
    secrets,
    hasPassword: bag.passwords.length > 0,
    problems,
  };
}

interface Bag {
  readonly secrets: Span[];
  readonly problems: Findings["problems"];
  passwords: string[];
  /** Notes where a part of the device stands. */
  readonly note: (span: Span, ...part: string[]) => void;
}

function readDevice(
  reader: YamlReader,
  item: Value,
  nodes: readonly string[],
  context: LoadContext,
  bag: Bag,
  areFilesOptional: boolean,
): FenceDeviceSettings | null {
  // Under a misspelt name may stand a password.
  for (const { key, value } of reader.isMapping(item) ? reader.openMapping(item, "a device")!.values() : []) {
    if (!deviceKeys.includes(key.value)) bag.secrets.push(value.span);
  }
  const required = ["name", "agent", "nodes"];
  const entries = reader.mapping(item, { what: "a device", keys: deviceKeys, required, refused: wrongSide });
  const [nameEntry, agentEntry, nodesEntry, optionsEntry, fileEntry, limitEntry] = deviceKeys.map((key) =>
    entries?.get(key)
  );
  const name = nameEntry && reader.parsed(nameEntry.value, `"name"`, parseDeviceName);
  const agent = agentEntry && reader.parsed(agentEntry.value, `"agent"`, parseAgent);
  if (agentEntry !== undefined) bag.note(agentEntry.value.span, "agent");
  const ports = nodesEntry && readPorts(reader, nodesEntry.value, nodes);
  const inline = optionsEntry === undefined ? {} : readOptions(reader, optionsEntry.value, bag);
  const fromFile = fileEntry === undefined
    ? {}
    : readOptionsFile(reader, fileEntry, context, bag, areFilesOptional);
  for (const option of Object.keys(fromFile).filter((option) => Object.hasOwn(inline, option))) {
    const message = `the option "${option}" stands here and in the file`;
    reader.findings.error(optionsEntry!.key.span, "double-option", message, "keep one");
  }
  const limitMs = limitEntry && reader.duration(limitEntry.value, `"limit"`, defaults.fenceLimitMsMin);
  if (limitEntry !== undefined && (limitMs ?? 0) > defaults.fenceLimitMsMax) {
    const message = `"limit" is so long that nobody would ever hear of a dead device`;
    reader.findings.error(limitEntry.value.span, "bad-value", message, "the most is 10m, 60s is usual");
  }
  if (!name || !agent || !ports) return null;
  return {
    name,
    agent,
    ports,
    options: { ...fromFile, ...inline },
    limitMs: limitMs ?? defaults.fenceLimitMs,
  };
}

function parseDeviceName(text: string): Parsed<string> {
  if (/^[^\s,\p{Cc}]{1,64}$/u.test(text)) return { ok: true, value: text };
  return {
    ok: false,
    message: `"${text}" cannot name a device`,
    hint: "use at most 64 characters without blanks and commas",
  };
}

/** Programs that succeed, or can only be told to, whatever became of the node. */
const shams = /^(true|false|yes|echo|cat|test|sleep|env|sudo|:|exit|printf|\[)$/;
const shells = /^(sh|bash|dash|zsh|ksh|busybox|python3?|perl|ssh)$/;

/** Name or absolute path of an agent that may be able to switch a node off. */
export function parseAgent(text: string): Parsed<string> {
  const base = text.split("/").at(-1) ?? "";
  const refuse = (message: string, hint: string) => ({ ok: false, message, hint } as const);
  if (shams.test(base)) {
    const hint = "name a real one, such as fence_ipmilan, or remove the device: it would only be believed in";
    return refuse(`"${text}" switches nothing off`, hint);
  }
  if (shells.test(base)) {
    const hint =
      "name a program of the fence-agents' interface: options on its standard input, status exits 2";
    return refuse(`"${text}" is a general program, not an agent`, hint);
  }
  if (base === "fence_ack_manual" || base === "meatware") {
    return refuse(`"${text}" only asks a person`, "that is what heartline confirm is for: remove the device");
  }
  if (/^fence_(watchdog|kdump)$/.test(base)) {
    return refuse(`"${text}" cannot switch another node off`, "name one that can, such as fence_ipmilan");
  }
  if (/[\s\p{Cc}]/u.test(text) || base === "") {
    return refuse(
      `"${text}" is no program`,
      'write its name or path alone, and what it needs into "options"',
    );
  }
  if (text.includes("/") ? !text.startsWith("/") : !text.startsWith("fence_")) {
    return refuse(`"${text}" is not an agent`, "write the name of one, fence_…, or an absolute path");
  }
  return { ok: true, value: text };
}

/** `[node1]`, or `{node1: 3}` for a device that has ports. */
function readPorts(
  reader: YamlReader,
  value: Value,
  nodes: readonly string[],
): Record<string, string | null> {
  const ports: Record<string, string | null> = {};
  const add = (written: string, span: Span, port: string | null) => {
    const node = written.toLowerCase();
    if (!nodes.includes(node)) {
      const message = `"${written}" is not one of the nodes`;
      reader.findings.error(span, "unknown-node", message, suggestion(node, nodes));
    } else if (Object.hasOwn(ports, node)) {
      reader.findings.error(span, "duplicate-node", `"${written}" stands twice`, "keep one");
    } else if (port !== null && Object.values(ports).includes(port)) {
      const hint = "one of the two would switch the other one off: look at the device";
      reader.findings.error(span, "duplicate-port", `two nodes are on port "${port}"`, hint);
    } else Object.defineProperty(ports, node, { value: port, enumerable: true });
  };
  const before = reader.findings.problems.length;
  if (reader.isMapping(value)) {
    for (const { key, value: entry } of reader.openMapping(value, `"nodes"`)?.values() ?? []) {
      const port = reader.parsed(entry, `the port of "${key.value}"`, parsePort);
      if (port !== null) add(key.value, key.span, port);
    }
  } else {
    for (const item of reader.list(value, `"nodes" of a device`)) {
      const node = reader.text(item, "a node");
      if (node !== null) add(node, item.span, null);
    }
  }
  if (Object.keys(ports).length === 0 && reader.findings.problems.length === before) {
    reader.findings.error(
      value.span,
      "no-nodes",
      "the device has no node",
      "name the nodes it can switch off",
    );
  }
  return ports;
}

function parsePort(text: string): Parsed<string> {
  if (!/[\p{Cc}]/u.test(text) && text.length <= 255) return { ok: true, value: text };
  return { ok: false, message: "it has more than one line", hint: "write the name or number of the port" };
}

function readOptions(reader: YamlReader, value: Value, bag: Bag): FenceOptions {
  const options: Record<string, string> = {};
  for (const { key, value: entry } of reader.openMapping(value, `"options"`)?.values() ?? []) {
    bag.secrets.push(entry.span);
    bag.note(key.span, "options", key.value);
    if (isPassword(key.value)) bag.passwords.push(key.value);
    const refusal = refusedOption(key.value);
    if (refusal !== null) reader.findings.error(key.span, "bad-option", refusal.message, refusal.hint);
    const text = reader.text(entry, `the option "${key.value}"`);
    if (text === null || refusal !== null) continue;
    if (/[\r\n\0]/.test(text)) {
      const message = `the option "${key.value}" has more than one line`;
      reader.findings.error(entry.span, "bad-value", message, "agents take one line for each");
    } else Object.defineProperty(options, key.value, { value: text, enumerable: true });
  }
  return options;
}

/** Whether the value of an option is one that nobody else may read, by its name. */
export function isPassword(name: string): boolean {
  return /pass(w|$)|secret|token|community/i.test(name) && !/script|file/i.test(name);
}

function readOptionsFile(
  reader: YamlReader,
  entry: Entry,
  context: LoadContext,
  bag: Bag,
  isOptional: boolean,
): FenceOptions {
  const path = reader.text(entry.value, `"options-file"`);
  if (path === null) return {};
  const file = context.optionFiles.get(path);
  if (file === undefined) {
    if (isOptional) return {};
    const message = `the file of options "${path}" was not read`;
    reader.findings.error(entry.value.span, "unreadable", message, "see above, or create it");
    return {};
  }
  const { options, findings } = parseFenceOptions(file.text, file.path);
  bag.problems.push(...findings.problems);
  return options;
}

function readDelays(reader: YamlReader, value: Value, nodes: readonly string[]): Record<string, number> {
  const delays: Record<string, number> = {};
  if (!reader.isMapping(value)) {
    const hint = "write {NODE: TIME}: the node that should survive gets the time for which others wait";
    reader.findings.error(value.span, "bad-value", `"delay" is not told for a node`, hint);
    return delays;
  }
  for (const { key, value: entry } of reader.openMapping(value, `"delay"`)?.values() ?? []) {
    const node = key.value.toLowerCase();
    if (!nodes.includes(node)) {
      const message = `"${key.value}" is not one of the nodes`;
      reader.findings.error(key.span, "unknown-node", message, suggestion(node, nodes));
      continue;
    }
    const ms = reader.duration(entry, `"delay" of "${key.value}"`, 0);
    if (ms !== null) Object.defineProperty(delays, node, { value: ms, enumerable: true });
  }
  return delays;
}

/** `[[strip-a, strip-b]]`: only all of them switch a node off. */
function readTogether(reader: YamlReader, value: Value, devices: readonly FenceDeviceSettings[]): string[][] {
  const sets: string[][] = [];
  const known = devices.map(({ name }) => name);
  const wrong = (span: Span, message: string, hint: string) =>
    reader.findings.error(span, "bad-together", message, hint);
  for (const item of reader.list(value, `"together"`)) {
    const names: string[] = [];
    const words = reader.list(item, "devices that belong together");
    for (const each of words) {
      const name = reader.text(each, "a device");
      if (name === null) continue;
      if (!known.includes(name)) wrong(each.span, `there is no device "${name}"`, suggestion(name, known));
      else if (names.includes(name) || sets.some((set) => set.includes(name))) {
        wrong(each.span, `the device "${name}" stands twice`, "keep one");
      } else names.push(name);
    }
    const members = devices.filter(({ name }) => names.includes(name));
    const nodes = new Set(members.flatMap(({ ports }) => Object.keys(ports)));
    const lacking = members.find(({ ports }) => [...nodes].some((node) => !Object.hasOwn(ports, node)));
    if (lacking !== undefined) {
      const hint = "give all of them the same nodes: a node that one of them leaves on runs on";
      wrong(item.span, `"${lacking.name}" does not switch all nodes of the others`, hint);
    }
    if (reader.isList(item) && words.length < 2) {
      wrong(item.span, "one device alone needs no other", "name at least two, or remove it");
    }
    if (names.length > 1) sets.push(names);
  }
  return sets;
}
