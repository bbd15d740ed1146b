/** `heartline probe` for people: each path with its figures and intervals, then what a deadtime would cost. */

import type { LossSummary } from "../../../lib/measure/bursts.ts";
import { histogram } from "../../../lib/measure/delay.ts";
import type { Estimate } from "../../../lib/measure/interval.ts";
import { meanLoss } from "../../../lib/measure/loss_model.ts";
import type { Advice, Choice } from "../../../lib/measure/recommend.ts";
import type { PassiveLink } from "../../commands/probe/passive.ts";
import type { PathResult, ProbeResult } from "../../commands/probe/result.ts";
import type { Paint } from "../paint.ts";
import { renderTable, wrap } from "../table.ts";
import { percent, renderSpan, two } from "./spans.ts";

const binsMax = 12;
const barMax = 40;

export function renderResult(result: ProbeResult, width: number, paint: Paint): string[] {
  const lines: string[] = [];
  for (const { severity, sentence } of result.findings) {
    const colour = severity === "critical" ? paint.bad : paint.doubtful;
    lines.push(...wrap(`${severity.toUpperCase()}: ${sentence}`, width).map(colour));
  }
  if (lines.length > 0) lines.push("");
  for (const path of result.paths) lines.push(...renderPath(path, width, paint), "");
  const left = result.skipped.filter(({ isBroken }) => !isBroken);
  for (const { link, reason } of left) lines.push(...wrap(`${link} was not asked: ${reason}`, width));
  if (left.length > 0) lines.push("");
  if (result.passive !== null && result.passive.length > 0) {
    lines.push(...renderPassive(result.passive, width, paint), "");
  }
  if (result.missedBeats > 0) {
    lines.push(
      ...wrap(
        `This machine was busy and slept through ${result.missedBeats} questions: they are left out. ` +
          "A daemon would have been late too.",
        width,
      ),
      "",
    );
  }
  lines.push(...renderPrices(result, width, paint));
  return lines;
}

function renderPath(
  { description, answeredBy, facts, caveat, report }: PathResult,
  width: number,
  paint: Paint,
) {
  const seconds = renderSpan(report.durationMs);
  const by = answeredBy.length === 0 ? "" : ` by ${answeredBy.join(", ")}`;
  const what = report.heard === null ? `answered${by}` : "heard";
  const title = `${description}: ${report.answered} of ${report.asked} ${what}, in ${seconds}`;
  const rows: [string, string][] = [];
  if (facts !== null) rows.push([facts.name, renderFacts(facts)]);
  if (report.verdict === "nothing") return [paint.strong(title)];
  rows.push(["lost", renderLosses(report)]);
  if (report.roundTrip.lost > 0) rows.push(["in a row", renderBursts(report)]);
  const { delay } = report;
  if (delay !== null) {
    rows.push([
      "round trip",
      `min ${two(delay.minMs)}, median ${range(delay.medianMs)}, p99 ${range(delay.p99Ms)}, max ${
        two(delay.maxMs)
      } ms`,
    ]);
    if (caveat !== null) rows.push(["", caveat]);
    rows.push([
      "jitter",
      `${two(delay.jitterMs)} ms${report.far === null ? " there and back" : " on the way there"}`,
    ]);
  }
  if (report.heard !== null) {
    const { intervalMs, lateMsMax, longestSilenceMs } = report.heard;
    rows.push([
      "interval",
      `usually ${renderSpan(intervalMs)}, up to ${renderSpan(lateMsMax)} later; longest silence ${
        renderSpan(longestSilenceMs)
      }`,
    ]);
  }
  const oddities = renderOddities(report);
  if (oddities !== "") rows.push(["also", oddities]);
  return [
    ...wrap(title, width).map(paint.strong),
    ...renderTable(rows, { width, indent: 2, widthsMax: [14] }),
    ...renderHistogram(report.outcome.roundTripsMs),
  ];
}

function renderFacts(
  { hasCarrier, speedMbit, duplex, mtuBytes, carrierLosses }: NonNullable<PathResult["facts"]>,
) {
  const parts = [
    hasCarrier === null ? "down, or not there" : hasCarrier ? "carrier" : "NO CARRIER",
    ...(speedMbit === null ? [] : [`${speedMbit} Mbit/s`]),
    ...(duplex === null ? [] : [`${duplex} duplex`]),
    ...(mtuBytes === null ? [] : [`MTU ${mtuBytes}`]),
    ...(carrierLosses === null || carrierLosses === 0
      ? []
      : [`carrier lost ${carrierLosses} times since it exists`]),
  ];
  return parts.join(", ");
}

function renderLosses({ roundTrip, outward, homeward, heard }: PathResult["report"]): string {
  if (heard !== null) return `${share(roundTrip.loss)}, from there to here`;
  if (outward === null || homeward === null) return `${share(roundTrip.loss)}, there and back`;
  return `there ${share(outward.loss)}, back ${share(homeward.loss)}`;
}

function renderBursts({ roundTrip, outward, homeward }: PathResult["report"]): string {
  const one = (loss: LossSummary) =>
    loss.burstLength === null ? "none" : `${range(loss.burstLength)}, longest ${loss.longestBurst}`;
  const model = (loss: LossSummary) =>
    loss.model.kind === "independent"
      ? ""
      : `; in bursts (${loss.model.kind}, ${percent(meanLoss(loss.model))})`;
  if (outward === null || homeward === null) return one(roundTrip) + model(roundTrip);
  return `there ${one(outward)}${model(outward)}; back ${one(homeward)}${model(homeward)}`;
}

