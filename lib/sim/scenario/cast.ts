/** Who and what a scenario may name: its nodes, links, groups and resources. A name that is not there is an error. */

import type { Span } from "../../config/problem.ts";
import { suggestion } from "../../config/spelling.ts";
import type { Value, YamlReader } from "../../config/yaml/reader.ts";
import { linkName, type Settings } from "../../core/settings.ts";

export class Cast {
  readonly nodes: readonly string[];
  readonly links: readonly string[];
  readonly groups: Settings["groups"];
  /** Names of the fence devices. */
  readonly devices: readonly string[];
  /** Segments of the service network in the order of their first mention; `main` is where all begin. */
  readonly #segments = ["main"];

  constructor(readonly reader: YamlReader, settings: ReadonlyMap<string, Settings>) {
    const all = [...settings.values()];
    this.nodes = [...settings.keys()];
    this.links = [...new Set(all.flatMap(({ media }) => media.map(linkName)))];
    this.devices = [...new Set(all.flatMap(({ fencing }) => fencing?.devices.map(({ name }) => name) ?? []))];
    this.groups = all[0]?.groups ?? [];
  }

  node(name: string, span: Span): string | null {
    return this.#known("node", name.toLowerCase(), this.nodes, span);
  }

  link(name: string, span: Span): string | null {
    return this.#known("link", name, this.links, span);
  }

  device(name: string, span: Span): string | null {
    return this.#known("fence device", name, this.devices, span);
  }

  group(name: string, span: Span): string | null {
    return this.#known("group", name, this.groups.map((group) => group.name), span);
  }

  /** By its name as the operator wrote it; its number in the group. */
  resource(group: string, name: string, span: Span): number | null {
    const names = this.groups.find((each) => each.name === group)?.resources.map(({ id }) => id) ?? [];
    const known = this.#known(`resource of group "${group}"`, name, names, span);
    return known === null ? null : names.indexOf(known);
  }

  /** `null`: no segment at all. Any other word is the name of one. */
  segment(name: string): number | null {
    if (name === "none") return null;
    if (!this.#segments.includes(name)) this.#segments.push(name);
    return this.#segments.indexOf(name);
  }

  /** A name, or several in a list. */
  names(value: Value, what: string, known: "node" | "link" | "group" | "device"): string[] {
    const items = this.reader.isList(value) ? this.reader.list(value, what) : [value];
    return items.flatMap((item) => {
      const text = this.reader.text(item, what);
      const name = text === null ? null : this[known](text, item.span);
      return name === null ? [] : [name];
    });
  }

  /** The group that a mapping names, or the only one there is. */
  groupOf(entry: { readonly value: Value } | undefined, span: Span): string | null {
    if (entry !== undefined) {
      const text = this.reader.text(entry.value, `"group"`);
      return text === null ? null : this.group(text, entry.value.span);
    }
    if (this.groups.length === 1) return this.groups[0]!.name;
    const hint = `add "group: …", one of ${this.groups.map(({ name }) => name).join(", ")}`;
    this.reader.findings.error(span, "missing-key", "it does not say which group", hint);
    return null;
  }

  #known(what: string, name: string, known: readonly string[], span: Span): string | null {
    if (known.includes(name)) return name;
    const message = `there is no ${what} "${name}"`;
    this.reader.findings.error(span, "unknown-name", message, suggestion(name, known));
    return null;
  }
}
