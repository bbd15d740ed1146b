/**
 * What `iptables-save` and `ip6tables-save` print, to chains. Pure. The options that matter to heartbeats are read;
 * a rule with any other carries an `unknown` test. The table `nat` is left out: it drops nothing.
 */

import type { Chain, Field, Hook, Operand, Rule, RuleEnd, Test } from "./ruleset.ts";

/** Priority of each table at its hooks (ip_tables' own). */
const priorities: Readonly<Record<string, number>> = { raw: -300, mangle: -150, filter: 0, security: 50 };
const hookNames: Readonly<Record<string, Hook>> = {
  PREROUTING: "prerouting",
  INPUT: "input",
  OUTPUT: "output",
  POSTROUTING: "postrouting",
};

const fields: Readonly<Record<string, Field>> = {
  "-i": "in-device",
  "-o": "out-device",
  "-p": "protocol",
  "-s": "source",
  "-d": "destination",
  "--dport": "port",
  "--dports": "port",
  "--destination-port": "port",
  "--sport": "source-port",
  "--sports": "source-port",
  "--ctstate": "connection",
  "--state": "connection",
  "--pkt-type": "packet-type",
};
/** Options, with their number of words, that change nothing about whether a packet matches. */
const idle: Readonly<Record<string, number>> = { "-m": 1, "--comment": 1, "--reject-with": 1, "-c": 2 };

export function readIptables(saved: string, family: "ip" | "ip6"): Chain[] {
  const tool = family === "ip" ? "iptables" : "ip6tables";
  const chains = new Map<string, Chain & { readonly rules: Rule[] }>();
  let table = "";
  for (const line of saved.split("\n")) {
    if (line.startsWith("*")) table = line.slice(1).trim();
    const priority = priorities[table];
    if (priority === undefined) continue;
    const [, name, policy] = /^:(\S+) (\S+)/.exec(line) ?? [];
    if (name !== undefined) {
      chains.set(`${table} ${name}`, {
        ...{ tool, family, table, name, priority, device: null, rules: [] },
        hook: hookNames[name] ?? null,
        policy: policy === "DROP" ? "drop" : "accept",
      });
    }
    const words = line.match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? [];
    if (words[0] === "-A") chains.get(`${table} ${words[1]}`)?.rules.push(readRule(line, words.slice(2)));
  }
  return [...chains.values()];
}

function readRule(text: string, words: readonly string[]): Rule {
  const tests: Test[] = [];
  let end: RuleEnd = { kind: "continue" };
  let isNegated = false;
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    const field = fields[word];
    const next = words[at + 1] ?? "";
    if (word === "!") isNegated = true;
    else if (word === "-j" || word === "-g") {
      end = endOf(word, next);
      at++;
    } else if (field !== undefined) {
      tests.push(compare(field, next, isNegated));
      isNegated = false;
      at++;
    } else if (idle[word] !== undefined) at += idle[word];
    else if (word.startsWith("-")) {
      // Its values follow, and are passed over as words that are no options.
      tests.push({ kind: "unknown" });
      isNegated = false;
    }
  }
  return { text, handle: null, tests, end };
}

function endOf(option: string, target: string): RuleEnd {
  switch (target) {
    case "DROP":
    case "REJECT":
      return { kind: "drop" };
    case "ACCEPT":
      return { kind: "accept" };
    case "RETURN":
      return { kind: "return" };
    default:
      return { kind: option === "-g" ? "goto" : "jump", chain: target };
  }
}

function compare(field: Field, value: string, isNegated: boolean): Test {
  const operand: Operand = {
    kind: "any-of",
    operands: value.split(",").map((part) => operandOf(field, part)),
  };
  return { kind: "compare", field, layer: null, operator: isNegated ? "!=" : "==", operand };
}

function operandOf(field: Field, part: string): Operand {
  const [address, length] = part.split("/");
  if ((field === "source" || field === "destination") && length !== undefined) {
    return { kind: "prefix", address: address!, length: Number(length) };
  }
  const [from, to] = part.split(":");
  if ((field === "port" || field === "source-port") && to !== undefined) {
    return { kind: "range", from: from!, to };
  }
  const word = field.endsWith("device") ? part.replace(/\+$/, "*") : part.toLowerCase();
  return { kind: "word", word };
}
