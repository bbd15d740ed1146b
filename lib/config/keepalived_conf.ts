/**
 * What a keepalived.conf says of virtual addresses: the VRRP instances with their interface, router id, state, peers
 * and addresses. Pure. It reads another program's file for one purpose, and passes over everything else in it; what
 * it could not follow (an include, a definition) is told, so that nobody takes silence for completeness.
 */

import { parseAddress } from "./text/addresses.ts";

export interface VrrpInstance {
  readonly name: string;
  /** As it starts; `null`: not said, which keepalived takes for BACKUP. */
  readonly state: "MASTER" | "BACKUP" | null;
  readonly device: string | null;
  readonly version: 2 | 3;
  readonly routerId: number | null;
  readonly priority: number | null;
  readonly intervalMs: number;
  readonly authentication: VrrpAuthenticationSettings;
  /** A better one that comes back does not take over. */
  readonly isNopreempt: boolean;
  readonly addresses: ReadonlyArray<
    { readonly address: string; readonly family: 4 | 6; readonly device: string | null }
  >;
  /** Those of them that its advertisements name. */
  readonly advertised: readonly string[];
  /** Of `unicast_peer`, canonical. */
  readonly peers: readonly string[];
}

/** `password`: as far as it is sent; never shown. */
export type VrrpAuthenticationSettings =
  | { readonly kind: "none" | "header" }
  | { readonly kind: "password"; readonly password: string };

export interface KeepalivedConf {
  readonly instances: readonly VrrpInstance[];
  /** Lines that were not followed. */
  readonly unread: readonly string[];
}

interface Statement {
  readonly words: readonly string[];
  readonly body: readonly Statement[];
}

export function parseKeepalivedConf(text: string): KeepalivedConf {
  const statements = readStatements(text);
  const globals = statements.filter(({ words }) => words[0] === "global_defs").flatMap(({ body }) => body);
  const isThird = globals.some(({ words }) => words[0] === "vrrp_version" && words[1] === "3");
  return {
    instances: statements.filter(({ words }) => words[0] === "vrrp_instance")
      .map((statement) => readInstance(statement, isThird ? 3 : 2)),
    unread: statements.filter(({ words }) => /^(include|@|\$)/.test(words[0] ?? ""))
      .map(({ words }) => words.join(" ")),
  };
}

/** Eight bytes of a password are sent (RFC 2338, 5.3.6.2). */
const passwordLengthMax = 8;

function readInstance({ words, body }: Statement, versionDefault: 2 | 3): VrrpInstance {
  const value = (name: string) => body.find((statement) => statement.words[0] === name)?.words[1] ?? null;
  const number = (name: string) => {
    const text = value(name);
    return text !== null && /^\d{1,3}$/.test(text) ? Number(text) : null;
  };
  const inside = (name: string) =>
    body.filter((statement) => statement.words[0] === name).flatMap((statement) => statement.body);
  const state = value("state");
  const version = value("version");
  const seconds = Number(value("advert_int") ?? 1);
  const advertised = inside("virtual_ipaddress").flatMap(readAddress);
  return {
    name: words[1] ?? "",
    state: state === "MASTER" || state === "BACKUP" ? state : null,
    device: value("interface"),
    version: version === "3" ? 3 : version === "2" ? 2 : versionDefault,
    routerId: number("virtual_router_id"),
    priority: number("priority"),
    intervalMs: Number.isFinite(seconds) ? Math.round(seconds * 1000) : 1000,
    authentication: readAuthentication(inside("authentication")),
    isNopreempt: body.some((statement) => statement.words[0] === "nopreempt"),
    addresses: [...advertised, ...inside("virtual_ipaddress_excluded").flatMap(readAddress)],
    advertised: advertised.map(({ address }) => address),
    peers: inside("unicast_peer").flatMap(({ words }) => parseAddress(words[0] ?? "")?.text ?? []),
  };
}

function readAuthentication(body: readonly Statement[]): VrrpAuthenticationSettings {
  const value = (name: string) => body.find(({ words }) => words[0] === name)?.words[1];
  switch (value("auth_type")) {
    case "PASS":
      return {
        kind: "password",
        password: (value("auth_pass") ?? "").replaceAll('"', "").slice(0, passwordLengthMax),
      };
    case "AH":
      return { kind: "header" };
    default:
      return { kind: "none" };
  }
}

/** `10.0.0.9/24 dev eth0 label eth0:1`. */
function readAddress({ words }: Statement) {
  const address = parseAddress((words[0] ?? "").split("/")[0]!);
  if (address === null) return [];
  const at = words.indexOf("dev");
  return [{ address: address.text, family: address.family, device: at < 0 ? null : words[at + 1] ?? null }];
}

/** A statement ends with its line or its block; a comment begins with `#` or `!`. */
function readStatements(text: string): Statement[] {
  const tokens = text.split("\n").flatMap((
    line,
  ) => [
    ...line.replace(/[#!].*$/, "").replaceAll(/[{}]/g, " $& ").split(/\s+/).filter((word) => word !== ""),
    "\n",
  ]);
  let position = 0;
  const block = (depth: number): Statement[] => {
    const statements: Statement[] = [];
    let words: string[] = [];
    const end = (body: Statement[]) => {
      if (words.length > 0) statements.push({ words, body });
      words = [];
    };
    while (position < tokens.length) {
      const token = tokens[position++]!;
      // A block may open on the line after its name.
      if (token === "{") end(depth < depthMax ? block(depth + 1) : []);
      else if (token === "}") {
        end([]);
        if (depth > 0) return statements;
      } else if (token === "\n") {
        if (nextWord(tokens, position) !== "{") end([]);
      } else words.push(token);
    }
    end([]);
    return statements;
  };
  return block(0);
}

/** Deeper than keepalived itself goes; a bound against files that are none. */
const depthMax = 16;

function nextWord(tokens: readonly string[], from: number): string | undefined {
  let at = from;
  while (tokens[at] === "\n") at++;
  return tokens[at];
}
