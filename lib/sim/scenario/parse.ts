/**
 * A scenario file: text to a typed scenario, with every problem at its place. The configurations that it names by path
 * are read before by the caller; one that is written into it is read like any heartline.yaml.
 */

import { isMap, isScalar, type Node, Pair, Scalar, YAMLMap } from "yaml";
import { parseYaml } from "../../config/heartline_yaml.ts";
import { type LoadResult, plainContext, settingsFromMapping, type Source } from "../../config/load.ts";
import { Findings, isError, type Problem } from "../../config/problem.ts";
import { type Entry, type Value, YamlReader } from "../../config/yaml/reader.ts";
import type { Settings } from "../../core/settings.ts";
import { Cast } from "./cast.ts";
import { readEvents } from "./events.ts";
import { readExpectations } from "./expectations.ts";
import type { Scenario } from "./scenario.ts";
import { plainWorld, readWorld, worldKeys } from "./world.ts";

export interface ScenarioParse {
  /** `null` exactly when a problem is an error. */
  readonly scenario: Scenario | null;
  readonly problems: readonly Problem[];
  readonly sources: readonly Source[];
}

/**
 * What was read at a path, as one node reads it (`null`: as no node in particular). `null`: nothing was, since
 * `configsNamed` does not know the path.
 */
export type ConfigAt = (path: string, node: string | null) => LoadResult | null;

const keys = ["about", "seed", "duration", "config", "differs", ...worldKeys, "events", "expect"];

/** Longer runs are for sweeps, which keep no trace. */
const durationMsMax = 48 * 3_600_000;

const seedMax = 999_999_999;

/** The prose of a scenario on one line; empty: there is none. */
export function aboutOf(text: string): string {
  const root = parseYaml(text, new Findings("", text))?.contents;
  const about = isMap(root) ? root.get("about") : undefined;
  return typeof about === "string" ? about.trim().replaceAll(/\s+/g, " ") : "";
}

/** Paths of the configurations that a scenario names, as they are written. */
export function configsNamed(text: string): string[] {
  const root = parseYaml(text, new Findings("", text))?.contents;
  if (!isMap(root)) return [];
  const paths = [root.get("config", true)];
  const differs = root.get("differs", true);
  if (isMap(differs)) { for (const { value } of differs.items) paths.push(value as Scalar); }
  return paths.flatMap((node) => isScalar(node) && typeof node.value === "string" ? [node.value] : []);
}

export function parseScenario(text: string, file: string, name: string, configAt: ConfigAt): ScenarioParse {
  const findings = new Findings(file, text);
  const sources: Source[] = [{ file, text }];
  const document = parseYaml(text, findings);
  const failed = (problems: readonly Problem[]) => ({ scenario: null, problems, sources });
  if (document === null) return failed(findings.problems);
  const reader = new YamlReader(findings, document);
  const root: Value = { node: document.contents as Node | null, span: { offset: 0, length: 1 } };
  if (isMap(root.node) && root.node.has("groups") && !root.node.has("config")) {
    const hint =
      `write "config: ${file}" and "duration: 60s" into a file of its own, with events and expectations`;
    findings.error(root.span, "no-scenario", "this is a configuration, not a scenario", hint);
    return failed(findings.problems);
  }
  const entries = reader.mapping(root, {
    what: "the scenario",
    keys,
    required: ["config", "duration"],
    refused: { nodes: `the nodes stand in "config"`, links: `the links stand in "config"` },
  });
  const config = entries?.get("config");
  if (entries === null || config === undefined) return failed(findings.problems);

  const configs = new Configs(reader, { file, text }, configAt, config, entries.get("differs"));
  const settings = configs.settings();
  const found = () => [...findings.problems, ...configs.problems];
  sources.push(...configs.sources);
  const about = entries.get("about");
  const seed = entries.get("seed");
  const duration = entries.get("duration");
  const durationMs = (duration && reader.duration(duration.value, `"duration"`, 1)) ?? 0;
  if (durationMs > durationMsMax) {
    findings.error(duration!.value.span, "too-long", "the scenario is longer than 48 hours", "shorten it");
  }
  if (settings.size === 0) return failed(found());
  const cast = new Cast(reader, settings);
  const scenario: Scenario = {
    name,
    about: (about && reader.text(about.value, `"about"`))?.trim() ?? "",
    seed: (seed && reader.integer(seed.value, `"seed"`, 0, seedMax)) ?? 1,
    durationMs,
    settings,
    world: worldKeys.some((key) => entries.has(key)) ? readWorld(cast, entries) : plainWorld,
    events: durationMs === 0 ? [] : readEvents(cast, entries.get("events")?.value, durationMs),
    expectations: readExpectations(cast, entries.get("expect")?.value, durationMs),
  };
  const problems = found();
  return { scenario: problems.some(isError) ? null : scenario, problems, sources };
}

