/**
 * Statements to and from the text of the field `heartline`: compact JSON, ASCII only, so that it passes a serial
 * line. Reading believes nothing: every member is checked for type and range, members that are not known are left
 * out (the dialect can grow), and names that a peer chose become keys only of objects without a prototype.
 *
 * It runs for every heartbeat of every peer; hence no schema library.
 */

import { quote } from "./decoding.ts";
import {
  counterMax,
  groupNameLengthMax,
  leaseSecondsMax,
  nodeNameLengthMax,
  packetBytesMax,
  statementGroupsMax,
  statementMediaMax,
  statementNodesMax,
  statementTextLengthMax,
} from "./limits.ts";
import {
  dialect,
  type GroupState,
  type GroupStatement,
  type HearsStatement,
  type LastHeard,
  type MaintenanceStatement,
  type MediumStatement,
  type PinStatement,
  type Statement,
} from "./statement.ts";

export type StatementRead =
  | { readonly ok: true; readonly statement: Statement }
  | { readonly ok: false; readonly detail: string };

/** One line of ASCII without control characters. */
export function writeStatement(statement: Statement): string {
  return toAscii(JSON.stringify(statement));
}

/** JSON as the same JSON in ASCII. */
export function toAscii(json: string): string {
  return json.replace(/[\x7f-\uffff]/g, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
}

/** Never throws. `detail` names the member, its value, and what would be accepted. */
export function readStatement(text: string): StatementRead {
  if (text.length > packetBytesMax) return { ok: false, detail: `${text.length} characters` };
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return { ok: false, detail: `${quote(text)} is no JSON` };
  }
  try {
    return { ok: true, statement: statement(parsed) };
  } catch (error) {
    if (error instanceof Invalid) return { ok: false, detail: error.message };
    throw error;
  }
}

/** Never leaves this file. */
class Invalid extends Error {}

const phases: ReadonlySet<string> = new Set<Statement["phase"]>(["joining", "settled", "leaving"]);
const states: ReadonlySet<string> = new Set<GroupState>([
  "stopped",
  "unknown",
  "starting",
  "running",
  "stopping",
  "blocked",
]);

function statement(value: unknown): Statement {
  const from = record(value, "the statement");
  const spoken = whole(from.dialect, "dialect", 1, counterMax);
  if (spoken !== dialect) throw new Invalid(`dialect is ${spoken}; this node speaks ${dialect}`);
  const media = list(from.media, "media", statementMediaMax).map(medium);
  return {
    dialect: spoken,
    version: string(from.version, "version", statementTextLengthMax),
    settingsHash: string(from.settingsHash, "settingsHash", statementTextLengthMax),
    phase: oneOf(from.phase, "phase", phases) as Statement["phase"],
    settledForMs: whole(from.settledForMs, "settledForMs", 0, counterMax),
    media,
    hears: table(
      from.hears,
      "hears",
      statementNodesMax,
      nodeNameLengthMax,
      (v, at) => hears(v, at, media.length),
    ),
    groups: table(from.groups, "groups", statementGroupsMax, groupNameLengthMax, group),
    maintenance: maintenance(from.maintenance),
    ...optional("clock", from.clock, (value) => whole(value, "clock", 0, counterMax)),
    ...optional("sentMs", from.sentMs, (value) => whole(value, "sentMs", 0, counterMax)),
  };
}

function medium(value: unknown, index: number): MediumStatement {
  const at = `media[${index}]`;
  const from = record(value, at);
  return {
    name: string(from.name, `${at}.name`, statementTextLengthMax),
    address: from.address === null ? null : string(from.address, `${at}.address`, statementTextLengthMax),
  };
}

function hears(value: unknown, at: string, mediaCount: number): HearsStatement {
  const from = record(value, at);
  const on = list(from.on, `${at}.on`, mediaCount).map((each, i) =>
    whole(each, `${at}.on[${i}]`, 0, mediaCount - 1)
  );
  if (new Set(on).size !== on.length) throw new Invalid(`${at}.on names a medium twice`);
  return {
    generation: whole(from.generation, `${at}.generation`, 0, counterMax),
    sequence: whole(from.sequence, `${at}.sequence`, 0, counterMax),
    on,
    ...optional("last", from.last, (value) => {
      const last = list(value, `${at}.last`, on.length).map((each, i) => lastHeard(each, `${at}.last[${i}]`));
      if (last.length !== on.length) throw new Invalid(`${at}.last has not one element for each of on`);
      return last;
    }),
    ...optional("acked", from.acked, (value) => whole(value, `${at}.acked`, 0, counterMax)),
  };
}

