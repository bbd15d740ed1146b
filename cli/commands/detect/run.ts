/** `heartline detect`: from options to a question, to evidence, to a verdict, to whoever is to be told. */

import { gather } from "../../../lib/checks/gather.ts";
import type { CheckQuestion } from "../../../lib/checks/question.ts";
import { judge, type Severity } from "../../../lib/checks/verdict.ts";
import { armDeadline, type LastWord } from "../../deadline.ts";
import { nagiosCodes, pluginLine } from "../../render/nagios.ts";
import type { DetectOptions } from "../detect.ts";
import { listenShareMax, timeoutMsDefault } from "./options.ts";
import { type Outputs, readOutputs } from "./outputs.ts";
import { questionOf } from "./question.ts";
import type { Report } from "./report.ts";

/** Kept back from those who are told, for the state file and the way out. */
const reserveMs = 200;

/** Answers the exit code. */
export async function detect(options: DetectOptions): Promise<number> {
  const startedMs = performance.now();
  const limitMs = options.timeout ?? timeoutMsDefault;
  const deadline = armDeadline(limitMs, lastWord(options.nagios === true, limitMs));
  const problems: string[] = [];
  const outputs = readOutputs(options, problems);
  const question = explained(await questionOf(options, problems), options, limitMs);
  const report = await check(question, options.explain === true, startedMs);
  deadline.word = await verdictInShort(report, outputs);
  const nowMs = Date.now();
  const isTelling = outputs.stateFile !== null ||
    (outputs.onCritical ?? outputs.mail ?? outputs.webhook) !== null;
  const module = isTelling ? await import("./alarms.ts") : null;
  const alarms = await module?.recall(report, outputs, nowMs) ?? null;
  await print(report, outputs, alarms?.step.occasion ?? null, limitMs);
  const { exitCode } = deadline.word;
  // The verdict is out: what hangs from now on takes nothing back.
  deadline.word = { stream: "stderr", text: "", exitCode };
  const failures = [
    ...await writeTextfile(report, outputs, nowMs),
    ...(alarms?.problems ?? []),
    ...(module === null || alarms === null
      ? []
      : await module.tell(report, outputs, alarms, nowMs, Math.max(1, deadline.leftMs() - reserveMs))),
  ];
  for (const failure of failures) {
    if (outputs.form === "nagios") process.stdout.write(`${failure}\n`);
    else process.stderr.write(`heartline: ${failure}\n`);
  }
  deadline.disarm();
  return failures.length > 0 && exitCode === 0 && outputs.form !== "nagios" ? 69 : exitCode;
}

function lastWord(isNagios: boolean, limitMs: number): LastWord {
  const text = `it did not end within ${limitMs} ms and was given up; give it more time with --timeout`;
  return isNagios
    ? { stream: "stdout", text: `DETECT UNKNOWN: ${text}\n`, exitCode: nagiosCodes.unknown }
    : { stream: "stderr", text: `heartline: Cannot finish the check: ${text}\n`, exitCode: 124 };
}

/** What is said if a file of alarms hangs: the verdict must not be lost for that. */
async function verdictInShort(report: Report, outputs: Outputs): Promise<LastWord> {
  const { withThresholds } = await import("./report.ts");
  const { severity, text } = withThresholds(report, outputs);
  const line = pluginLine("DETECT", severity, text, []);
  return { stream: "stdout", text: `${line}\n`, exitCode: exitCodeOf(severity, outputs) };
}

/** Heartbeats and advertisements are often a second apart: who listens for less takes those that speak for silent. */
const explainWindowMs = 3500;
/** Six programs list the rules of the firewall. A machine that needs explaining is often an overloaded one. */
const explainLocalMs = 5_000;

function explained(question: CheckQuestion, options: DetectOptions, limitMs: number): CheckQuestion {
  if (options.explain !== true) return question;
  const within = (ms: number) => Math.min(ms, limitMs * listenShareMax);
  const isGiven = question.windowMs === 0 || options.window !== undefined;
  return {
    ...question,
    isExplained: true,
    localMs: within(explainLocalMs),
    windowMs: isGiven ? question.windowMs : within(explainWindowMs),
  };
}

async function check(question: CheckQuestion, isExplained: boolean, startedMs: number): Promise<Report> {
  // What prints is loaded while the network is listened to.
  const printing = question.windowMs > 0 ? [import("./report.ts"), import("../../render/detect.ts")] : [];
  const gathered = await gather(question, {
    // Loaded only where a daemon is asked: sockets are a good part of the start-up time.
    askDaemon: async (socket, timeoutMs) => {
      const { withDaemon } = await import("../../control.ts");
      return await withDaemon(socket, timeoutMs, (client) => client.status());
    },
  });
  await Promise.all(printing);
  const evidence = [...gathered, ...(question.differences ?? [])];
  const judgement = judge(question, evidence);
  const causes = isExplained
    ? await (await import("../../../lib/checks/cause.ts")).explain(question, evidence, judgement)
    : [];
  return { question, evidence, judgement, causes, tookMs: performance.now() - startedMs };
}

/** With a state file, people hear of news only: cron mails what is printed. */
async function print(
  report: Report,
  outputs: Outputs,
  occasion: string | null,
  limitMs: number,
): Promise<void> {
  const { detectJson, measures, withThresholds } = await import("./report.ts");
  const { severity, text } = withThresholds(report, outputs);
  const isQuiet = outputs.stateFile !== null && (occasion === "none" || occasion === "standing");
  switch (outputs.form) {
    case "json":
      process.stdout.write(JSON.stringify({ ...detectJson(report), occasion }, null, 2) + "\n");
      break;
    case "nagios": {
      const line = pluginLine("DETECT", severity, text, measures(report, outputs, limitMs));
      const more = outputs.isVerbose ? await reportLines(report, 80) : [];
      process.stdout.write([line, ...more.map((rest) => rest.replaceAll("|", "/"))].join("\n") + "\n");
      break;
    }
    case "text": {
      if (isQuiet) break;
      const lines = await reportLines(report, process.stdout.columns || 80);
      process.stdout.write((occasion === "over" ? "It is over.\n" : "") + lines.join("\n") + "\n");
    }
  }
}

/** Loaded for people only: measuring text takes longer to load than most of the rest. */
async function reportLines(report: Report, width: number): Promise<string[]> {
  const { renderReport } = await import("../../render/detect.ts");
  const { paintFor } = await import("../../render/paint.ts");
  return renderReport(report, width, await paintFor(process.stdout));
}

function exitCodeOf(severity: Severity, outputs: Outputs): number {
  if (outputs.form === "nagios") return nagiosCodes[severity];
  return severity === "ok" ? 0 : severity === "unknown" ? 69 : 1;
}

async function writeTextfile(report: Report, { textfile }: Outputs, nowMs: number): Promise<string[]> {
  if (textfile === null) return [];
  const { metrics } = await import("./report.ts");
  const { renderMetrics } = await import("../../render/prometheus.ts");
  const { replaceFileBeside } = await import("../../../lib/system/durable_file.ts");
  try {
    await replaceFileBeside(textfile, new TextEncoder().encode(renderMetrics(metrics(report, nowMs))));
    return [];
  } catch (error) {
    const reason = (error as { code?: string }).code ?? error;
    return [`Cannot write --textfile "${textfile}": ${reason}; its directory must exist and be writable`];
  }
}
