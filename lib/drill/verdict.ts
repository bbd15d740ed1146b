/**
 * What a drill should have shown, what it did show, and whether that is well. Pure: from the plan, what was known
 * before, and what was seen. What could not be seen is `unclear`, never `ok`.
 */

import type { NodeView } from "../core/view.ts";
import { neighbourRetryMs } from "../core/limits.ts";
import type { Paths } from "./guards.ts";
import type { HeartbeatLoss } from "./heartbeats.ts";
import type { Direction, DrillPlan } from "./plan.ts";
import { type Round, type Sighting, thisMachine } from "./watch.ts";

export type Verdict = "ok" | "bad" | "unclear";

export interface Finding {
  readonly what: string;
  readonly expected: string;
  readonly observed: string;
  readonly verdict: Verdict;
}

export interface Account {
  readonly plan: DrillPlan;
  readonly paths: Paths;
  /** Instants at which the link was cut, given back, and the watching ended. */
  readonly cutAtMs: number;
  readonly healedAtMs: number;
  readonly endAtMs: number;
  readonly sightings: readonly Sighting[];
  /** `null`: the rules were gone before they could be read. */
  readonly dropped: Readonly<Partial<Record<Direction, number>>> | null;
  /** `null`: no daemon of ours. */
  readonly daemon: DaemonAccount | null;
}

export interface DaemonAccount {
  readonly before: NodeView;
  /** `null`: it did not answer any more. */
  readonly after: NodeView | null;
  /** Groups that two nodes at once said to hold, as often as the daemon was asked. */
  readonly doubleGroups: readonly string[];
  /** What the daemon said of others who claimed an address that is held here, and other nodes of two holders. */
  readonly rivals: readonly string[];
  /** Alarms raised and cleared since the cut, in order. */
  readonly alarms: ReadonlyArray<
    { readonly isRaised: boolean; readonly code: string; readonly sentence: string }
  >;
}

export interface Judgement {
  readonly verdict: "passed" | "failed" | "unclear";
  readonly findings: readonly Finding[];
}

/** A shorter silence of an address is scheduling, or a switch that learns: not an outage that a client would notice. */
export const outageMsMin = 1_000;

/** Codes of alarms that say that a link, or a whole node, is not heard. */
const linkAlarms = ["link-lost", "one-way", "node-dead"];

/** What a busy machine may add to the time after which an alarm about one direction is due. */
const alarmMarginMs = 500;

/** `heartbeats`: what the cut does to them; of no matter without a daemon of ours. */
export function judge(account: Account, heartbeats: HeartbeatLoss): Judgement {
  const findings = [
    traffic(account),
    ...account.sightings.flatMap((sighting) => [
      holders(account, sighting),
      place(account, sighting),
      service(account, sighting),
    ]),
    ...(account.daemon === null ? [] : alarms(account, account.daemon, heartbeats)),
  ];
  const isSeen = account.sightings.length > 0 || account.daemon !== null;
  const verdict = findings.some((finding) => finding.verdict === "bad")
    ? "failed"
    : !isSeen || findings.some((finding) => finding.verdict === "unclear")
    ? "unclear"
    : "passed";
  return { verdict, findings };
}

/** A drill that hit nothing proves nothing. */
function traffic({ plan, dropped }: Account): Finding {
  const expected = `packets are dropped ${plan.directions.join(" and ")}`;
  const what = "traffic";
  if (dropped === null) {
    return { what, expected, observed: "the rules were gone before they were counted", verdict: "unclear" };
  }
  const idle = plan.directions.filter((direction) => (dropped[direction] ?? 0) === 0);
  const counts = plan.directions.map((direction) => `${dropped[direction] ?? 0} ${direction}`).join(", ");
  return { what, expected, observed: `dropped: ${counts}`, verdict: idle.length > 0 ? "unclear" : "ok" };
}

