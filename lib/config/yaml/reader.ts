/**
 * Reads typed values out of a YAML document and points at the node when one is wrong. Unknown keys are errors with
 * the nearest spelling; keys of things that do not exist yet are refused by name, never ignored.
 */

import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type Range } from "yaml";
import { type DurationDialect, formatDuration, parseDuration } from "../durations.ts";
import type { Findings, Parsed, Placed, Span } from "../problem.ts";
import { nearest, suggestion } from "../spelling.ts";

/** What a mapping may contain. */
export interface Shape {
  /** For messages: `a link`, `the section "takeover"`. */
  readonly what: string;
  readonly keys: readonly string[];
  readonly required?: readonly string[];
  /** Keys that mean something which this version does not have, with the advice to give. */
  readonly refused?: Readonly<Record<string, string>>;
}

export interface Entry {
  readonly key: Placed<string>;
  readonly value: Value;
}

/** A node with somewhere to point at even when it is empty. */
export interface Value {
  readonly node: Node | null;
  readonly span: Span;
}

export class YamlReader {
  constructor(
    readonly findings: Findings,
    readonly document: Document,
  ) {}

  /** The entries by key, or `null` when the value is no mapping; an error is recorded. */
  mapping(value: Value, shape: Shape): Map<string, Entry> | null {
    const entries = this.openMapping(value, shape.what);
    if (entries === null) return null;
    // What is wrong already need not be called missing too.
    const excused = new Set<string | null>();
    for (const { key } of entries.values()) {
      if (shape.keys.includes(key.value)) continue;
      excused.add(nearest(key.value, shape.keys));
      entries.delete(key.value);
      const advice = shape.refused !== undefined && Object.hasOwn(shape.refused, key.value)
        ? shape.refused[key.value]
        : undefined;
      if (advice !== undefined) {
        if (shape.keys.length < 4) { for (const required of shape.required ?? []) excused.add(required); }
        this.findings.error(
          key.span,
          "not-available",
          `"${key.value}" is not available in this version`,
          advice,
        );
      } else {
        this.findings.error(
          key.span,
          "unknown-key",
          `unknown key "${key.value}" in ${shape.what}`,
          suggestion(key.value, shape.keys),
        );
      }
    }
    for (const key of shape.required ?? []) {
      if (entries.has(key) || excused.has(key)) continue;
      this.findings.error(value.span, "missing-key", `${shape.what} has no "${key}"`, `add "${key}: …"`);
    }
    return entries;
  }

  /** The entries of a mapping whose keys are names of the operator's choice. */
  openMapping(value: Value, what: string): Map<string, Entry> | null {
    const node = this.#resolve(value.node);
    if (!isMap(node)) {
      this.#wrong(value, `${what} is not a mapping`, `write "KEY: VALUE" lines below it, or {KEY: VALUE}`);
      return null;
    }
    const entries = new Map<string, Entry>();
    for (const item of node.items) {
      const keyNode = item.key as Node | null;
      const keySpan = this.#span(keyNode) ?? value.span;
      const name = textOf(this.#resolve(keyNode));
      if (name === null || name === "") {
        this.findings.error(keySpan, "bad-key", `a key of ${what} is not a word`, "write KEY: VALUE");
        continue;
      }
      const node = item.value as Node | null;
      entries.set(name, {
        key: { value: name, span: keySpan },
        value: { node, span: this.#span(node) ?? keySpan },
      });
    }
    return entries;
  }

  /** The items of a list; an error and none when the value is no list. */
  list(value: Value, what: string): Value[] {
    const node = this.#resolve(value.node);
    if (!isSeq(node)) {
      this.#wrong(value, `${what} is not a list`, `write "- ITEM" lines below it, or [ITEM, ITEM]`);
      return [];
    }
    return node.items.map((item) => ({ node: item as Node, span: this.#span(item as Node) ?? value.span }));
  }

  isMapping(value: Value): boolean {
    return isMap(this.#resolve(value.node));
  }

  isList(value: Value): boolean {
    return isSeq(this.#resolve(value.node));
  }

  /** A scalar as it was written: `1e3` and `010` stay text. */
  text(value: Value, what: string): string | null {
    const text = textOf(this.#resolve(value.node));
    if (text === null || text === "") {
      this.#wrong(value, `${what} has no value`, "write one word or a quoted text");
      return null;
    }
    return text;
  }

  boolean(value: Value, what: string): boolean | null {
    const text = this.text(value, what);
    if (text === null) return null;
    if (/^(true|on|yes)$/i.test(text)) return true;
    if (/^(false|off|no)$/i.test(text)) return false;
    this.#wrong(value, `${what} is neither true nor false: "${text}"`, "write true or false");
    return null;
  }

  integer(value: Value, what: string, min: number, max: number): number | null {
    const text = this.text(value, what);
    if (text === null) return null;
    const number = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
    if (number >= min && number <= max) return number;
    this.#wrong(value, `${what} cannot be "${text}"`, `write a whole number from ${min} to ${max}`);
    return null;
  }

  choice<T extends string>(value: Value, what: string, choices: readonly T[]): T | null {
    const text = this.text(value, what);
    if (text === null) return null;
    const chosen = choices.find((choice) => choice === text);
    if (chosen === undefined) this.#wrong(value, `${what} cannot be "${text}"`, suggestion(text, choices));
    return chosen ?? null;
  }

  duration(value: Value, what: string, minMs: number, dialect: DurationDialect = "yaml"): number | null {
    const ms = this.parsed(value, what, (text) => parseDuration(text, dialect));
    if (ms === null || ms >= minMs) return ms;
    this.#wrong(
      value,
      `${what} is too short: ${formatDuration(ms)}`,
      `the least is ${formatDuration(minMs)}`,
    );
    return null;
  }

  /** A scalar through one of the small parsers. */
  parsed<T>(value: Value, what: string, parse: (text: string) => Parsed<T>): T | null {
    const text = this.text(value, what);
    if (text === null) return null;
    const parsed = parse(text);
    if (parsed.ok) return parsed.value;
    this.#wrong(value, `${what}: ${parsed.message}`, parsed.hint);
    return null;
  }

  #wrong(value: Value, message: string, hint: string): void {
    this.findings.error(value.span, "bad-value", message, hint);
  }

  #resolve(node: Node | null): Node | null {
    if (!isAlias(node)) return node;
    return (node.resolve(this.document) as Node | undefined) ?? null;
  }

  #span(node: Node | null): Span | null {
    const range = node?.range as Range | null | undefined;
    if (range === null || range === undefined) return null;
    return { offset: range[0], length: Math.max(0, range[1] - range[0]) };
  }
}

function textOf(node: Node | null): string | null {
  if (!isScalar(node)) return null;
  if (typeof node.value === "string") return node.value;
  if (node.value === null || node.value === undefined) return null;
  return node.source ?? String(node.value);
}