function renderOddities({ copies, reordered, late, far, refused }: PathResult["report"]): string {
  const parts: [number, string][] = [
    [late, "answers too late, counted as lost"],
    [reordered, "answers out of order"],
    [copies, "answers twice"],
    [far?.reordered ?? 0, "questions out of order"],
    [far?.copies ?? 0, "questions twice"],
    [far?.unanswered ?? 0, "questions left unanswered by the far end's limit"],
    [refused, "questions that this machine could not send"],
  ];
  return parts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`).join(", ");
}

/** `0.31 (0.29 to 0.33)`; an end that the sample cannot bound is a question mark. */
function range({ value, low, high }: Estimate): string {
  return `${two(value)} (${two(low)} to ${two(high)})`;
}

function share({ value, low, high }: Estimate): string {
  return `${percent(value)} (${percent(low)} to ${percent(high)})`;
}

function renderHistogram(roundTripsMs: readonly number[]): string[] {
  const bins = histogram(roundTripsMs, binsMax);
  if (bins.length < 2) return [];
  const most = Math.max(...bins.map(({ count }) => count));
  return bins.map(({ fromMs, toMs, count }) => {
    const bar = "#".repeat(Math.ceil(count / most * barMax));
    return `  ${two(fromMs).padStart(6)} to ${two(toMs).padStart(6)} ms |${bar}${
      bar === "" ? "" : " "
    }${count}`;
  });
}

function renderPassive(links: readonly PassiveLink[], width: number, paint: Paint): string[] {
  const rows = links.map(({ peer, link, state, heard, lost, loss }) => [
    peer,
    link,
    state,
    `${heard} heard`,
    `${lost} lost, ${share(loss)}`,
  ]);
  return [
    paint.strong("Heartbeats meanwhile, as the daemon here counts them:"),
    ...renderTable(rows, { width, indent: 2, widthsMax: [20, 20] }),
  ];
}

function renderPrices({ prices, acceptMs }: ProbeResult, width: number, paint: Paint): string[] {
  if (prices.length === 0) return wrap("No path carries: there is nothing to price.", width);
  return prices.flatMap(({ peer, pathCount, advice }, index) => {
    const paths = pathCount === 1 ? "this path alone" : `these ${pathCount} paths together`;
    return [
      ...(index === 0 ? [] : [""]),
      paint.strong(`What a deadtime costs${peer === null ? "" : ` towards ${peer}`}, with ${paths}:`),
      ...renderTable([
        ["deadtime", "keepalive", "misses", "detects in", "false alarm", "at worst", ""],
        ["", "", "", "at most", "once in", "once in", ""],
        ...advice.choices.map((choice) => choiceRow(choice, choice === advice.recommended ? "enough" : "")),
        ...(advice.judged === null ? [] : [choiceRow(advice.judged, "judged")]),
      ], { width, indent: 2, widthsMax: [] }),
      "",
      ...renderRecommendation(advice, acceptMs).flatMap((sentence) => wrap(sentence, width)),
    ];
  });
}

function choiceRow(choice: Choice, mark: string): string[] {
  const seen = choice.seen > 0 ? `SEEN ${choice.seen}x` : "";
  return [
    renderSpan(choice.deadTimeMs),
    renderSpan(choice.keepaliveMs),
    String(choice.misses),
    renderSpan(choice.detectsWithinMs),
    choice.falseAlarmEveryMs === Infinity ? "no loss seen" : renderSpan(choice.falseAlarmEveryMs),
    renderSpan(choice.atWorstEveryMs),
    [mark, seen].filter((word) => word !== "").join(", "),
  ];
}

/** A measurement shorter than this is a first impression. */
const soundMs = 3_600_000;

function renderRecommendation(advice: Advice, acceptMs: number): string[] {
  const { recommended, provenMs, joint, basis } = advice;
  const sentences = [recommendation(recommended, acceptMs)];
  if (provenMs < acceptMs) {
    sentences.push(
      `That is the models' promise. This measurement itself vouches for no more than one in ${
        renderSpan(provenMs)
      }: what comes less often need not have shown. To see all of it, measure for ${
        renderSpan(3 * acceptMs)
      }` +
        (3 * provenMs < soundMs ? "; measure for an hour at least before you choose." : "."),
    );
  }
  if (joint !== null) {
    sentences.push(
      joint.isDependent
        ? `The paths do not fail independently: ${joint.lost} of ${joint.asked} questions were lost on all of them, ` +
          `${two(joint.expected)} would be by chance. They are priced as one path.`
        : `Lost on all paths at once: ${joint.lost} of ${joint.asked}, ${two(joint.expected)} by chance. ` +
          "They are priced as independent.",
    );
  }
  if (basis === "round-trips") {
    sentences.push("Only the way there and back was measured; each direction alone loses less.");
  }
  if (basis === "heartbeats") {
    sentences.push("Only what this machine hears was measured; listen on the other one too.");
  }
  sentences.push(
    "A stalled machine, a switch that restarts and a pulled cable are not in the price. See docs/probing.md.",
  );
  return sentences;
}

function recommendation(recommended: Choice | null, acceptMs: number): string {
  if (recommended === null) {
    const wanted = renderSpan(acceptMs);
    return `No deadtime up to a minute keeps to one false alarm in ${wanted} at worst: measure longer, or mend the links.`;
  }
  const { keepaliveMs, deadTimeMs, detectsWithinMs, atWorstEveryMs } = recommended;
  return `Recommended: keepalive ${renderSpan(keepaliveMs)}, deadtime ${
    renderSpan(deadTimeMs)
  }: detects a death ` +
    `within ${renderSpan(detectsWithinMs)} and costs one false alarm in ${
      renderSpan(atWorstEveryMs)
    } at worst.`;
}
