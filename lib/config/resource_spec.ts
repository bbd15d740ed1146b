/**
 * What one resource is, from the text an operator writes: haresources words (`apache::/etc/x.conf`, `IPaddr2::…`, a
 * bare address) and our own forms `vip:`, `ocf:`, `lsb:`, `systemd:`, `exec:`. Says nothing about whether the resource
 * exists on this machine, except where the caller knows which scripts there are.
 */

import type { ResourceSpec } from "../core/settings.ts";
import { parseAddress } from "./text/addresses.ts";
import type { Placed, Span } from "./problem.ts";
import { suggestion } from "./spelling.ts";
import {
  parseVip,
  type SpecProblem,
  type VipDefaults,
  vipDefaults,
  vipOptionNames,
  withVipOption,
} from "./vip_spec.ts";
import type { VipOptionName } from "./vip_spec.ts";
import { quotedWords } from "./text/words.ts";

export type { SpecProblem } from "./vip_spec.ts";

export interface SpecOptions {
  readonly vip: VipDefaults;
  /** `IPaddr`, `IPaddr2`, `IPv6addr` and bare addresses are our own `vip`, even where such a script exists. */
  readonly nativeVip: boolean;
  /** Names of the haresources scripts of this machine; `null`: not known. */
  readonly scripts: ReadonlySet<string> | null;
}

export const specOptions: SpecOptions = { vip: vipDefaults, nativeVip: true, scripts: null };

export interface SpecResult {
  /** `null` exactly when there is an error among the problems. */
  readonly spec: ResourceSpec | null;
  readonly problems: readonly SpecProblem[];
}

const prefixes = ["vip", "ocf", "lsb", "systemd", "exec"] as const;
const addressScripts: ReadonlySet<string> = new Set(["IPaddr", "IPaddr2", "IPv6addr"]);
const forms =
  "write SCRIPT::ARG, an IP address, vip:IP/PREFIX, ocf:PROVIDER:TYPE, lsb:NAME, systemd:UNIT or exec:/PATH";

export function parseResourceSpec(text: string, options: Partial<SpecOptions> = {}): SpecResult {
  const settings = { ...specOptions, ...options };
  const [first, ...rest] = quotedWords(text);
  if (first === undefined) {
    return failed({ offset: 0, length: text.length }, "empty-resource", "no resource is named", forms);
  }

  const kind = /^([a-z0-9]+):(?!:)/.exec(first.value)?.[1];
  if (kind !== undefined && !looksLikeAddress(first.value)) {
    const at = kind.length + 1;
    const body = { value: first.value.slice(at), span: shifted(first.span, at) };
    switch (kind) {
      case "vip":
        return vip(body, rest, settings);
      case "ocf":
        return ocf(body, rest);
      case "exec":
        return exec(body, rest);
      case "lsb":
        return alone(rest) ?? named(body, "script", (script) => ({ kind: "lsb", script }));
      case "systemd":
        return alone(rest) ?? named(body, "unit", (unit) => ({
          kind: "systemd",
          unit: /\.(service|socket|target|mount|timer|path|slice|scope|swap|automount)$/.test(unit)
            ? unit
            : `${unit}.service`,
        }));
      default:
        return failed(
          { offset: first.span.offset, length: kind.length },
          "unknown-kind",
          `"${kind}:" is no kind of resource`,
          suggestion(kind, prefixes),
        );
    }
  }
  if (looksLikeAddress(first.value)) {
    if (isScriptWanted("IPaddr", settings)) return script("IPaddr", [first.value], rest);
    return vip(first, rest, settings);
  }
  const [name = "", ...args] = first.value.split("::");
  if (!/^[A-Za-z0-9_.+@-]+$/.test(name) || name.startsWith(".")) {
    return failed(first.span, "bad-resource", `"${first.value}" is not a resource`, forms);
  }
  if (addressScripts.has(name) && !isScriptWanted(name, settings)) {
    // "::" also stands in IPv6 addresses.
    const argument = first.value.slice(name.length + 2);
    if (args.length !== 1 && !looksLikeAddress(argument)) {
      return failed(first.span, "bad-vip", `${name} takes one argument`, `write ${name}::10.0.0.9/24/eth0`);
    }
    return vip({ value: argument, span: shifted(first.span, name.length + 2) }, rest, settings);
  }
  return script(name, args, rest);
}

/** A script is taken instead of our own resource only where both the operator and the machine say so. */
function isScriptWanted(name: string, options: SpecOptions): boolean {
  return !options.nativeVip && (options.scripts?.has(name) ?? false);
}

