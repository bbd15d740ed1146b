/**
 * The result of a scenario as one HTML page that needs nothing else: no scripts, no fonts, no loads. Light and dark
 * follow the reader's system.
 */

import { unprotectedSentences } from "../../../lib/config/checks.ts";
import type { Judgement } from "../../../lib/sim/scenario/expectations.ts";
import type { ScenarioResult } from "../../../lib/sim/scenario/run.ts";
import { firstSettings } from "../../../lib/sim/scenario/scenario.ts";
import type { GroupTally } from "../../../lib/sim/scenario/tally.ts";
import type { TraceEntry } from "../../../lib/sim/trace.ts";
import { version } from "../../../lib/version.ts";
import { type Content, element, type Markup, raw } from "../svg/elements.ts";
import { themeStyle } from "../svg/palette.ts";
import { drawSpaceTime } from "../svg/space_time.ts";
import { isStory } from "./result.ts";

/** Longer timelines make a page slow; the trace has everything. */
const rowsMax = 1_000;

export function renderReport(result: ScenarioResult): string {
  const { scenario, seed, durationMs, events } = result;
  const unprotected = unprotectedSentences(firstSettings(scenario.settings));
  const facts =
    `${scenario.settings.size} nodes, ${seconds(durationMs)} of virtual time, ${events} events, ` +
    `seed ${seed}, heartline ${version}`;
  const body = [
    element("figure", {}, raw(drawSpaceTime(result).svg)),
    section("What was expected", expectedTable(result.judgements)),
    section("Who held what", groupTable(result.tallies)),
    section(
      "What this configuration leaves open",
      unprotected.length === 0
        ? element("p", {}, "Nothing that is known.")
        : element("ul", {}, ...unprotected.map((sentence) => element("li", {}, sentence))),
    ),
    section("What happened, and why", timeline(result.entries)),
    element(
      "footer",
      {},
      facts,
      ". Again: ",
      element("code", {}, `heartline simulate run ${scenario.name} --seed ${seed}`),
    ),
  ];
  const head = [
    raw('<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'),
    element("title", {}, `${scenario.name}: heartline simulate`),
    element("style", {}, raw(pageStyle)),
  ];
  const page = element("html", { lang: "en" }, element("head", {}, ...head), element("body", {}, ...body));
  return `<!doctype html>\n${page.markup}\n`;
}

const pageStyle = `${themeStyle}
body{background:var(--ground);color:var(--ink);margin:0 auto;max-width:992px;padding:8px 16px 40px;
font:15px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
figure{margin:0;overflow-x:auto}figure svg{max-width:100%;height:auto;display:block}
h2{font-size:17px;margin:32px 0 8px}
table{border-collapse:collapse;width:100%}
th{text-align:left;color:var(--muted);font-weight:600;font-size:13px}
th,td{padding:4px 12px 4px 0;border-bottom:1px solid var(--faint);vertical-align:top}
td.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
th.number{text-align:right}
td.node{white-space:nowrap;font-weight:600}
.good{color:var(--good);font-weight:600;white-space:nowrap}.bad{color:var(--bad);font-weight:600}
.fault td{color:var(--fault);font-weight:600}.holding td{font-weight:600}
.muted{color:var(--muted)}code{font-size:13px}
footer{margin-top:32px;color:var(--muted);font-size:13px}`;

function section(title: string, content: Markup): Markup {
  return element("section", {}, element("h2", {}, title), content);
}

function table(headings: readonly [text: string, isNumber: boolean][], rows: readonly Markup[]): Markup {
  const cells = headings.map(([text, isNumber]) => element("th", isNumber ? { class: "number" } : {}, text));
  return element(
    "table",
    {},
    element("thead", {}, element("tr", {}, ...cells)),
    element("tbody", {}, ...rows),
  );
}

function cell(className: string, ...content: readonly Content[]): Markup {
  return element("td", className === "" ? {} : { class: className }, ...content);
}

function expectedTable(judgements: readonly Judgement[]): Markup {
  if (judgements.length === 0) return element("p", { class: "muted" }, "The scenario expects nothing.");
  return table(
    [["", false], ["Expected", false], ["Found", false]],
    judgements.map(({ expected, isMet, found }) =>
      element(
        "tr",
        {},
        isMet ? cell("good", "✓ met") : cell("bad", "✗ failed"),
        cell("", expected),
        cell("muted", found),
      )
    ),
  );
}

function groupTable(tallies: readonly GroupTally[]): Markup {
  const rows = tallies.map(({ group, noneMs, oneMs, twoMs, longestOutageMs, moves }) => {
    const count = (kind: string) => String(moves.filter((move) => move.kind === kind).length);
    return element(
      "tr",
      {},
      cell("node", group),
      ...[noneMs, oneMs].map((ms) => cell("number", seconds(ms))),
      cell(twoMs > 0 ? "number bad" : "number", seconds(twoMs)),
      cell("number", seconds(longestOutageMs)),
      ...[String(moves.length), count("false"), count("needless")].map((text) => cell("number", text)),
    );
  });
  const numbers = ["Nobody", "One holder", "Two holders", "Longest outage", "Moves", "False", "Needless"];
  return table([["Group", false], ...numbers.map((text): [string, boolean] => [text, true])], rows);
}

function timeline(entries: readonly TraceEntry[]): Markup {
  const told = entries.filter(isStory);
  const rows = told.slice(0, rowsMax).map(({ atMs, node, kind, code, level, sentence }) =>
    element(
      "tr",
      kind === "report" ? {} : { class: kind },
      cell("number", (atMs / 1000).toFixed(3)),
      cell("node", node),
      cell(
        sentence.includes(" AND ") && kind === "holding" ? "bad" : "",
        level === "alarm" ? element("span", { class: "bad" }, "ALARM ") : "",
        sentence,
        kind === "report" ? [" ", element("code", { class: "muted" }, code)] : "",
      ),
    )
  );
  const left = told.length - rows.length;
  if (left > 0) {
    const text = `${left} more rows: heartline simulate run … --trace FILE has all`;
    rows.push(element("tr", {}, cell(""), cell(""), cell("muted", text)));
  }
  return table([["Seconds", true], ["Node", false], ["What, and why", false]], rows);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 3 : 1)} s`;
}
