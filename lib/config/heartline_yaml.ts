/**
 * heartline.yaml: text to settings, with every problem at the node that causes it. Whether the values fit together is
 * decided in checks.ts; nothing is read from disk here.
 */

import { isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import type { Document, Node } from "yaml";
import type { Settings } from "../core/settings.ts";
import type { LoadContext } from "./context.ts";
import * as defaults from "./defaults.ts";
import { parseNodeName } from "./text/names.ts";
import { Findings, Places, type Problem, type Span } from "./problem.ts";
import { readGroups } from "./yaml/groups.ts";
import { readKeys } from "./yaml/keys.ts";
import { readLinks } from "./yaml/links.ts";
import { type Entry, type Value, YamlReader } from "./yaml/reader.ts";
import { readArbiters, readProcess, readTakeover, readVipDefaults } from "./yaml/sections.ts";

export interface HeartlineYaml {
  /** Complete wherever possible, also beside errors, so that relations can still be checked; `null`: hopeless. */
  readonly settings: Settings | null;
  readonly problems: readonly Problem[];
  readonly places: Places;
  /** Where the text holds secrets; not empty: the file must be private. */
  readonly secrets: readonly Span[];
}

const keys = [
  "cluster",
  "nodes",
  "keepalive",
  "deadtime",
  "warntime",
  "initdead",
  "port",
  "message-format",
  "links",
  "keys",
  "vip",
  "groups",
  "arbiters",
  "takeover",
  "process",
] as const;

const noFencing =
  "remove it: no fencing method exists yet, and a fence that is only believed in is worse than none";
const refused = {
  fencing: noFencing,
  stonith: noFencing,
  watchdog: "remove it: this version feeds no watchdog",
  arbiter: `the list is called "arbiters"`,
  quorum: `this version has no quorum: see "arbiters"`,
  notify: "remove it: reports go to standard error and to process.log-file",
  metrics: "remove it: see heartline status --json",
};

const nodeEchoes: ReadonlySet<string> = new Set(["unknown-node", "missing-peer", "no-nodes"]);

export function parseHeartlineYaml(text: string, file: string, context: LoadContext): HeartlineYaml {
  const findings = new Findings(file, text);
  const places = new Places(file);
  const document = parse(text, findings);
  const nothing = (secrets: readonly Span[]) => ({
    settings: null,
    problems: findings.problems,
    places,
    secrets,
  });
  if (document === null) return nothing(secretLines(text));
  const reader = new YamlReader(findings, document);
  const root: Value = { node: document.contents as Node | null, span: { offset: 0, length: 1 } };
  if (root.node === null) {
    findings.error(
      null,
      "empty",
      "the file is empty",
      `it needs at least "nodes", "links", "keys" and "groups"`,
    );
    return nothing([]);
  }
  const entries = reader.mapping(root, {
    what: "the file",
    keys,
    required: ["nodes", "links", "keys", "groups"],
    refused,
  });
  if (entries === null) return nothing(secretLines(text));
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
  const arbiters = at("arbiters");
  if (keysEntry !== undefined) places.set(["keys"], findings.place(keysEntry.key.span));
  if (links !== undefined) places.set(["media"], findings.place(links.key.span));
  if (groups !== undefined) places.set(["groups"], findings.place(groups.key.span));
  const keyed = keysEntry && readKeys(reader, keysEntry.value, context, places);
  const vip = readVipDefaults(reader, at("vip")?.value, timing.deadTimeMs);
  const settings: Settings = {
    cluster: (cluster && reader.text(cluster.value, `"cluster"`)) ?? "heartline",
    nodes,
    timing,
    udpPort,
    media: links === undefined ? [] : readLinks(reader, links.value, nodes, udpPort, context, places),
    messageFormat: (format && reader.choice(format.value, `"message-format"`, ["netstring", "text"])) ??
      "netstring",
    authentication: keyed?.authentication ?? { signWith: 0, keys: [], allowCrc: false },
    groups: groups === undefined
      ? []
      : readGroups(reader, groups.value, nodes, { ...vip, scripts: context.scripts }, places),
    arbiters: arbiters === undefined ? [] : readArbiters(reader, arbiters.value, places),
    ...readTakeover(reader, at("takeover")?.value),
    process: readProcess(reader, at("process")?.value),
  };
  // A node that could not be read in the list is not unknown wherever else it stands.
  const told = findings.problems.filter((found, index) =>
    areNodesSound || index < nodesEnd || !nodeEchoes.has(found.code)
  );
  const problems = [...told, ...keyed?.file?.findings.problems ?? []];
  return { settings, problems, places, secrets: keyed?.secrets ?? [] };
}

/** What the loader must read before the settings can be: names of files and directories, as far as they are sane. */
export function filesNamed(text: string): { keysFile: string | null; scriptDirectories: readonly string[] } {
  const standard = defaults.processSettings.scriptDirectories;
  const root = parse(text, new Findings("", text))?.contents;
  if (!isMap(root)) return { keysFile: null, scriptDirectories: standard };
  const keysNode = root.get("keys");
  const file = isMap(keysNode) ? keysNode.get("file") : undefined;
  const processNode = root.get("process");
  const directories = isMap(processNode) ? processNode.get("script-directories") : undefined;
  const named = isSeq(directories)
    ? directories.items.map((item) => isScalar(item) ? item.value : null).filter((item) =>
      typeof item === "string"
    )
    : standard;
  return { keysFile: typeof file === "string" && file !== "" ? file : null, scriptDirectories: named };
}

function parse(text: string, findings: Findings): Document | null {
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
  return [...text.matchAll(/(?<=\bsec\w*["']?[ \t]*:[ \t]*)\S.*/gi)].map((match) => ({
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
