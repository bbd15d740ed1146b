/** One entry of a group's `resources`: a text as on the command line, or a mapping with options. */

import type { ResourceSettings, ResourceSpec, VipSpec } from "../../core/settings.ts";
import type { Findings, Span } from "../problem.ts";
import { parseResourceSpec, type SpecOptions, type SpecProblem } from "../resource_spec.ts";
import { nearest, suggestion } from "../spelling.ts";
import { parseVip, type VipOptionName, vipOptionNames, withVipOption } from "../vip_spec.ts";
import type { Entry, Value, YamlReader } from "./reader.ts";

export interface Limits {
  readonly startLimitMs: number;
  readonly stopLimitMs: number;
  readonly monitorLimitMs: number;
}

const kinds = ["vip", "ocf", "lsb", "systemd", "exec", "script"] as const;
type Kind = typeof kinds[number];

export const limitKeys = ["start-limit", "stop-limit", "monitor-limit"] as const;

const optionsOf: Readonly<Record<Kind, readonly string[]>> = {
  vip: vipOptionNames,
  ocf: ["parameters"],
  lsb: [],
  systemd: [],
  exec: ["args"],
  script: ["args"],
};

export function readResource(
  reader: YamlReader,
  value: Value,
  limits: Limits,
  options: SpecOptions,
): ResourceSettings | null {
  if (!reader.isMapping(value)) {
    const text = reader.text(value, "a resource");
    if (text === null) return null;
    const spec = fromText(reader.findings, text, value.span, options);
    return spec === null ? null : { id: text.trim(), spec, ...limits };
  }
  const kind = kindOf(reader, value);
  if (kind === null) return null;
  const entries = reader.mapping(value, {
    what: `a resource of kind "${kind}"`,
    keys: [kind, ...optionsOf[kind], ...limitKeys],
  });
  const main = entries?.get(kind);
  if (entries === null || main === undefined) return null;
  const text = reader.text(main.value, `"${kind}"`);
  const ownLimits = readLimits(reader, entries, limits);
  if (text === null) return null;
  const made = kind === "vip"
    ? fromVip(reader, main, text, entries, options)
    : fromOther(reader, kind, main, text, entries, options);
  return made === null ? null : { ...made, ...ownLimits };
}

/** The three time limits, from whichever mapping holds them. */
export function readLimits(
  reader: YamlReader,
  entries: ReadonlyMap<string, Entry>,
  defaults: Limits,
): Limits {
  const [start, stop, monitor] = limitKeys.map((key) => {
    const entry = entries.get(key);
    return entry && reader.duration(entry.value, `"${key}"`, 100);
  });
  return {
    startLimitMs: start ?? defaults.startLimitMs,
    stopLimitMs: stop ?? defaults.stopLimitMs,
    monitorLimitMs: monitor ?? defaults.monitorLimitMs,
  };
}

function kindOf(reader: YamlReader, value: Value): Kind | null {
  const keys = [...reader.openMapping(value, "a resource")?.values() ?? []];
  const named = keys.filter((entry) => (kinds as readonly string[]).includes(entry.key.value));
  const [first, second] = named;
  if (second !== undefined) {
    const hint = "give each resource its own entry of the list";
    reader.findings.error(
      second.key.span,
      "double-kind",
      `a resource is both "${first?.key.value}" and "${second.key.value}"`,
      hint,
    );
    return null;
  }
  if (first === undefined) {
    const meant = keys.find((entry) => nearest(entry.key.value, kinds) !== null) ?? keys[0];
    const hint = suggestion(meant?.key.value ?? "", kinds);
    reader.findings.error(
      meant?.key.span ?? value.span,
      "missing-kind",
      "the resource does not say what it is",
      hint,
    );
    return null;
  }
  return first.key.value as Kind;
}