function holders(account: Account, sighting: Sighting): Finding {
  const what = `holders of ${sighting.address}`;
  const expected = "never two";
  const since = sighting.rounds.filter(({ atMs }) => atMs >= account.cutAtMs);
  const double = doubleMs(since);
  if (double > 0) {
    const names = since.find((round) => round.holders.length > 1)!.holders.join(" and ");
    return { what, expected, observed: `two for about ${seconds(double)}: ${names}`, verdict: "bad" };
  }
  const blind = blindness(account, sighting);
  if (blind === "") return { what, expected, observed: "never two seen", verdict: "ok" };
  // Over the links that are left, the daemons tell each other.
  return account.daemon !== null && account.paths.kind === "left"
    ? { what, expected, observed: `by the daemons' statements never two (${blind})`, verdict: "ok" }
    : { what, expected, observed: `not seen: ${blind}`, verdict: "unclear" };
}

/**
 * Two others in one round may be a handover in its middle; in two consecutive ones they are two. This machine counts
 * for a round only if it had the address all along, so that another answer beside it is a second holder at once.
 */
function doubleMs(rounds: readonly Round[]): number {
  let sum = 0;
  for (let index = 1; index < rounds.length; index++) {
    const [before, now] = [rounds[index - 1]!, rounds[index]!];
    if (now.holders.length < 2) continue;
    if (now.holders.includes(thisMachine) || before.holders.length > 1) sum += now.atMs - before.atMs;
  }
  return sum;
}

function place(account: Account, sighting: Sighting): Finding {
  const what = `place of ${sighting.address}`;
  const mayMove = account.paths.kind !== "left" && account.plan.lossPermille === 1000;
  const expected = mayMove ? "stays, or moves once" : "stays where it is";
  const before = lastHolder(sighting.rounds.filter(({ atMs }) => atMs < account.cutAtMs));
  if (before === null) {
    return { what, expected, observed: "nobody answered before the cut", verdict: "unclear" };
  }
  const stops = route(before, sighting.rounds.filter(({ atMs }) => atMs >= account.cutAtMs));
  const end = lastHolder(sighting.rounds.slice(-5));
  if (end === null) {
    return { what, expected, observed: `${before}, and nobody answers for it at the end`, verdict: "bad" };
  }
  if (stops.length === 1) return { what, expected, observed: `${before}, throughout`, verdict: "ok" };
  const observed = `moved: ${stops.join(" → ")}`;
  return { what, expected, observed, verdict: mayMove && stops.length === 2 ? "ok" : "bad" };
}

/** Who held it one after another; rounds with none or with several say nothing. */
function route(first: string, rounds: readonly Round[]): string[] {
  const stops = [first];
  for (const { holders } of rounds) {
    if (holders.length === 1 && holders[0] !== stops.at(-1)) stops.push(holders[0]!);
  }
  return stops;
}

function lastHolder(rounds: readonly Round[]): string | null {
  return rounds.findLast((round) => round.holders.length > 0)?.holders[0] ?? null;
}

function service(account: Account, sighting: Sighting): Finding {
  const what = `service of ${sighting.address}`;
  const mayMove = account.paths.kind !== "left" && account.plan.lossPermille === 1000;
  const expected = mayMove ? "answers again at the end" : "answers a ping throughout";
  const replies = sighting.repliesAtMs.filter((atMs) => atMs < account.cutAtMs);
  if (replies.length === 0) {
    return { what, expected, observed: "did not answer before the cut", verdict: "unclear" };
  }
  const silence = longestSilenceMs(sighting.repliesAtMs, account.cutAtMs, account.endAtMs);
  const isBack = account.endAtMs - (sighting.repliesAtMs.at(-1) ?? 0) < outageMsMin;
  const where = lastHolder(sighting.rounds.filter(({ atMs }) => atMs < account.cutAtMs)) === thisMachine
    ? ", asked on this machine itself"
    : "";
  const observed = !isBack
    ? `silent since ${seconds(account.endAtMs - (sighting.repliesAtMs.at(-1) ?? 0))}`
    : silence < outageMsMin
    ? `no outage: longest silence ${Math.round(silence)} ms${where}`
    : `outage of ${seconds(silence)} as seen from here${where}`;
  if (!isBack) return { what, expected, observed, verdict: "bad" };
  if (silence < outageMsMin || mayMove) return { what, expected, observed, verdict: "ok" };
  const blind = blindness(account, sighting);
  return blind === ""
    ? { what, expected, observed, verdict: "bad" }
    : { what, expected, observed: `not seen: ${blind}`, verdict: "unclear" };
}

