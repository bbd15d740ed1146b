/** What a measurement found, for every form of output, and whether it is as it should be. */

import { type Advice, advise, type Wishes } from "../../../lib/measure/recommend.ts";
import { type PathReport, reportOf } from "../../../lib/measure/report.ts";
import type { InterfaceFacts } from "../../../lib/probe/interface_facts.ts";
import type { PathState } from "../../../lib/probe/measurement.ts";
import type { PassiveLink } from "./passive.ts";
import type { SkippedLink } from "./plan.ts";
import { renderSpan } from "../../render/probe/spans.ts";

export interface PathResult {
  readonly kind: PathState["prober"]["kind"] | "heartbeats";
  readonly description: string;
  readonly device: string | null;
  readonly caveat: string | null;
  readonly answeredBy: readonly string[];
  readonly facts: InterfaceFacts | null;
  readonly report: PathReport;
}

export interface ProbeResult {
  readonly paths: readonly PathResult[];
  /** One for each node at the far end; empty: no path carries. */
  readonly prices: readonly Price[];
  readonly acceptMs: number;
  /** Heartbeats meanwhile, by the daemon of this machine; `null`: none runs, or it was not asked. */
  readonly passive: readonly PassiveLink[] | null;
  readonly skipped: readonly SkippedLink[];
  readonly intervalMs: number;
  readonly patienceMs: number;
  /** Beats that this machine itself slept through. */
  readonly missedBeats: number;
  readonly findings: readonly Finding[];
}

export interface Price {
  /** The node at the far end; `null`: the paths were named one by one, and are taken for links to one machine. */
  readonly peer: string | null;
  /** How many paths carry. */
  readonly pathCount: number;
  readonly advice: Advice;
}

export interface Finding {
  readonly severity: "critical" | "warning";
  readonly sentence: string;
}

export interface Surroundings {
  readonly facts: ReadonlyMap<string, InterfaceFacts>;
  readonly passive: readonly PassiveLink[] | null;
  readonly skipped: ProbeResult["skipped"];
  readonly missedBeats: number;
  readonly intervalMs: number;
  readonly patienceMs: number;
  /** The paths are links of a cluster: each leads to the node that answers. */
  readonly isCluster: boolean;
}

export function resultOf(states: readonly PathState[], wishes: Wishes, around: Surroundings): ProbeResult {
  const paths = states.map(({ prober, outcome, answeredBy, heardElsewhere }): PathResult => {
    const { kind, description, device, caveat } = prober;
    const facts = device === null ? null : around.facts.get(device) ?? null;
    return {
      kind,
      description,
      device,
      caveat,
      answeredBy,
      facts,
      report: reportOf(outcome, heardElsewhere),
    };
  });
  return resultFrom(paths, wishes, around);
}

/** From paths that were measured in one way or the other. */
export function resultFrom(paths: readonly PathResult[], wishes: Wishes, around: Surroundings): ProbeResult {
  const { passive, skipped, intervalMs, patienceMs, missedBeats, isCluster } = around;
  const byPeer = Map.groupBy(paths, ({ answeredBy }) => isCluster ? answeredBy[0] ?? null : null);
  const prices = [...byPeer].flatMap(([peer, group]): Price[] => {
    const reports = group.map(({ report }) => report);
    const advice = advise(reports, wishes);
    const pathCount = reports.filter(({ verdict }) => verdict === "both" || verdict === "inward").length;
    return advice === null ? [] : [{ peer, pathCount, advice }];
  });
  return {
    ...{ paths, prices, passive, skipped, intervalMs, patienceMs, missedBeats },
    acceptMs: wishes.acceptMs,
    // Only on the settings' own links is it the daemons that are asked: elsewhere their heartbeats tell nothing.
    findings: [
      ...pathFindings(paths, passive, isCluster),
      ...linkFindings(skipped, passive, isCluster),
      ...prices.flatMap((price) => priceFindings(price, wishes)),
    ],
  };
}

/** What it means that nothing came back: heartbeats that come nevertheless tell that the link carries towards here. */
function silence(
  { kind, device, report }: PathResult,
  passive: ProbeResult["passive"],
  isCluster: boolean,
): string {
  if (kind === "heartbeats") return "none heard";
  const heard = kind === "udp" && isCluster
    ? passive?.find(({ link, heard }) => link === device && heard > 0)
    : undefined;
  return heard === undefined
    ? `no answer to ${report.asked} questions${hints[kind]}`
    : `no answer, but heartbeats of ${heard.peer} come: one-way, or its daemon answers no questions`;
}

/** What to look at where nobody answers. */
const hints: Readonly<Record<PathResult["kind"], string>> = {
  udp:
    "; does a Heartline daemon or heartline probe --listen run there, with the same key, and is the port open?",
  icmp: "; is the machine on, and does it answer pings?",
  tcp: "; is the machine on, or does a firewall drop the port?",
  serial: "; does heartline probe --listen --serial run there, at the same speed?",
  link: "; is the link up at both ends (heartline status --links), and does the same version run there?",
  heartbeats: "",
};

function pathFindings(
  paths: readonly PathResult[],
  passive: ProbeResult["passive"],
  isCluster: boolean,
): Finding[] {
  const findings: Finding[] = [];
  const note = (severity: Finding["severity"], sentence: string) => findings.push({ severity, sentence });
  for (const path of paths) {
    const { description, facts, report } = path;
    if (facts?.hasCarrier === false) note("critical", `${facts.name} has no carrier: cable, port or far end`);
    if (report.verdict === "silent" || report.verdict === "nothing") {
      note("critical", `${description}: ${silence(path, passive, isCluster)}`);
    } else if (report.verdict === "outward") {
      note("critical", `${description}: one-way, the far end hears us and we do not hear it`);
    }
    if (facts?.duplex === "half") note("warning", `${facts.name} runs at half duplex`);
    if ((report.far?.unanswered ?? 0) > 0) {
      note("warning", `${description}: the far end heard more than it may answer; ask less often`);
    }
  }
  return findings;
}

/** What is wrong with links that no question went over: a pair with a dead second link is one failure from its end. */
function linkFindings(
  skipped: ProbeResult["skipped"],
  passive: ProbeResult["passive"],
  isCluster: boolean,
): Finding[] {
  const broken = skipped.filter(({ isBroken }) => isBroken)
    .map(({ link, reason }) => `${link} could not be asked: ${reason}`);
  const heard = (passive ?? []).flatMap(({ peer, link, state }) => {
    if (state === "one-way") return [`${link}: one-way, we hear ${peer} and it does not hear us`];
    // Who names a path asks for that path, not for the links of the daemon here.
    return state === "dead" && isCluster
      ? [`${link}: dead, the daemon here does not hear ${peer} on it`]
      : [];
  });
  return [...broken, ...heard].map((sentence) => ({ severity: "critical", sentence }));
}

function priceFindings({ peer, advice: { judged } }: Price, { acceptMs }: Wishes): Finding[] {
  if (judged === null) return [];
  const deadTime = `the deadtime of ${judged.deadTimeMs / 1000} s${peer === null ? "" : ` towards ${peer}`}`;
  if (judged.seen > 0) {
    return [{
      severity: "critical",
      sentence: `silences as long as ${deadTime} were measured: ${judged.seen}`,
    }];
  }
  if (judged.falseAlarmEveryMs >= acceptMs) return [];
  const every = renderSpan(judged.falseAlarmEveryMs);
  return [{ severity: "warning", sentence: `${deadTime} costs one false alarm in ${every}` }];
}