/** What every node reads: the same text, or one of its own. */
class Configs {
  readonly problems: Problem[] = [];
  readonly sources: Source[] = [];

  constructor(
    readonly reader: YamlReader,
    readonly whole: Source,
    readonly configAt: ConfigAt,
    readonly base: Entry,
    readonly differs: Entry | undefined,
  ) {}

  /** By node; empty where those of any cannot be read. */
  settings(): Map<string, Settings> {
    const found = new Map<string, Settings>();
    const common = this.#read(this.base.value, null);
    if (common === null) return found;
    const own = new Map<string, Value>();
    const differs = this.differs && this.reader.openMapping(this.differs.value, `"differs"`);
    for (const { key, value } of differs?.values() ?? []) {
      const node = key.value.toLowerCase();
      if (common.nodes.includes(node)) own.set(node, this.#merged(value));
      else {
        const hint = `the nodes are ${common.nodes.join(", ")}`;
        this.reader.findings.error(key.span, "unknown-name", `there is no node "${key.value}"`, hint);
      }
    }
    for (const node of common.nodes) {
      const settings = this.#read(own.get(node) ?? this.base.value, node);
      if (settings !== null) found.set(node, settings);
    }
    return found.size === common.nodes.length ? found : new Map();
  }

  #read(value: Value, node: string | null): Settings | null {
    const { settings, problems, sources } = this.#load(value, node);
    // The same words of the same place are said once, whoever reads them.
    for (const problem of problems) {
      if (problem.severity !== "error" && !isWorthSaying(problem)) continue;
      const isKnown = this.problems.some((other) =>
        other.line === problem.line && other.message === problem.message && other.file === problem.file
      );
      if (!isKnown) this.problems.push(problem);
    }
    for (const source of sources) {
      if (!this.sources.some(({ file }) => file === source.file)) this.sources.push(source);
    }
    return settings;
  }

  #load(value: Value, node: string | null): Pick<LoadResult, "settings" | "problems" | "sources"> {
    if (this.reader.isMapping(value)) {
      const { document } = this.reader;
      const context = plainContext(node);
      return { ...settingsFromMapping(document, value, this.whole, context), sources: [] };
    }
    const path = this.reader.text(value, `"config"`);
    const loaded = path === null ? null : this.configAt(path, node);
    if (path !== null && loaded === null) {
      const message = `"${path}" is not taken for the path of a configuration`;
      this.reader.findings.error(value.span, "bad-value", message, "write it in quotes");
    }
    return loaded ?? { settings: null, problems: [], sources: [] };
  }

  /** A mapping under `differs` replaces keys of the common one; a path stands for itself. */
  #merged(own: Value): Value {
    const base = this.base.value;
    if (!isMap(own.node) || !isMap(base.node)) return own;
    const merged = new YAMLMap();
    const isReplaced = (name: unknown) => (own.node as YAMLMap).has(name);
    for (const pair of base.node.items as Pair<Scalar>[]) {
      if (!isReplaced(pair.key.value)) merged.items.push(pair);
    }
    merged.items.push(...own.node.items);
    merged.range = own.node.range ?? null;
    return { node: merged, span: own.span };
  }
}

/** What a simulation shows by itself need not be said of its configuration before. */
function isWorthSaying({ severity, code }: Problem): boolean {
  return severity === "warning" && code !== "single-link" && code !== "partial-link";
}
