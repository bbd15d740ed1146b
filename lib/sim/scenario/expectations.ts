/** The `expect` of a scenario: what must be so when it is over, read from its text and judged from what happened. */

import { formatDuration } from "../../config/durations.ts";
import { suggestion } from "../../config/spelling.ts";
import type { Span } from "../../config/problem.ts";
import type { Entry, Value } from "../../config/yaml/reader.ts";
import { alarmCodes, reportCodes } from "../../core/codes.ts";
import type { TraceEntry } from "../trace.ts";
import type { Cast } from "./cast.ts";
import type { GroupTally } from "./tally.ts";

export type Expectation =
  | HoldersExpectation
  | HolderExpectation
  | LengthExpectation
  | MovesExpectation
  | ReportExpectation;

/** `two-holders`: at some time it is so; a scenario that shows a danger says that it is real. */
interface HoldersExpectation {
  readonly kind: "never-two-holders" | "two-holders";
  /** `null`: of every group. */
  readonly group: string | null;
}

interface HolderExpectation {
  readonly kind: "holder";
  readonly group: string;
  readonly atMs: number;
  /** `null`: nobody. */
  readonly node: string | null;
}

/** The longest time without a holder; the whole time with two. */
interface LengthExpectation {
  readonly kind: "outage" | "overlap";
  readonly group: string;
  readonly atMostMs: number;
}

interface MovesExpectation {
  readonly kind: "moves" | "needless-moves" | "false-failovers";
  readonly group: string | null;
  readonly atMost: number;
}

