/**
 * ha.cf: text to typed values with positions. Lexical rules as Heartbeat has them: one directive a line, `#` starts a
 * comment anywhere, list directives take values separated by blanks, tabs or commas. What becomes of each directive
 * stands in ha/directives.ts; how values fit together is decided elsewhere.
 */

import { maxRexmitDelayMsMax } from "./defaults.ts";
import { parseDuration } from "./durations.ts";
import { directives } from "./ha/directives.ts";
import { checkMediaOrder, type HaMedium, readHaMedia } from "./ha/media.ts";
import { Findings, type Parsed, type Placed, type Span } from "./problem.ts";
import { suggestion } from "./spelling.ts";
import { parseBaud } from "./text/media_words.ts";
import { parseNodeName } from "./text/names.ts";
import { lines, words } from "./text/words.ts";

export interface HaCf {
  readonly nodes: Placed<string>[];
  /** By directive: keepalive, deadtime, warntime, initdead, deadping; milliseconds. */
  readonly times: Map<string, Placed<number>>;
  /** By directive: the last value that was accepted. */
  readonly values: Map<string, Placed<string>>;
  readonly media: HaMedium[];
  /** Hosts of `ping`, `ping6` and `ping_group`. */
  readonly pings: Placed<string>[];
  /** The same as the members that they are: each host of `ping`, each `ping_group`. */
  readonly pingMembers: { readonly name: string; readonly hosts: readonly Placed<string>[] }[];
  /** The line that starts ipfail, which gives groups up when ping nodes are lost. */
  ipfail: Span | null;
  readonly environment: Map<string, string>;
}

/** Longest line that Heartbeat reads whole. */
const lineLengthMax = 5119;

const times = new Set(["keepalive", "deadtime", "warntime", "initdead", "deadping"]);
const booleans: ReadonlyMap<string, boolean> = new Map([
  ...["true", "on", "yes", "y", "1"].map((word) => [word, true] as const),
  ...["false", "off", "no", "n", "0"].map((word) => [word, false] as const),
]);
const booleanHint = "write on or off";

/** Values that may stand once; a later one replaces the former, as in Heartbeat. */
const choices: Readonly<Record<string, readonly string[]>> = {
  msgfmt: ["classic", "netstring"],
  autojoin: ["none", "other", "any"],
  uuidfrom: ["file", "nodename"],
  hbgenmethod: ["file", "time"],
};

export function parseHaBoolean(text: string): boolean | null {
  return booleans.get(text.toLowerCase()) ?? null;
}

export function parseHaCf(text: string, file: string): { haCf: HaCf; findings: Findings } {
  const findings = new Findings(file, text);
  const haCf: HaCf = {
    nodes: [],
    times: new Map(),
    values: new Map(),
    media: [],
    pings: [],
    pingMembers: [],
    ipfail: null,
    environment: new Map(),
  };
  for (const { value, span } of lines(text)) {
    if (value.length > lineLengthMax) {
      findings.error(
        span,
        "long-line",
        "the line is too long",
        `at most ${lineLengthMax} characters are read`,
      );
      continue;
    }
    const comment = value.indexOf("#");
    const content = comment < 0 ? value : value.slice(0, comment);
    const [directive, ...rest] = words(content, span.offset);
    if (directive !== undefined) readLine(haCf, findings, directive, rest);
  }
  checkMediaOrder(haCf.media, haCf.values, findings);
  return { haCf, findings };
}

function readLine(haCf: HaCf, findings: Findings, directive: Placed<string>, rest: Placed<string>[]): void {
  const name = directive.value;
  const rule = directives.get(name);
  if (rule === undefined) {
    findings.error(directive.span, "unknown-directive", `unknown directive "${name}"`, suggestionFor(name));
    return;
  }
  // Commas separate values too, but not in directives that take the rest of the line.
  const isLine = (rule.kind === "read" || rule.kind === "harmless") && rule.form === "line";
  const values = isLine ? rest : rest.flatMap((word) => words(word.value, word.span.offset, ","));
  if (rule.kind === "refused") {
    findings.error(
      directive.span,
      "not-available",
      `"${name}": ${rule.what} not available in this version`,
      rule.advice,
    );
    return;
  }
  const [first] = values;
  if (first === undefined) {
    findings.error(directive.span, "missing-value", `"${name}" has no value`, `write ${name} VALUE`);
    return;
  }
  if (rule.kind === "off-only") {
    if (parseHaBoolean(first.value) !== false) {
      findings.error(
        first.span,
        "not-available",
        `"${name} ${first.value}" is not available in this version`,
        rule.advice,
      );
    }
  } else if (rule.kind === "harmless") {
    if (rule.note !== undefined) {
      findings.note(directive.span, "no-effect", `"${name}" is read but not used: ${rule.note}`);
    }
  } else {
    readDirective(haCf, findings, directive, values as [Placed<string>, ...Placed<string>[]]);
  }
}

function suggestionFor(name: string): string {
  const known = [...directives.keys()];
  const near = suggestion(name, known);
  return near.startsWith("did you mean") ? near : "see docs/configuration.md for the directives of ha.cf";
}

