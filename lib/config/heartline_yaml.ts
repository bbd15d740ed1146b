/**
 * heartline.yaml: text to settings, with every problem at the node that causes it. Whether the values fit together is
 * decided in checks.ts; nothing is read from disk here.
 */

import { isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import type { Document, Node } from "yaml";
import { isGuarded } from "../core/arbitration.ts";
import { autoLeaseSeconds } from "../core/limits.ts";
import type { Settings } from "../core/settings.ts";
import type { LoadContext } from "./context.ts";
import * as defaults from "./defaults.ts";
import { parseNodeName } from "./text/names.ts";
import { parseAlarmRepeat, parseMaxRexmitDelay } from "./text/pauses.ts";
import { Findings, Places, type Problem, type Span } from "./problem.ts";
import { readFencing } from "./yaml/fencing.ts";
import { readGroups } from "./yaml/groups.ts";
import { readKeys } from "./yaml/keys.ts";
import { readLinks } from "./yaml/links.ts";
import { readDeadPing, readPingMembers } from "./yaml/pings.ts";
import { type Entry, type Value, YamlReader } from "./yaml/reader.ts";
import { readArbiters, readProcess, readTakeover, readVipDefaults } from "./yaml/sections.ts";

export interface HeartlineYaml {
  /** Complete wherever possible, also beside errors, so that relations can still be checked; `null`: hopeless. */
  readonly settings: Settings | null;
  readonly problems: readonly Problem[];
  readonly places: Places;
  /** Where the text holds what must not be shown. */
  readonly secrets: readonly Span[];
  /** The file must be private. */
  readonly isSecret: boolean;
}

const keys = [
  "cluster",
  "nodes",
  "keepalive",
  "deadtime",
  "warntime",
  "initdead",
  "port",
  "max-rexmit-delay",
  "alarm-repeat",
  "message-format",
  "links",
  "keys",
  "vip",
  "groups",
  "arbiters",
  "ping-members",
  "deadping",
  "takeover",
  "fencing",
  "process",
] as const;

const refused = {
  fence: `the section is called "fencing"`,
  stonith: `the section is called "fencing"`,
  watchdog: "remove it: this version feeds no watchdog",
  arbiter: `the list is called "arbiters"`,
  quorum: `this version has no quorum: see "arbiters"`,
  notify: "remove it: reports go to standard error and to process.log-file",
  metrics: "remove it: see heartline status --json",
};

const nodeEchoes: ReadonlySet<string> = new Set(["unknown-node", "missing-peer", "no-nodes"]);

export function parseHeartlineYaml(text: string, file: string, context: LoadContext): HeartlineYaml {
  const findings = new Findings(file, text);
  const document = parseYaml(text, findings);
  if (document === null) return hopeless(findings, secretLines(text));
  const root: Value = { node: document.contents as Node | null, span: { offset: 0, length: 1 } };
  return readHeartline(new YamlReader(findings, document), root, context);
}

/**
 * The mapping of a heartline.yaml, which may be a part of another document.
 *
 * `areKeysOptional`: where nothing is signed, as in a simulation.
 */
export function readHeartline(
  reader: YamlReader,
  root: Value,
  context: LoadContext,
  areKeysOptional = false,
): HeartlineYaml {
  const { findings } = reader;
  const places = new Places(findings.file);
  const required = ["nodes", "links", "keys", "groups"].filter((key) => key !== "keys" || !areKeysOptional);
  if (root.node === null) {
    const needed = required.map((key) => `"${key}"`);
    const hint = `it needs at least ${needed.slice(0, -1).join(", ")} and ${needed.at(-1)}`;
    findings.error(null, "empty", "the file is empty", hint);
    return hopeless(findings, []);
  }
  const entries = reader.mapping(root, { what: "the file", keys, required, refused });
  if (entries === null) return hopeless(findings, secretLines(findings.text));
  const at = (key: typeof keys[number]) => entries.get(key);

  const before = findings.problems.length;
  const nodes = readNodes(reader, at("nodes"), places);
  const nodesEnd = findings.problems.length;
  const areNodesSound = nodes.length > 0 && nodesEnd === before;
  const duration = (key: "keepalive" | "deadtime" | "warntime" | "initdead") => {
    const entry = at(key);
    if (entry === undefined) return null;
    places.set(["timing", key], findings.place(entry.value.span));
    return reader.duration(entry.value, `"${key}"`, 1);
  };
  const timing = defaults.completeTiming({
    keepaliveMs: duration("keepalive"),
    deadTimeMs: duration("deadtime") ?? defaults.deadTimeMs,
    warnTimeMs: duration("warntime"),
    initDeadMs: duration("initdead"),
  });
  const port = at("port");
  const udpPort = (port && reader.integer(port.value, `"port"`, 1, 65_535)) ?? context.servicesPort ??
    defaults.udpPort;
  const links = at("links");
  const keysEntry = at("keys");
  const groups = at("groups");
  const cluster = at("cluster");
  const format = at("message-format");
  const rexmit = at("max-rexmit-delay");
  const repeat = at("alarm-repeat");
  if (keysEntry !== undefined) places.set(["keys"], findings.place(keysEntry.key.span));
  if (links !== undefined) places.set(["media"], findings.place(links.key.span));
  const fence = at("fencing");
  if (fence !== undefined) places.set(["fencing"], findings.place(fence.key.span));
  if (groups !== undefined) places.set(["groups"], findings.place(groups.key.span));
  const keyed = keysEntry && readKeys(reader, keysEntry.value, context, places);
  const fenced = fence && readFencing(reader, fence.value, nodes, context, places, areKeysOptional);
  const arbitersEntry = at("arbiters");
  const arbiters = arbitersEntry === undefined ? [] : readArbiters(reader, arbitersEntry.value, places);
  const autoSeconds = autoLeaseSeconds(timing, isGuarded(arbiters));
  const vip = readVipDefaults(reader, at("vip")?.value, autoSeconds);
  const settings: Settings = {
    cluster: (cluster && reader.text(cluster.value, `"cluster"`)) ?? "heartline",
    nodes,
    timing,
    udpPort,
    media: links === undefined ? [] : readLinks(reader, links.value, nodes, udpPort, context, places),
    maxRexmitDelayMs: (rexmit && reader.parsed(rexmit.value, `"max-rexmit-delay"`, parseMaxRexmitDelay)) ??
      defaults.maxRexmitDelayMs,
    alarmRepeatMs: (repeat && reader.parsed(repeat.value, `"alarm-repeat"`, parseAlarmRepeat)) ??
      defaults.alarmRepeatMs,
    messageFormat: (format && reader.choice(format.value, `"message-format"`, ["netstring", "text"])) ??
      "netstring",
    authentication: keyed?.authentication ?? { signWith: 0, keys: [], allowCrc: false },
    groups: groups === undefined ? [] : readGroups(reader, groups.value, nodes, {
      ...vip,
      scripts: context.scripts,
      // A node that is fenced has no lease any more.
      waitForLease: isGuarded(arbiters) && (fenced ?? null) === null,
    }, places),
    arbiters,
    pingMembers: readPingMembers(reader, at("ping-members")?.value),
    deadPingMs: readDeadPing(reader, at("deadping")?.value, timing),
    ...readTakeover(reader, at("takeover")?.value),
    fencing: fenced?.fencing ?? null,
    process: readProcess(reader, at("process")?.value),
  };
  // A node that could not be read in the list is not unknown wherever else it stands.
  const told = findings.problems.filter((found, index) =>
    areNodesSound || index < nodesEnd || !nodeEchoes.has(found.code)
  );
  const problems = [...told, ...keyed?.file?.findings.problems ?? [], ...fenced?.problems ?? []];
  const secrets = [...keyed?.secrets ?? [], ...fenced?.secrets ?? []];
  const isSecret = (keyed?.secrets.length ?? 0) > 0 || fenced?.hasPassword === true;
  return { settings, problems, places, secrets, isSecret };
}

function hopeless(findings: Findings, secrets: readonly Span[]): HeartlineYaml {
  const { problems, file } = findings;
  return { settings: null, problems, places: new Places(file), secrets, isSecret: secrets.length > 0 };
}

export interface NamedFiles {
  readonly keysFile: string | null;
  readonly optionFiles: readonly string[];
  /** Names or paths of fence agents. */
  readonly agents: readonly string[];
  readonly scriptDirectories: readonly string[];
}

/** What the loader must read before the settings can be: names of files and directories, as far as they are sane. */
export function filesNamed(
  text: string,
): NamedFiles {
  const standard = defaults.processSettings.scriptDirectories;
  const root = parseYaml(text, new Findings("", text))?.contents;
  if (!isMap(root)) return { keysFile: null, optionFiles: [], agents: [], scriptDirectories: standard };
  const keysNode = root.get("keys");
  const file = isMap(keysNode) ? keysNode.get("file") : undefined;
  const processNode = root.get("process");
  const directories = isMap(processNode) ? processNode.get("script-directories") : undefined;
  const named = isSeq(directories)
    ? directories.items.map((item) => isScalar(item) ? item.value : null).filter((item) =>
      typeof item === "string"
    )
    : standard;
  const fencing = root.get("fencing");
  const devices = isMap(fencing) ? fencing.get("devices") : undefined;
  const ofDevices = (key: string) =>
    (isSeq(devices) ? devices.items : [])
      .map((device) => isMap(device) ? device.get(key) : null)
      .filter((name) => typeof name === "string" && name !== "") as string[];
  return {
    keysFile: typeof file === "string" && file !== "" ? file : null,
    optionFiles: ofDevices("options-file"),
    agents: ofDevices("agent"),
    scriptDirectories: named,
  };
}

/** `null`: it is no YAML; the findings say why. */
export function parseYaml(text: string, findings: Findings): Document | null {
  const lineCounter = new LineCounter();
  try {
    const document = parseDocument(text, { lineCounter, prettyErrors: false, version: "1.2" });
    for (const { pos, code, message } of document.errors) {
      const span = { offset: pos[0], length: pos[1] - pos[0] };
      findings.error(span, code.toLowerCase().replaceAll("_", "-"), plainMessage(message));
    }
    for (const { pos, message } of document.warnings) {
      findings.warning({ offset: pos[0], length: pos[1] - pos[0] }, "yaml", plainMessage(message));
    }
    return document.errors.length > 0 ? null : document;
  } catch (error) {
    findings.error(null, "yaml", `the file is not YAML: ${plainMessage(String(error))}`);
    return null;
  }
}

/** One line, without the text of the file: it may hold a secret. */
function plainMessage(message: string): string {
  return (message.split("\n")[0] ?? message).trim();
}

/** Where a text that is no good YAML may hold secrets. */
function secretLines(text: string): Span[] {
  return [...text.matchAll(/(?<=\b(?:sec|pass)\w*["']?[ \t]*:[ \t]*)\S.*/gi)].map((match) => ({
    offset: match.index,
    length: match[0].length,
  }));
}

function readNodes(reader: YamlReader, entry: Entry | undefined, places: Places): string[] {
  const nodes: string[] = [];
  if (entry === undefined) return nodes;
  const items = reader.list(entry.value, `"nodes"`);
  places.set(["nodes"], reader.findings.place(entry.value.span));
  for (const item of items) {
    const node = reader.parsed(item, "a node", parseNodeName);
    if (node === null) continue;
    if (nodes.includes(node)) {
      reader.findings.error(item.span, "duplicate-node", `the node "${node}" stands twice`, "keep one");
    } else nodes.push(node);
  }
  if (reader.isList(entry.value) && items.length === 0) {
    reader.findings.error(entry.value.span, "no-nodes", "there is no node", "name all nodes of the cluster");
  }
  return nodes;
}
