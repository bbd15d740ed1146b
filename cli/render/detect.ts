/** `heartline detect` for people: the verdict first, then what it rests on, then what was not seen. */

import type { Cause } from "../../lib/checks/cause.ts";
import { printable } from "../../lib/runtime/report_line.ts";
import { type Report, severityWord, unseenText } from "../commands/detect/report.ts";
import type { Paint } from "./paint.ts";
import { wrap } from "./table.ts";

/** The command is one line whatever its length: it is there to be copied. */
function causeLines(cause: Cause, isFirst: boolean, width: number, paint: Paint): string[] {
  const title = printable(`${isFirst ? "CAUSE" : "ALSO"}, ${cause.certainty}: ${cause.sentence}`);
  return [
    "",
    ...wrap(title, width).map((line) => paint.strong(line)),
    ...cause.evidence.flatMap((sentence) => bullet(sentence, width)),
    ...(cause.next === null ? [] : [`  next: ${printable(cause.next)}`]),
  ];
}

function bullet(sentence: string, width: number): string[] {
  return wrap(printable(sentence), width - 4).map((line, index) => (index === 0 ? "  - " : "    ") + line);
}

/** Who asked for a cause and gets none must know that, and where to ask next. */
function noCauseLines({ question, judgement, causes }: Report, paint: Paint): string[] {
  if (question.isExplained !== true || judgement.severity === "ok" || causes.length > 0) return [];
  const vip = judgement.verdicts.find(({ severity }) => severity === judgement.severity)?.vip;
  const commands = question.nodes.flatMap(({ role, addresses: [address] }) => {
    const asRole = question.role === "either" ? "" : ` --role ${role}`;
    return address === undefined
      ? []
      : [`  next: ssh ${address} heartline detect --vip ${vip}${asRole} --explain`];
  });
  return ["", paint.strong("CAUSE: not to be told from what is seen here"), ...commands];
}

export function renderReport(report: Report, width: number, paint: Paint): string[] {
  const { evidence, judgement, causes } = report;
  const lines: string[] = [];
  const bullets = (title: string, sentences: readonly string[]) => {
    if (sentences.length === 0) return;
    lines.push("", paint.strong(title));
    lines.push(...sentences.flatMap((sentence) => bullet(sentence, width)));
  };
  for (const { severity, sentence } of judgement.verdicts) {
    const colour = severity === "ok" ? paint.good : severity === "critical" ? paint.bad : paint.doubtful;
    const [first, ...rest] = wrap(printable(`${severityWord(severity)}: ${sentence}`), width);
    lines.push(colour(first!), ...rest);
  }
  lines.push(...causes.flatMap((cause, index) => causeLines(cause, index === 0, width, paint)));
  lines.push(...noCauseLines(report, paint));
  bullets("SEEN", [...new Set(judgement.verdicts.flatMap((verdict) => verdict.why))]);
  const alarms = evidence.flatMap((piece) => piece.kind === "daemon" ? piece.view.alarms : []);
  bullets("ALARMS OF THE DAEMON HERE", alarms.map((alarm) => alarm.sentence));
  bullets(
    "NOT SEEN",
    judgement.unseen.map(unseenText),
  );
  return lines;
}