function readDirective(
  haCf: HaCf,
  findings: Findings,
  directive: Placed<string>,
  values: [Placed<string>, ...Placed<string>[]],
): void {
  const name = directive.value;
  const [first] = values;
  const fail = (word: Placed<string>, message: string, hint: string) =>
    findings.error(word.span, "bad-value", `"${name}": ${message}`, hint);
  const accept = <T>(word: Placed<string>, parsed: Parsed<T>, use: (value: T) => void) =>
    parsed.ok ? use(parsed.value) : fail(word, parsed.message, parsed.hint);

  if (times.has(name)) {
    for (const word of values) {
      accept(word, parseDuration(word.value, "ha.cf"), (ms) => {
        if (ms === 0) fail(word, "0 is too short", "write a time greater than 0");
        else haCf.times.set(name, { value: ms, span: word.span });
      });
    }
    return;
  }
  switch (name) {
    case "node":
      for (const word of values) {
        accept(word, parseNodeName(word.value), (node) => {
          if (!haCf.nodes.some((other) => other.value === node)) {
            haCf.nodes.push({ value: node, span: word.span });
          } else findings.warning(word.span, "duplicate-node", `the node "${node}" stands twice`, "keep one");
        });
      }
      return;
    case "ucast":
    case "ucast6":
    case "bcast":
    case "udp":
    case "mcast":
    case "mcast6":
    case "serial": {
      const inForce = { udpport: haCf.values.get("udpport")?.value, baud: haCf.values.get("baud")?.value };
      haCf.media.push(...readHaMedia(directive, values, inForce, findings));
      return;
    }
    case "ping":
    case "ping6":
      haCf.pings.push(...values);
      haCf.pingMembers.push(...values.map((host) => ({ name: host.value, hosts: [host] })));
      return;
    case "ping_group":
      if (values.length < 2) {
        fail(first, `the group "${first.value}" has no host`, "write ping_group NAME HOST…");
      }
      haCf.pings.push(...values.slice(1));
      haCf.pingMembers.push({ name: first.value, hosts: values.slice(1) });
      return;
    case "respawn":
      readRespawn(haCf, findings, directive, values);
      return;
    case "env":
      for (const word of values) {
        const match = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(word.value);
        if (match === null) fail(word, `"${word.value}" is not an assignment`, "write env NAME=VALUE");
        else haCf.environment.set(match[1] ?? "", match[2] ?? "");
      }
      return;
    case "auto_failback":
      if (parseHaBoolean(first.value) === null && first.value.toLowerCase() !== "legacy") {
        fail(first, `"${first.value}" is not known`, "write on, off or legacy");
        return;
      }
      break;
    case "realtime":
    case "nice_failback":
      if (parseHaBoolean(first.value) === null) {
        fail(first, `"${first.value}" is neither on nor off`, booleanHint);
        return;
      }
      break;
    case "udpport":
      if (!isWholeNumber(first.value, 1, 65_535)) {
        fail(first, `"${first.value}" is not a port`, "write a number from 1 to 65535");
        return;
      }
      break;
    case "baud": {
      const parsed = parseBaud(first.value);
      if (!parsed.ok) {
        fail(first, parsed.message, parsed.hint);
        return;
      }
      break;
    }
    case "rtprio":
      if (!isWholeNumber(first.value, 1, 99)) {
        fail(first, `"${first.value}" is not a priority`, "write a number from 1 to 99");
        return;
      }
      break;
    case "max_rexmit_delay":
      if (!isWholeNumber(first.value, 1, maxRexmitDelayMsMax)) {
        fail(
          first,
          `"${first.value}" is not a number of milliseconds`,
          `write a whole number from 1 to ${maxRexmitDelayMsMax}`,
        );
        return;
      }
      break;
    case "logfile":
      if (!first.value.startsWith("/")) {
        fail(first, `"${first.value}" is not an absolute path`, "begin it with /");
        return;
      }
      break;
    default: {
      const accepted = choices[name];
      if (accepted !== undefined && !accepted.includes(first.value)) {
        fail(first, `"${first.value}" is not known`, suggestion(first.value, accepted));
        return;
      }
    }
  }
  haCf.values.set(name, first);
  const extra = values[1];
  if (extra !== undefined) {
    findings.error(extra.span, "extra-word", `"${name}" takes one value`, "remove the rest of the line");
  }
}

/** ipfail's work is done by the ping arbiter; any other program would be missing. */
function readRespawn(
  haCf: HaCf,
  findings: Findings,
  directive: Placed<string>,
  values: Placed<string>[],
): void {
  const command = values[1];
  if (command === undefined) {
    findings.error(
      directive.span,
      "missing-value",
      `"respawn" names no program`,
      "write respawn USER PROGRAM",
    );
  } else if (command.value.split("/").at(-1) === "ipfail") {
    haCf.ipfail = directive.span;
  } else {
    findings.error(
      command.span,
      "not-available",
      `"respawn": child programs are not available in this version`,
      "remove it and start the program by systemd",
    );
  }
}

function isWholeNumber(text: string, min: number, max: number): boolean {
  return /^\d{1,9}$/.test(text) && Number(text) >= min && Number(text) <= max;
}
