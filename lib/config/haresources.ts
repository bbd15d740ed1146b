/**
 * haresources: which groups there are and where each belongs. One logical line is one group; `\` at the end of a line
 * joins the next. Says nothing about nodes being known; that is decided with ha.cf.
 */

import type { ResourceSpec } from "../core/settings.ts";
import { Findings, type Placed } from "./problem.ts";
import { parseResourceSpec, type SpecOptions } from "./resource_spec.ts";
import { lines, words } from "./text/words.ts";

export interface HaResourcesLine {
  /** Preferred node, lower-cased. */
  readonly node: Placed<string>;
  readonly resources: readonly Placed<{ readonly id: string; readonly spec: ResourceSpec }>[];
  /** Text of the first resource, even where it is no good. */
  readonly name: string;
}

export function parseHaResources(
  text: string,
  file: string,
  options: Partial<SpecOptions> = {},
): { groups: readonly HaResourcesLine[]; findings: Findings } {
  const findings = new Findings(file, text);
  const groups: HaResourcesLine[] = [];
  let pending: Placed<string>[] = [];

  const finish = () => {
    const [node, ...rest] = pending;
    pending = [];
    if (node === undefined) return;
    const [first] = rest;
    if (first === undefined) {
      const hint = "write NODE RESOURCE…, and each group on a line of its own";
      findings.error(node.span, "empty-group", `the line of "${node.value}" names no resource`, hint);
      return;
    }
    if (groups.some((group) => group.name === first.value)) {
      const hint = "the first resource is the key of a group: it must be unique in the file";
      findings.error(first.span, "duplicate-group", `"${first.value}" already begins another line`, hint);
      return;
    }
    const resources: HaResourcesLine["resources"][number][] = [];
    for (const word of rest) {
      const { spec, problems } = parseResourceSpec(word.value, options);
      for (const { severity, span, code, message, hint } of problems) {
        const at = { offset: word.span.offset + span.offset, length: span.length };
        findings[severity](at, code, message, hint);
      }
      if (spec !== null) resources.push({ value: { id: word.value, spec }, span: word.span });
    }
    groups.push({ node: { value: node.value.toLowerCase(), span: node.span }, resources, name: first.value });
  };

  for (const line of lines(text)) {
    const comment = line.value.indexOf("#");
    const content = comment < 0 ? line.value : line.value.slice(0, comment);
    const isContinued = /\\[ \t]*$/.test(content);
    pending.push(...words(isContinued ? content.replace(/\\[ \t]*$/, "") : content, line.span.offset));
    if (!isContinued) finish();
  }
  if (pending.length > 0) {
    const last = pending.at(-1)!;
    findings.warning(last.span, "open-line", `the last line ends with a backslash`, "remove it");
    finish();
  }
  return { groups, findings };
}