/** Between two replies, or between a reply and the ends of the window. */
function longestSilenceMs(replies: readonly number[], fromMs: number, toMs: number): number {
  const inside = replies.filter((atMs) => atMs >= fromMs && atMs <= toMs);
  const ends = [fromMs, ...inside, toMs];
  return Math.max(...ends.slice(1).map((atMs, index) => atMs - ends[index]!));
}

/** Why this machine could not see who holds the address while the link was cut; empty: it could. */
function blindness({ plan }: Account, { blindness, device, address }: Sighting): string {
  if (blindness !== "") return blindness;
  if (device !== plan.link) return "";
  return plan.scope.kind === "everything" || plan.scope.address === address || plan.scope.hardware !== null
    ? `the questions go over ${plan.link}, which was cut`
    : "";
}

function alarm(account: Account, { alarms, before }: DaemonAccount, heartbeats: HeartbeatLoss): Finding {
  const { plan, healedAtMs, cutAtMs } = account;
  const raised = alarms.filter(({ isRaised, code }) => isRaised && linkAlarms.includes(code));
  const codes = [...new Set(raised.map(({ code }) => code))];
  const [what, observed] = ["alarm here", codes.length === 0 ? "none" : `raised: ${codes.join(", ")}`];
  const dueMs = alarmDueMs(plan, before);
  if (heartbeats.kind === "unnoticed") {
    const expected = `none, since ${heartbeats.why}`;
    return { what, expected, observed, verdict: codes.length === 0 ? "ok" : "bad" };
  }
  if (plan.lossPermille < 1000 || healedAtMs - cutAtMs <= dueMs) {
    const why = plan.lossPermille < 1000
      ? "only a part of the packets was dropped"
      : `the cut lasted no longer than ${seconds(dueMs)}`;
    return { what, expected: `none is due, since ${why}`, observed, verdict: "ok" };
  }
  if (heartbeats.kind === "unknown" && codes.length === 0) {
    return { what, expected: `not known: ${heartbeats.why}`, observed, verdict: "unclear" };
  }
  const expected = `the daemon says that ${plan.link} is ${
    plan.directions.includes("in") ? "lost" : "one-way"
  }`;
  return { what, expected, observed, verdict: codes.length === 0 ? "bad" : "ok" };
}

/**
 * Until the daemon must have said that the link does not carry. Who still hears the others learns from them, once the
 * link is dead for them, that he is not heard, and says so when that has lasted (`Roster`).
 */
function alarmDueMs({ directions }: DrillPlan, { timing: { deadTimeMs, keepaliveMs } }: NodeView): number {
  return 2 * deadTimeMs +
    (directions.includes("in") ? 0 : 2 * keepaliveMs + neighbourRetryMs + alarmMarginMs);
}

function alarms(account: Account, daemon: DaemonAccount, heartbeats: HeartbeatLoss): Finding[] {
  const { after, alarms, before, doubleGroups, rivals } = daemon;
  const raisedFinding = alarm(account, daemon, heartbeats);
  const doubles = [
    ...doubleGroups.map((group) => `two nodes said at once that they hold ${group}`),
    ...alarms.filter(({ isRaised, code }) => isRaised && code === "split-brain")
      .map(({ sentence }) => sentence),
    ...rivals,
  ].map((observed) => ({ what: "holders", expected: "never two", observed, verdict: "bad" } as const));
  if (after === null) {
    const observed = "the daemon does not answer any more";
    return [...doubles, raisedFinding, {
      what: "recovery",
      expected: "the daemon runs",
      observed,
      verdict: "bad",
    }];
  }
  const known = new Set(before.alarms.map(({ code, subject }) => `${code} ${subject}`));
  const left = after.alarms.filter(({ code, subject }) => !known.has(`${code} ${subject}`));
  const codesLeft = left.map(({ code, subject }) => `${code} (${subject})`).join(", ");
  return [...doubles, raisedFinding, {
    what: "recovery",
    expected: "no alarm stays",
    observed: left.length === 0
      ? `none left ${seconds(account.endAtMs - account.healedAtMs)} after the cut's end`
      : `still active: ${codesLeft}`,
    verdict: left.length === 0 ? "ok" : "bad",
  }];
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
