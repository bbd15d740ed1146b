/** All that one check found, and what machines are told of it: JSON, condition, measures, metrics. Pure. */

import type { Condition } from "../../../lib/checks/alarms/memory.ts";
import type { Cause } from "../../../lib/checks/cause.ts";
import { type Evidence, ofKind, type Unseen } from "../../../lib/checks/evidence.ts";
import type { CheckQuestion } from "../../../lib/checks/question.ts";
import { type Judgement, type Severity, type Verdict, worst } from "../../../lib/checks/verdict.ts";
import { isAlert, type Measure, plain, type Range } from "../../render/nagios.ts";
import { type Family, stateSamples } from "../../render/prometheus.ts";
import type { Outputs } from "./outputs.ts";

export interface Report {
  readonly question: CheckQuestion;
  readonly evidence: readonly Evidence[];
  readonly judgement: Judgement;
  /** Empty unless an explanation was asked for. */
  readonly causes: readonly Cause[];
  readonly tookMs: number;
}

/** Raised when a field changes its meaning or goes away; new fields do not raise it. */
export const detectSchema = 1;

export function severityWord(severity: Severity): string {
  return severity.toUpperCase();
}

/** What `--json` prints. The key of a cluster is no evidence and never shown. */
export function detectJson({ question, evidence, judgement, causes, tookMs }: Report) {
  const { authentication: _, ...asked } = question;
  return { schema: detectSchema, ...judgement, causes, tookMs, question: asked, evidence };
}

export function conditionOf({ judgement }: Report): Condition {
  return Object.fromEntries(judgement.verdicts.map((verdict) => [verdict.vip, verdict.severity]));
}

/** What is wrong, or that nothing is, in one line; with the surest cause and what was not seen. */
export function headline({ judgement, causes }: Report): string {
  const { severity, verdicts, unseen } = judgement;
  const told = verdicts.filter((verdict) => verdict.severity === severity).map((verdict) => verdict.sentence);
  const cause = severity === "ok" || causes.length === 0 ? [] : [`cause: ${causes[0]!.sentence}`];
  const missing = [...new Set(unseen.flatMap((piece) => piece.capability ?? []))];
  const lacks = `${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} missing`;
  const blind = missing.length === 0 ? [] : [`not all was seen: ${lacks}`];
  const [first, ...others] = unseen.filter(({ capability }) => capability === null);
  const more = others.length === 0 ? "" : `, and ${others.length} more`;
  const hidden = first === undefined ? [] : [`not seen: ${unseenText(first)}${more}`];
  return plain([...told, ...cause, ...blind, ...hidden].join("; "));
}

/** `neighbours, 10.0.0.9: there is no interface of that name`. */
export function unseenText({ source, subject, reason }: Unseen): string {
  return `${source === subject ? source : `${source}, ${subject}`}: ${reason}`;
}

/** Holders that were seen; `null`: they could not be. */
function holderCount(verdict: Verdict, evidence: readonly Evidence[]): number | null {
  const isSeen = verdict.holders.length > 0 ||
    ofKind(evidence, "neighbour").some((piece) => piece.subject === verdict.vip);
  return isSeen ? verdict.holders.length : null;
}

/** The verdict and what the operator's own thresholds say, whichever is worse, with the reason for the latter. */
export function withThresholds(
  report: Report,
  { warning, critical }: Outputs,
): { severity: Severity; text: string } {
  const { judgement, evidence } = report;
  const counts = judgement.verdicts.flatMap((verdict) => holderCount(verdict, evidence) ?? []);
  const exceeded = (range: Range | null) =>
    range === null ? undefined : counts.find((count) => isAlert(range, count));
  const [critically, warningly] = [exceeded(critical), exceeded(warning)];
  const found: Severity[] = [judgement.severity];
  const reasons: string[] = [];
  if (critically !== undefined) {
    found.push("critical");
    reasons.push(`${critically} seen to hold it, against -c ${critical!.text}`);
  } else if (warningly !== undefined) {
    found.push("warning");
    reasons.push(`${warningly} seen to hold it, against -w ${warning!.text}`);
  }
  return { severity: worst(found), text: [headline(report), ...reasons].join("; ") };
}

export function measures(
  { question, judgement, evidence, tookMs }: Report,
  outputs: Outputs,
  limitMs: number,
): Measure[] {
  const { warning, critical } = outputs;
  const many = judgement.verdicts.length > 1;
  const own = new Set(question.nodes.flatMap((node) => node.addresses));
  const echoes = ofKind(evidence, "echo").filter((piece) => own.has(piece.subject));
  const received = echoes.reduce((sum, piece) => sum + piece.received, 0);
  const sent = echoes.reduce((sum, piece) => sum + piece.sent, 0);
  const trips = echoes.flatMap((piece) => piece.roundTripMs ?? []);
  return [
    ...judgement.verdicts.map((verdict, index): Measure => ({
      label: many ? `holders${index + 1}` : "holders",
      value: holderCount(verdict, evidence),
      unit: "",
      warning,
      critical,
      min: 0,
    })),
    ...(sent === 0 ? [] : [
      {
        label: "rtt",
        value: trips.length === 0 ? null : Math.min(...trips) / 1000,
        unit: "s",
        min: 0,
      } as const,
      { label: "loss", value: (100 * (sent - received)) / sent, unit: "%", min: 0, max: 100 } as const,
    ]),
    { label: "time", value: tookMs / 1000, unit: "s", min: 0, max: limitMs / 1000 },
  ];
}

const severities: readonly Severity[] = ["ok", "warning", "critical", "unknown"];

export function metrics({ judgement, evidence, tookMs }: Report, nowMs: number): Family[] {
  const gauge = (name: string, help: string, samples: Family["samples"]): Family => (
    { name: `heartline_detect_${name}`, help, type: "gauge", samples }
  );
  const { verdicts, unseen } = judgement;
  return [
    gauge(
      "state",
      "Verdict for a virtual address; the present state is 1.",
      verdicts.flatMap(({ vip, severity }) => stateSamples({ vip }, severities, severity)),
    ),
    gauge(
      "holders",
      "Machines seen to hold the virtual address at the same time.",
      verdicts.flatMap((verdict) => {
        const value = holderCount(verdict, evidence);
        return value === null ? [] : [{ labels: { vip: verdict.vip }, value }];
      }),
    ),
    gauge(
      "other_node",
      "Whether the other node lives; the present state is 1.",
      verdicts.flatMap(({ vip, alive }) => stateSamples({ vip }, ["alive", "silent", "unknown"], alive)),
    ),
    gauge(
      "round_trip_seconds",
      "Best round trip to a node's own address in this check.",
      ofKind(evidence, "echo").flatMap(({ subject, roundTripMs }) =>
        roundTripMs === null ? [] : [{ labels: { address: subject }, value: roundTripMs / 1000 }]
      ),
    ),
    gauge("unseen", "Things that could not be looked at in this check.", [{
      labels: {},
      value: unseen.length,
    }]),
    gauge("duration_seconds", "How long this check took.", [{ labels: {}, value: tookMs / 1000 }]),
    gauge("last_run_timestamp_seconds", "Unix time of the end of this check.", [{
      labels: {},
      value: nowMs / 1000,
    }]),
  ];
}
