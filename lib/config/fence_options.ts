/**
 * A file of options for a fence agent: `NAME=VALUE` lines as the agent itself takes them on its standard input
 * (FenceAgentAPI), so that `AGENT < FILE` does by hand what the daemon does. Messages never repeat a value.
 */

import { Findings, type Span } from "./problem.ts";

export type FenceOptions = Readonly<Record<string, string>>;

export interface FenceOptionsFile {
  readonly options: FenceOptions;
  readonly findings: Findings;
  /** Where values stand: never to be shown. */
  readonly secrets: readonly Span[];
}

export function parseFenceOptions(text: string, file: string): FenceOptionsFile {
  const findings = new Findings(file, text);
  const options: Record<string, string> = {};
  const secrets: Span[] = [];
  for (const match of text.matchAll(/[^\r\n]+/g)) {
    const line = match[0].trim();
    if (line === "" || line.startsWith("#")) continue;
    const span = { offset: match.index, length: match[0].length };
    const equals = match[0].indexOf("=");
    // A line without a name may be a password by itself.
    const start = equals < 0 ? 0 : equals + 1;
    secrets.push({ offset: match.index + start, length: match[0].length - start });
    if (equals < 0) {
      findings.error(span, "bad-option", "the line is not NAME=VALUE", "write one option a line");
      continue;
    }
    const name = match[0].slice(0, equals).trim();
    const key = { offset: match.index, length: equals };
    const refusal = refusedOption(name);
    if (refusal !== null) findings.error(key, "bad-option", refusal.message, refusal.hint);
    else if (Object.hasOwn(options, name)) {
      findings.error(key, "double-option", `the option "${name}" stands twice`, "keep one");
    } else {
      const value = match[0].slice(start).trim();
      Object.defineProperty(options, name, { value, enumerable: true });
    }
  }
  return { options, findings, secrets };
}

const portHint = `the port of each node stands with it: "nodes: {node1: 3}"`;
const ours: Readonly<Record<string, string>> = {
  action: `Heartline says what is to be done: see "action" of "fencing"`,
  option: `Heartline says what is to be done: see "action" of "fencing"`,
  port: portHint,
  plug: portHint,
  nodename: portHint,
  delay: `see "delay" of "fencing": an agent that waits uses up its own limit`,
};

/** Why an option cannot be handed to an agent, or `null`. */
export function refusedOption(name: string): { readonly message: string; readonly hint: string } | null {
  if (Object.hasOwn(ours, name)) return { message: `"${name}" is no option to set here`, hint: ours[name]! };
  if (/^[A-Za-z_][\w-]{0,63}$/.test(name)) return null;
  const hint = "letters, digits, _ and -, as AGENT -o metadata lists them";
  return { message: "this is not the name of an option", hint };
}
