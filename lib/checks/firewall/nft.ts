/**
 * What `nft -j list ruleset` and `nft -a list ruleset` print, to chains. Pure. The first is read for its meaning, the
 * second only for the words in which a rule is shown, and for the device of an ingress chain, which older versions
 * leave out of the first. What is not understood becomes `unknown`, never an error.
 */

import {
  type Chain,
  type Field,
  type Hook,
  hooks,
  type Operand,
  type Operator,
  type Rule,
  type RuleEnd,
  type Test,
} from "./ruleset.ts";

type Json = null | string | number | boolean | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = { readonly [key: string]: Json };
type Sets = ReadonlyMap<string, Operand>;
/** What rules refer to by `@name`, by place. */
interface Named {
  readonly sets: Sets;
  /** Pairs of a key and a verdict (or a mark, an address…). */
  readonly maps: ReadonlyMap<string, Json>;
}
type Layer = Extract<Test, { kind: "compare" }>["layer"];

const knownHooks: readonly string[] = [...hooks.in, ...hooks.out];

/** Throws a SyntaxError for what is no JSON. */
export function readNft(json: string, listing: string): Chain[] {
  const root = JSON.parse(json) as Json;
  const items = isObject(root) && Array.isArray(root["nftables"]) ? root["nftables"].filter(isObject) : [];
  const of = (kind: string) =>
    items.map((item) => item[kind]).filter((item) => isObject(item ?? null)) as JsonObject[];
  const named: Named = {
    sets: new Map(of("set").map((set) => [placeOf(set, text(set["name"])), anyOf(set["elem"] ?? [])])),
    maps: new Map(of("map").map((map) => [placeOf(map, text(map["name"])), map["elem"] ?? []])),
  };
  const words = readListing(listing);
  const rules = of("rule");
  return of("chain").map((chain) => {
    const [family, table, name] = [text(chain["family"]), text(chain["table"]), text(chain["name"])];
    const hook = text(chain["hook"]);
    const place = `${family} ${table} ${name}`;
    const device = typeof chain["dev"] === "string" ? chain["dev"] : words.devices.get(place) ?? null;
    return {
      tool: "nft",
      ...{ family, table, name, device },
      hook: knownHooks.includes(hook) ? hook as Hook : null,
      priority: Number(chain["prio"] ?? 0),
      policy: chain["policy"] === "drop" ? "drop" : "accept",
      rules: rules.filter((rule) => `${rule["family"]} ${rule["table"]} ${rule["chain"]}` === place)
        .map((rule) => readRule(rule, named, words.rules.get(`${place} ${rule["handle"]}`))),
    };
  });
}

/** Words of each rule and devices of chains, by place. */
function readListing(listing: string) {
  const [rules, devices] = [new Map<string, string>(), new Map<string, string>()];
  let [table, chain] = ["", ""];
  for (const line of listing.split("\n")) {
    const [, family, name] = /^table (\S+) (\S+) \{/.exec(line) ?? [];
    if (name !== undefined) table = `${family} ${name}`;
    chain = /^\tchain (\S+) \{/.exec(line)?.[1] ?? (/^\t(set|map|ct|flowtable)/.test(line) ? "" : chain);
    const device =
      /hook (?:ingress|egress) devices? = ?\{? ?"?([^" ;}]+)|hook (?:ingress|egress) device "([^"]+)"/.exec(
        line,
      );
    if (device !== null) devices.set(`${table} ${chain}`, device[1] ?? device[2]!);
    const [, words, handle] = /^\t\t(.*) # handle (\d+)$/.exec(line) ?? [];
    if (words !== undefined) rules.set(`${table} ${chain} ${handle}`, words);
  }
  return { rules, devices };
}

function readRule(rule: JsonObject, named: Named, words: string | undefined): Rule {
  const place = placeOf(rule, "");
  const expressions = Array.isArray(rule["expr"]) ? rule["expr"].filter(isObject) : [];
  const tests: Test[] = [];
  let end: RuleEnd = { kind: "continue" };
  for (const expression of expressions) {
    const [name] = Object.keys(expression);
    const value = expression[name ?? ""] ?? null;
    if (name === "match") tests.push(readMatch(value, named.sets, place));
    else if (name === "limit" || name === "xt") tests.push({ kind: "unknown" });
    else if (name === "vmap") end = readMap(value, named, place);
    else end = readEnd(expression) ?? end;
  }
  const handle = typeof rule["handle"] === "number" ? rule["handle"] : null;
  return { text: words ?? JSON.stringify(rule["expr"]), handle, tests, end };
}

/** What becomes of the traffic is not known here. */
const undecided: RuleEnd = { kind: "map", field: null, layer: null, entries: [], isComplete: false };