function fromText(findings: Findings, text: string, span: Span, options: SpecOptions): ResourceSpec | null {
  const { spec, problems } = parseResourceSpec(text, options);
  // Offsets inside a plain scalar are those of the file; inside quotes they begin one later.
  const start = findings.text.startsWith(text, span.offset) ? span.offset : span.offset + 1;
  const isVerbatim = findings.text.startsWith(text, start);
  for (const found of problems) {
    const at = isVerbatim ? { offset: start + found.span.offset, length: found.span.length } : span;
    findings.error(at, found.code, found.message, found.hint);
  }
  return spec;
}

function fromVip(
  reader: YamlReader,
  main: Entry,
  text: string,
  entries: ReadonlyMap<string, Entry>,
  options: SpecOptions,
): { id: string; spec: VipSpec } | null {
  const parsed = parseVip({ value: text, span: main.value.span }, options.vip);
  let spec = parsed.spec;
  let isGood = parsed.problems.length === 0;
  report(reader.findings, parsed.problems);
  for (const name of vipOptionNames) {
    const entry = entries.get(name);
    const written = entry && reader.text(entry.value, `"${name}"`);
    if (entry === undefined || spec === null) continue;
    if (written === null || written === undefined) {
      isGood = false;
      continue;
    }
    const rival = rivalOf(name, spec);
    if (rival !== null && rival !== written) {
      const hint = "say it once";
      reader.findings.error(
        entry.value.span,
        "contradiction",
        `"${name}" is "${written}" here and "${rival}" in the address`,
        hint,
      );
      isGood = false;
      continue;
    }
    const next = withVipOption(spec, name, written, options.vip.autoLeaseSeconds);
    if (next.ok) spec = next.value;
    else {
      reader.findings.error(entry.value.span, "bad-value", `"${name}": ${next.message}`, next.hint);
      isGood = false;
    }
  }
  return spec === null || !isGood ? null : { id: `vip:${text}`, spec };
}

/** What the address text already said about an option. */
function rivalOf(name: VipOptionName, spec: VipSpec): string | null {
  switch (name) {
    case "dev":
      return spec.device;
    case "prefix":
      return spec.prefix === null ? null : String(spec.prefix);
    case "label":
      return spec.label;
    case "broadcast":
      return spec.broadcast;
    default:
      return null;
  }
}

function fromOther(
  reader: YamlReader,
  kind: Exclude<Kind, "vip">,
  main: Entry,
  text: string,
  entries: ReadonlyMap<string, Entry>,
  options: SpecOptions,
): { id: string; spec: ResourceSpec } | null {
  const id = kind === "script" ? text : `${kind}:${text}`;
  const { spec, problems } = parseResourceSpec(id, options);
  for (const found of problems) reader.findings.error(main.value.span, found.code, found.message, found.hint);
  if (spec === null) return null;
  const args = entries.get("args");
  const parameters = entries.get("parameters");
  if (args !== undefined && (spec.kind === "exec" || spec.kind === "ha")) {
    const list = reader.list(args.value, `"args"`).map((item) => reader.text(item, "an argument"));
    if (list.includes(null)) return null;
    const all = [...spec.args, ...list as string[]];
    const shown = spec.kind === "ha" ? [spec.script, ...all].join("::") : [id, ...list].join(" ");
    return { id: shown, spec: { ...spec, args: all } };
  }
  if (parameters !== undefined && spec.kind === "ocf") {
    const values: Record<string, string> = { ...spec.parameters };
    for (const { key, value } of reader.openMapping(parameters.value, `"parameters"`)?.values() ?? []) {
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key.value)) {
        reader.findings.error(
          key.span,
          "bad-parameter",
          `"${key.value}" is not the name of a parameter`,
          "letters, digits and _",
        );
        continue;
      }
      const written = reader.text(value, `the parameter "${key.value}"`);
      if (written !== null) Object.defineProperty(values, key.value, { value: written, enumerable: true });
    }
    const shown = [id, ...Object.entries(values).map(([name, value]) => `${name}=${value}`)].join(" ");
    return { id: shown, spec: { ...spec, parameters: values } };
  }
  return { id, spec };
}

function report(findings: Findings, problems: readonly SpecProblem[]): void {
  for (const found of problems) findings.error(found.span, found.code, found.message, found.hint);
}
