/** What whoever is to be told hears of a check. Pure. */

import type { Occasion } from "../../../lib/checks/alarms/memory.ts";
import type { AlarmMessage } from "../../../lib/checks/alarms/message.ts";
import { renderReport } from "../../render/detect.ts";
import { plainPaint } from "../../render/paint.ts";
import { detectJson, headline, type Report, severityWord } from "./report.ts";

export function alarmMessage(
  report: Report,
  occasion: Occasion,
  sinceMs: number,
  host: string,
): AlarmMessage {
  const { judgement, causes } = report;
  const { severity, verdicts } = judgement;
  const isOver = occasion === "over" ? "over: " : "";
  const line = headline(report);
  const since = sinceMs === 0 ? "" : new Date(sinceMs).toISOString();
  return {
    severity,
    occasion,
    headline: `${severityWord(severity)}: ${isOver}${line}`,
    text: [...renderReport(report, 78, plainPaint), ...(since === "" ? [] : ["", `Since ${since}.`])].join(
      "\n",
    ),
    json: detectJson(report),
    host,
    variables: {
      HEARTLINE_SEVERITY: severity,
      HEARTLINE_OCCASION: occasion,
      HEARTLINE_SINCE: since,
      HEARTLINE_HOST: host,
      HEARTLINE_VIP: verdicts.filter((verdict) => verdict.severity === severity).map(({ vip }) => vip).join(
        " ",
      ),
      HEARTLINE_VERDICT: verdicts.filter((verdict) => verdict.severity === severity).map(({ code }) => code)
        .join(" "),
      HEARTLINE_HOLDERS: [...new Set(verdicts.flatMap((verdict) => verdict.holders))].join(", "),
      HEARTLINE_SENTENCE: line,
      HEARTLINE_CAUSE: causes[0]?.sentence ?? "",
    },
  };
}