function readEnd(expression: JsonObject): RuleEnd | null {
  const [name] = Object.keys(expression);
  switch (name) {
    case "drop":
    case "reject":
      return { kind: "drop" };
    case "accept":
    case "continue":
    case "return":
      return { kind: name };
    case "jump":
    case "goto": {
      const target = expression[name] ?? null;
      return { kind: name, chain: isObject(target) ? text(target["target"]) : "" };
    }
    // Another program, interface or socket decides.
    case "queue":
    case "fwd":
    case "synproxy":
    case "tproxy":
      return undecided;
    default:
      return null;
  }
}

function readMatch(value: Json, sets: Sets, place: string): Test {
  if (!isObject(value)) return { kind: "unknown" };
  const [left, operator] = [fieldOf(value["left"] ?? null), text(value["op"])];
  const operand = operandOf(value["right"] ?? null, sets, place);
  if (left === null || operand === null || !isOperator(operator)) return { kind: "unknown" };
  return { kind: "compare", ...left, operator, operand };
}

function readMap(value: Json, { sets, maps }: Named, place: string): RuleEnd {
  const { key = null, data = null } = isObject(value) ? value : {};
  const left = fieldOf(key);
  const pairs = typeof data === "string"
    ? maps.get(place + data.slice(1))
    : isObject(data)
    ? data["set"]
    : null;
  const list: readonly Json[] = Array.isArray(pairs) ? pairs : [];
  const entries = list.flatMap((pair): Array<readonly [Operand, RuleEnd]> => {
    if (!Array.isArray(pair) || !isObject(pair[1])) return [];
    const [operand, end] = [operandOf(pair[0], sets, place), readEnd(pair[1])];
    return operand === null || end === null ? [] : [[operand, end]];
  });
  const isComplete = Array.isArray(pairs) && entries.length === list.length;
  return { kind: "map", field: left?.field ?? null, layer: left?.layer ?? null, entries, isComplete };
}

const metaFields: Readonly<Record<string, Field>> = {
  iif: "in-device",
  iifname: "in-device",
  oif: "out-device",
  oifname: "out-device",
  l4proto: "protocol",
  nfproto: "ip-version",
  protocol: "ethernet-type",
  pkttype: "packet-type",
};

const payloadFields: Readonly<Record<string, readonly [Field, Layer]>> = {
  "ip saddr": ["source", "4"],
  "ip daddr": ["destination", "4"],
  "ip protocol": ["protocol", "4"],
  "ip6 saddr": ["source", "6"],
  "ip6 daddr": ["destination", "6"],
  "ip6 nexthdr": ["protocol", "6"],
  "udp dport": ["port", 17],
  "udp sport": ["source-port", 17],
  "tcp dport": ["port", 6],
  "tcp sport": ["source-port", 6],
  "th dport": ["port", null],
  "th sport": ["source-port", null],
  "arp saddr ip": ["source", "arp"],
  "arp daddr ip": ["destination", "arp"],
  "ether type": ["ethernet-type", null],
};

function fieldOf(left: Json): { field: Field; layer: Layer } | null {
  if (!isObject(left)) return null;
  const { meta, payload, ct } = left as Record<string, Json>;
  if (isObject(meta ?? null)) {
    const field = metaFields[text((meta as JsonObject)["key"])];
    return field === undefined ? null : { field, layer: null };
  }
  if (isObject(payload ?? null)) {
    const { protocol, field } = payload as JsonObject;
    const known = payloadFields[`${protocol} ${field}`];
    return known === undefined ? null : { field: known[0], layer: known[1] };
  }
  if (isObject(ct ?? null) && (ct as JsonObject)["key"] === "state") {
    return { field: "connection", layer: null };
  }
  return null;
}

function operandOf(right: Json, sets: Sets, place: string): Operand | null {
  if (typeof right === "string" && right.startsWith("@")) return sets.get(place + right.slice(1)) ?? null;
  if (typeof right === "string" || typeof right === "number") return { kind: "word", word: `${right}` };
  if (Array.isArray(right)) return anyOf(right);
  if (!isObject(right)) return null;
  const { prefix, range, set, elem } = right as Record<string, Json>;
  if (set !== undefined) return anyOf(set);
  if (isObject(elem ?? null)) return operandOf((elem as JsonObject)["val"] ?? null, sets, place);
  if (isObject(prefix ?? null)) {
    const { addr, len } = prefix as JsonObject;
    return { kind: "prefix", address: text(addr), length: Number(len) };
  }
  if (Array.isArray(range)) return { kind: "range", from: `${range[0]}`, to: `${range[1]}` };
  return null;
}

function anyOf(elements: Json): Operand {
  const list = Array.isArray(elements) ? elements : [elements];
  const operands = list.map((element) => operandOf(element, new Map(), "")).filter((each) => each !== null);
  return { kind: "any-of", operands };
}

function placeOf(item: JsonObject, name: string): string {
  return `${item["family"]} ${item["table"]} ${name}`;
}

function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isOperator(word: string): word is Operator {
  return ["==", "!=", "in", "<", ">", "<=", ">="].includes(word);
}

function text(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}