interface ReportExpectation {
  readonly kind: "alarm" | "report" | "no-alarm" | "no-report";
  /** `null`: any. */
  readonly code: string | null;
  readonly node: string | null;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Judgement {
  /** What was expected, one clause. */
  readonly expected: string;
  readonly isMet: boolean;
  /** What was found instead, or what fulfils it. */
  readonly found: string;
}

export interface Facts {
  readonly tallies: readonly GroupTally[];
  readonly entries: readonly TraceEntry[];
  readonly durationMs: number;
}

type Kind = Expectation["kind"];
const kinds: readonly Kind[] = [
  "never-two-holders",
  "two-holders",
  "holder",
  "outage",
  "overlap",
  "moves",
  "needless-moves",
  "false-failovers",
  "alarm",
  "no-alarm",
  "report",
  "no-report",
];

export function readExpectations(cast: Cast, value: Value | undefined, durationMs: number): Expectation[] {
  if (value === undefined) return [];
  const { reader } = cast;
  return reader.list(value, `"expect"`).flatMap((item) => {
    // `- never-two-holders` alone is a word.
    const isWord = !reader.isMapping(item);
    const word = isWord ? reader.choice(item, "an expectation", kinds) : null;
    if (word !== null) return readOne(cast, word, null, item.span, durationMs);
    if (isWord) return [];
    const entries = reader.mapping(item, { what: "an expectation", keys: kinds });
    return [...entries?.values() ?? []].flatMap((entry) =>
      readOne(cast, entry.key.value as Kind, entry.value, entry.key.span, durationMs)
    );
  });
}

function readOne(
  cast: Cast,
  kind: Kind,
  value: Value | null,
  span: Span,
  durationMs: number,
): Expectation[] {
  const { reader } = cast;
  const part = (keys: readonly string[], required: readonly string[] = []) => {
    if (value === null && required.length === 0) return new Map<string, Entry>();
    const whole = value ?? { node: null, span };
    return reader.mapping(whole, { what: `"${kind}"`, keys, required });
  };
  switch (kind) {
    case "never-two-holders":
    case "two-holders":
      if (value === null) return [{ kind, group: null }];
      return cast.names(value, "a group", "group").map((group) => ({ kind, group }));
    case "holder": {
      const entries = part(["group", "at", "is"], ["at", "is"]);
      const [at, is] = ["at", "is"].map((key) => entries?.get(key)?.value);
      if (at === undefined || is === undefined) return [];
      const group = cast.groupOf(entries?.get("group"), span);
      const atMs = instantOf(cast, at, "at", durationMs);
      const name = reader.text(is, `"is"`);
      const node = name === null || name === "nobody" ? null : cast.node(name, is.span);
      return group === null || atMs === null ? [] : [{ kind, group, atMs, node }];
    }
    case "outage":
    case "overlap": {
      const entries = part(["group", "at-most"], ["at-most"]);
      const limit = entries?.get("at-most");
      const atMostMs = limit && reader.duration(limit.value, `"at-most"`, 0);
      const group = entries === null ? null : cast.groupOf(entries.get("group"), span);
      return group === null || atMostMs === null || atMostMs === undefined ? [] : [{ kind, group, atMostMs }];
    }
    case "moves":
    case "needless-moves":
    case "false-failovers": {
      const entries = part(["group", "at-most"], ["at-most"]);
      const limit = entries?.get("at-most");
      const atMost = limit && reader.integer(limit.value, `"at-most"`, 0, 1_000_000);
      const named = entries?.get("group");
      const group = named === undefined ? null : cast.groupOf(named, span);
      return atMost === null || atMost === undefined ? [] : [{ kind, group, atMost }];
    }
    default:
      return [readReport(cast, kind, part(["code", "on", "from", "to"]), durationMs)];
  }
}

function readReport(
  cast: Cast,
  kind: ReportExpectation["kind"],
  entries: ReadonlyMap<string, Entry> | null,
  durationMs: number,
): ReportExpectation {
  const [code, on, from, to] = ["code", "on", "from", "to"].map((key) => entries?.get(key)?.value);
  const fromMs = (from && instantOf(cast, from, "from", durationMs)) ?? 0;
  const toMs = (to && instantOf(cast, to, "to", durationMs)) ?? durationMs;
  if (from !== undefined && to !== undefined && fromMs > toMs) {
    const message = `it is expected from ${seconds(fromMs)} to ${seconds(toMs)}, which is no time at all`;
    cast.reader.findings.error(to.span, "no-time", message, `write a "to" that is not before "from"`);
  }
  return {
    kind,
    code: code === undefined ? null : codeOf(cast, kind, code),
    node: on === undefined ? null : cast.names(on, "a node", "node")[0] ?? null,
    fromMs,
    toMs,
  };
}

/** Within the run: what is expected of later would be met, or not, whatever happens. */
function instantOf({ reader }: Cast, value: Value, key: string, durationMs: number): number | null {
  const ms = reader.duration(value, `"${key}"`, 0);
  // 0: what is wrong with the duration has been said.
  if (ms === null || durationMs === 0 || ms <= durationMs) return ms;
  const message = `"${key}" is after the end of the scenario at ${
    durationMs / 1000
  } s, so nothing is judged there`;
  reader.findings.error(value.span, "too-late", message, `raise duration, or write an earlier "${key}"`);
  return null;
}

function codeOf({ reader }: Cast, kind: ReportExpectation["kind"], value: Value): string | null {
  const code = reader.text(value, `"code"`);
  const isAlarm = kind === "alarm" || kind === "no-alarm";
  const known: readonly string[] = isAlarm ? alarmCodes : reportCodes;
  if (code === null || known.includes(code)) return code;
  const isReport = (reportCodes as readonly string[]).includes(code);
  const hint = isReport ? `write "${kind === "alarm" ? "report" : "no-report"}"` : suggestion(code, known);
  const message = isReport ? `"${code}" is reported, but is no alarm` : `no node ever reports "${code}"`;
  reader.findings.error(value.span, "unknown-name", message, hint);
  return null;
}

export function judgeExpectation(expectation: Expectation, facts: Facts): Judgement {
  switch (expectation.kind) {
    case "never-two-holders":
    case "two-holders":
      return judgeTwo(expectation, facts);
    case "holder":
      return judgeHolder(expectation, facts);
    case "outage":
    case "overlap":
      return judgeLength(expectation, facts);
    case "moves":
    case "needless-moves":
    case "false-failovers":
      return judgeMoves(expectation, facts);
    default:
      return judgeReport(expectation, facts);
  }
}

function judgeTwo({ kind, group }: HoldersExpectation, { tallies, durationMs }: Facts): Judgement {
  const doubles = chosen(tallies, group).flatMap((tally) =>
    tally.intervals.filter(({ holders }) => holders.length > 1).map((interval) => ({ tally, interval }))
  );
  const [first] = doubles;
  const name = group ?? "every group";
  return {
    expected: kind === "two-holders"
      ? `two nodes hold ${name} at some time`
      : `never two holders of ${group ?? "any group"}`,
    isMet: (first === undefined) === (kind === "never-two-holders"),
    found: first === undefined
      ? "never more than one holder"
      : `${first.interval.holders.join(" and ")} hold ${first.tally.group} from ${
        seconds(first.interval.fromMs)
      } to ${seconds(first.interval.toMs ?? durationMs)}`,
  };
}

function judgeHolder({ group, atMs, node }: HolderExpectation, { tallies }: Facts): Judgement {
  const interval = chosen(tallies, group)[0]?.intervals.find(({ fromMs, toMs }) =>
    fromMs <= atMs && (toMs === null || atMs < toMs)
  );
  const holders = interval?.holders ?? [];
  return {
    expected: `at ${seconds(atMs)} ${node ?? "nobody"} holds ${group}`,
    isMet: node === null ? holders.length === 0 : holders.length === 1 && holders[0] === node,
    found: `${holders.length === 0 ? "nobody" : holders.join(" and ")} ${
      holders.length > 1 ? "hold" : "holds"
    } it`,
  };
}

function judgeLength({ kind, group, atMostMs }: LengthExpectation, { tallies }: Facts): Judgement {
  const tally = chosen(tallies, group)[0];
  const ms = (kind === "outage" ? tally?.longestOutageMs : tally?.twoMs) ?? 0;
  const what = kind === "outage" ? `${group} is without a holder for` : `${group} has two holders for`;
  return {
    expected: `${what} at most ${formatDuration(atMostMs)}`,
    isMet: ms <= atMostMs,
    found: `${ms.toFixed(0)} ms`,
  };
}

function judgeMoves({ kind, group, atMost }: MovesExpectation, { tallies }: Facts): Judgement {
  const moves = chosen(tallies, group).flatMap((tally) => tally.moves).filter((move) =>
    kind === "moves" || move.kind === "false" || (kind === "needless-moves" && move.kind === "needless")
  );
  const [first] = moves;
  return {
    expected: `at most ${atMost} ${kind.replace("-", " ")}${group === null ? "" : ` of ${group}`}`,
    isMet: moves.length <= atMost,
    found: first === undefined
      ? "none"
      : `${moves.length}, the first at ${seconds(first.atMs)} from ${first.from} to ${first.to}`,
  };
}

function judgeReport(
  { kind, code, node, fromMs, toMs }: ReportExpectation,
  { entries, durationMs }: Facts,
): Judgement {
  const isAlarm = kind === "alarm" || kind === "no-alarm";
  const isWanted = kind === "alarm" || kind === "report";
  const found = entries.find((entry) =>
    entry.kind === "report" && entry.level !== "clear" && (!isAlarm || entry.level === "alarm") &&
    (code === null || entry.code === code) && (node === null || entry.node === node) &&
    entry.atMs >= fromMs && entry.atMs <= toMs
  );
  const what = isAlarm ? "the alarm" : "the report";
  const name = code === null
    ? `${isWanted ? "an" : "any"} ${isAlarm ? "alarm" : "report"}`
    : `${what} ${code}`;
  const when = fromMs === 0 && toMs >= durationMs ? "" : ` from ${seconds(fromMs)} to ${seconds(toMs)}`;
  const who = node !== null
    ? `${node} ${isWanted ? "raises" : "never raises"}`
    : isWanted
    ? "some node raises"
    : "no node raises";
  return {
    expected: `${who} ${name}${when}`,
    isMet: (found !== undefined) === isWanted,
    found: found === undefined
      ? "nothing of the kind"
      : `${found.node} at ${seconds(found.atMs)}: ${found.sentence}`,
  };
}

function chosen(tallies: readonly GroupTally[], group: string | null): readonly GroupTally[] {
  return tallies.filter((tally) => group === null || tally.group === group);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