function lastHeard(value: unknown, at: string): LastHeard {
  const [sequence, agoMs] = list(value, at, 2);
  return [whole(sequence, `${at}[0]`, 0, counterMax), whole(agoMs, `${at}[1]`, 0, counterMax)];
}

/** A member that older nodes do not write. */
function optional<Name extends string, T>(
  name: Name,
  value: unknown,
  read: (value: unknown) => T,
): Partial<Record<Name, T>> {
  return value === undefined ? {} : { [name]: read(value) } as Record<Name, T>;
}

function group(value: unknown, at: string): GroupStatement {
  const from = record(value, at);
  return {
    state: oneOf(from.state, `${at}.state`, states) as GroupState,
    epoch: whole(from.epoch, `${at}.epoch`, 0, counterMax),
    able: boolean(from.able, `${at}.able`),
    wants: boolean(from.wants, `${at}.wants`),
    leaseSeconds: whole(from.leaseSeconds, `${at}.leaseSeconds`, 0, leaseSecondsMax),
    pin: from.pin === null ? null : pin(from.pin, `${at}.pin`),
  };
}

function pin(value: unknown, at: string): PinStatement {
  const from = record(value, at);
  return {
    node: from.node === null ? null : string(from.node, `${at}.node`, nodeNameLengthMax),
    version: whole(from.version, `${at}.version`, 0, counterMax),
  };
}

function maintenance(value: unknown): MaintenanceStatement {
  const from = record(value, "maintenance");
  return {
    on: boolean(from.on, "maintenance.on"),
    version: whole(from.version, "maintenance.version", 0, counterMax),
  };
}

/** `JSON.parse` makes even `__proto__` an own member; no member that we look for is one of `Object.prototype`. */
function record(value: unknown, at: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw expected(value, at, "an object");
  }
  return value as Readonly<Record<string, unknown>>;
}

/** By name, at most `countMax`, in an object without a prototype. */
function table<T>(
  value: unknown,
  at: string,
  countMax: number,
  nameLengthMax: number,
  read: (value: unknown, at: string) => T,
): Readonly<Record<string, T>> {
  const from = record(value, at);
  const names = Object.keys(from);
  if (names.length > countMax) throw new Invalid(`${at} has ${names.length} members; ${countMax} at most`);
  const result: Record<string, T> = Object.create(null);
  for (const name of names) {
    string(name, `a name in ${at}`, nameLengthMax);
    result[name] = read(from[name], `${at}.${name}`);
  }
  return result;
}

function list(value: unknown, at: string, countMax: number): readonly unknown[] {
  if (!Array.isArray(value)) throw expected(value, at, "a list");
  if (value.length > countMax) throw new Invalid(`${at} has ${value.length} elements; ${countMax} at most`);
  return value;
}

function string(value: unknown, at: string, lengthMax: number): string {
  if (typeof value !== "string" || value.length === 0 || value.length > lengthMax || hasControl(value)) {
    throw expected(value, at, `1 to ${lengthMax} printable characters`);
  }
  return value;
}

/** Control characters, so that no peer can write to an operator's terminal through `status`. */
export function hasControl(value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code < 32 || (code >= 127 && code < 160)) return true;
  }
  return false;
}

function whole(value: unknown, at: string, min: number, max: number): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
    throw expected(value, at, `a whole number from ${min} to ${max}`);
  }
  return value === 0 ? 0 : value; // -0 is read as 0
}

function boolean(value: unknown, at: string): boolean {
  if (typeof value !== "boolean") throw expected(value, at, "true or false");
  return value;
}

function oneOf(value: unknown, at: string, known: ReadonlySet<string>): string {
  if (typeof value !== "string" || !known.has(value)) throw expected(value, at, [...known].join(", "));
  return value;
}

function expected(value: unknown, at: string, what: string): Invalid {
  const is = value === undefined
    ? "missing"
    : typeof value === "string"
    ? quote(value)
    : typeof value === "object" && value !== null
    ? Array.isArray(value) ? "a list" : "an object"
    : String(value);
  return new Invalid(`${at} is ${is}; accepted: ${what}`);
}
