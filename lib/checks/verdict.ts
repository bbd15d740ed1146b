/**
 * From evidence to one verdict for each address and one for the check: the worst. Pure. Each says in one sentence
 * what is so, and lists what it rests on.
 */

import { type Evidence, ofKind, type Unseen } from "./evidence.ts";
import { type Alive, type Facts, factsOf, type Serves } from "./facts.ts";
import type { CheckedVip, CheckQuestion } from "./question.ts";
import { type Severity, severityOf, type VerdictCode, verdictCode } from "./verdict_table.ts";

export type { Severity, VerdictCode } from "./verdict_table.ts";

export interface Verdict {
  readonly vip: string;
  readonly code: VerdictCode;
  readonly severity: Severity;
  readonly sentence: string;
  readonly holders: readonly string[];
  readonly alive: Alive;
  readonly serves: Serves;
  readonly why: readonly string[];
}

export interface Judgement {
  /** The worst of all. */
  readonly severity: Severity;
  readonly verdicts: readonly Verdict[];
  /** What could not be looked at. */
  readonly unseen: readonly Unseen[];
}

/** From best to worst. A check that saw nothing is no reason to call a split brain less than that. */
const order: readonly Severity[] = ["ok", "unknown", "warning", "critical"];

export function worst(severities: readonly Severity[]): Severity {
  return order[Math.max(0, ...severities.map((severity) => order.indexOf(severity)))]!;
}

export function judge(question: CheckQuestion, evidence: readonly Evidence[]): Judgement {
  const verdicts = question.vips.map((vip) => judgeVip(question, vip, evidence));
  return {
    severity: worst(verdicts.map((verdict) => verdict.severity)),
    verdicts,
    unseen: ofKind(evidence, "unseen"),
  };
}

function judgeVip(whole: CheckQuestion, vip: CheckedVip, evidence: readonly Evidence[]): Verdict {
  const question = seenFor(vip, whole);
  const facts = factsOf(question, vip, evidence);
  const code = verdictCode(question.role, facts.place, facts.alive, facts.serves);
  return {
    vip: vip.address,
    code,
    severity: severityOf[code],
    sentence: sentenceOf(code, vip.address, facts, question),
    holders: facts.holders,
    alive: facts.alive,
    serves: facts.serves,
    why: facts.why,
  };
}

/** The roles that hold for one address. */
function seenFor({ own }: CheckedVip, question: CheckQuestion): CheckQuestion {
  if (own === undefined) return question;
  const roleOf = (name: string) => (name === own.primary ? "primary" : "standby");
  return {
    ...question,
    role: own.role,
    nodes: question.nodes.map((node) => ({ ...node, role: roleOf(node.name) })),
  };
}

function sentenceOf(code: VerdictCode, vip: string, facts: Facts, question: CheckQuestion): string {
  const holders = facts.holders.join(" and ");
  const primary = question.nodes.find((node) => node.role === "primary")?.name ?? "primary";
  const other = primary === "primary"
    ? "the primary"
    : primary.startsWith("the ")
    ? primary
    : `primary ${primary}`;
  switch (code) {
    case "not-here": {
      const rest = facts.place === "nobody"
        ? "; nobody answers for it"
        : holders === ""
        ? ""
        : `; ${holders} has it`;
      return `${notHere(vip, question)}${rest}`;
    }
    case "held-by-primary":
      return `${vip} is held by ${holders} alone`;
    case "held-by-one":
      return `${vip} has one holder, ${holders}`;
    case "held-here": {
      const isAlone = facts.alive === "silent" ? "; the other node is silent" : "";
      return `${vip} is held by this ${question.role === "primary" ? "primary" : "node"}${isAlone}`;
    }
    case "held-here-by-right":
      return `${vip} is on this standby by right: ${facts.right}; ${other} is alive without it`;
    case "moving":
      return `${vip} moved during the check; look again`;
    case "taken-over":
      return `taken over: ${vip} is on this standby, and ${other} is silent on all paths; a person should look`;
    case "taken-over-unverified":
      return `${vip} is on this standby, and whether ${other} lives is not known; ` +
        (question.nodes.length === 0 ? "name its address with --primary" : "a person should look");
    case "held-by-standby":
      return `${vip} is held by ${holders}, not by ${other}`;
    case "held-by-stranger":
      return `${vip} is held by a stranger, ${holders}`;
    case "held-by-observer":
      return `${vip} is on this machine, which is said to be none of its nodes`;
    case "no-holder":
      return facts.place === "unseen" || facts.place === "unaskable"
        ? `${notHere(vip, question)}, and who has it could not be seen`
        : `nobody answers for ${vip}`;
    case "not-seen":
      return question.role === "observer"
        ? `who has ${vip} could not be seen`
        : `${notHere(vip, question)}, and who has it could not be seen`;
    case "split-brain-likely":
      return `split brain likely: ${vip} is on this standby although ${other} is alive${alone(facts)}`;
    case "split-brain":
      return facts.place === "several"
        ? `split brain: ${vip} is held by ${holders} at the same time`
        : `split brain: ${vip} is on this standby although ${other} is alive and its service answers${
          alone(facts)
        }`;
  }
}

function notHere(vip: string, { role }: CheckQuestion): string {
  return `${vip} is not on this ${role === "either" ? "node" : role}`;
}

/** What a person needs to know first: whether traffic really goes two ways at this moment. */
function alone({ isAloneOnWire }: Facts): string {
  return isAloneOnWire ? "; nobody else answers for it on this wire" : "";
}