function looksLikeAddress(text: string): boolean {
  return /^\d+\.\d+\.\d+\.\d+/.test(text) || parseAddress(text.split("/")[0] ?? "") !== null;
}

function vip(argument: Placed<string>, rest: readonly Placed<string>[], options: SpecOptions): SpecResult {
  const parsed = parseVip(argument, options.vip);
  const problems = [...parsed.problems];
  let spec = parsed.spec;
  const given = rest.map((word) => pair(word));
  // Those that need the interface come last.
  const order = (name: string) => vipOptionNames.indexOf(name as VipOptionName);
  for (const { name, value, word } of given.toSorted((a, b) => order(a.name) - order(b.name))) {
    if (!isVipOption(name) || value === null) {
      problems.push({
        severity: "error",
        span: word.span,
        code: "unknown-option",
        message: `"${word.value}" is not an option of a vip`,
        hint: suggestion(name, vipOptionNames),
      });
    } else if (spec !== null) {
      const next = withVipOption(spec, name, value, options.vip.autoLeaseSeconds);
      if (next.ok) spec = next.value;
      else {problems.push({
          severity: "error",
          span: word.span,
          code: "bad-option",
          message: next.message,
          hint: next.hint,
        });}
    }
  }
  return { spec: problems.length > 0 ? null : spec, problems };
}

function ocf(body: Placed<string>, rest: readonly Placed<string>[]): SpecResult {
  const match = /^([A-Za-z0-9_.-]+):([A-Za-z0-9_.-]+)$/.exec(body.value);
  if (match === null) {
    return failed(
      body.span,
      "bad-resource",
      `"ocf:${body.value}" is not an agent`,
      "write ocf:heartbeat:IPaddr2 ip=10.0.0.9",
    );
  }
  const [, provider = "", type = ""] = match;
  const parameters: Record<string, string> = {};
  const problems: SpecProblem[] = [];
  for (const { name, value, word } of rest.map(pair)) {
    const fail = (code: string, message: string, hint: string) =>
      problems.push({ severity: "error", span: word.span, code, message, hint });
    if (value === null || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      fail(
        "bad-parameter",
        `"${word.value}" is not a parameter of an agent`,
        `write NAME=VALUE, with quotes around blanks`,
      );
    } else if (Object.hasOwn(parameters, name)) {
      fail("duplicate-parameter", `the parameter "${name}" stands twice`, "keep one");
    } else Object.defineProperty(parameters, name, { value, enumerable: true });
  }
  if (problems.length > 0) return { spec: null, problems };
  return { spec: { kind: "ocf", provider, type, parameters }, problems };
}

function exec(body: Placed<string>, rest: readonly Placed<string>[]): SpecResult {
  if (!/^\/./.test(body.value)) {
    return failed(
      body.span,
      "bad-path",
      `"${body.value}" is not an absolute path`,
      "write exec:/usr/local/sbin/thing ARGS",
    );
  }
  return { spec: { kind: "exec", path: body.value, args: rest.map((word) => word.value) }, problems: [] };
}

function script(name: string, args: readonly string[], rest: readonly Placed<string>[]): SpecResult {
  return alone(rest) ?? { spec: { kind: "ha", script: name, args }, problems: [] };
}

function named(body: Placed<string>, what: string, make: (name: string) => ResourceSpec): SpecResult {
  if (/^[A-Za-z0-9_@\\][A-Za-z0-9_.+@:\\-]*$/.test(body.value)) {
    return { spec: make(body.value), problems: [] };
  }
  return failed(
    body.span,
    "bad-resource",
    `"${body.value}" is not the name of a ${what}`,
    "write the plain name, without a path",
  );
}

function alone(rest: readonly Placed<string>[]): SpecResult | null {
  const [extra] = rest;
  if (extra === undefined) return null;
  return failed(
    extra.span,
    "extra-word",
    `"${extra.value}" follows the resource`,
    "arguments of a script follow it as SCRIPT::ARG::ARG",
  );
}

function pair(word: Placed<string>): { name: string; value: string | null; word: Placed<string> } {
  const equals = word.value.indexOf("=");
  if (equals < 0) return { name: word.value, value: null, word };
  return { name: word.value.slice(0, equals), value: word.value.slice(equals + 1), word };
}

function isVipOption(name: string): name is VipOptionName {
  return (vipOptionNames as readonly string[]).includes(name);
}

function shifted(span: Span, by: number): Span {
  return { offset: span.offset + by, length: Math.max(0, span.length - by) };
}

function failed(span: Span, code: string, message: string, hint: string): SpecResult {
  return { spec: null, problems: [{ severity: "error", span, code, message, hint }] };
}
