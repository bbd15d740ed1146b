import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { parseDuration } from "../../lib/config/durations.ts";
import { controlSchema } from "../../lib/runtime/control_protocol.ts";
import type { Aged } from "../../lib/runtime/control_client.ts";
import { renderClusterLine, renderReport, type ReportLine } from "../../lib/runtime/report_line.ts";
import { printJson, withDaemon } from "../control.ts";
import { examples, jsonOption, socketOption, timeoutOption } from "../options.ts";

/** `heartline history`: the daemon's latest reports. */
export function historyCommand() {
  return new Command("history")
    .description("Prints what the daemon decided and saw lately (the last 500 reports), oldest first.")
    .option("--cluster", "the events of all nodes, in the order that all nodes agree on")
    .option("--since <time>", "a length of time back from now (10m), or a date and time", since)
    .addOption(timeoutOption(5_000, "how long to wait for the answer"))
    .addOption(jsonOption())
    .addOption(socketOption())
    .addHelpText(
      "after",
      examples([
        ["heartline history --since 10m", "the last ten minutes"],
        ["heartline history --cluster", "what happened on all nodes, in one order"],
        ["heartline history --since 2026-01-31T03:00Z", "since three o'clock UTC"],
      ]),
    )
    .action(async (options) => {
      await withDaemon(options.socket, options.timeout, async (client) => {
        const from = options.since ?? -Infinity;
        if (options.cluster) print(await client.clusterHistory(), from, options.json, renderClusterLine);
        else print(await client.history(), from, options.json, renderReport);
      });
    });
}

function print<Line extends ReportLine>(
  { ageMs, result }: Aged<readonly Line[]>,
  from: number,
  isJson: boolean | undefined,
  render: (line: Line) => string,
): void {
  const reports = result.filter((line) => Date.parse(line.at) >= from);
  if (isJson) printJson({ schema: controlSchema, ageMs, reports });
  else for (const line of reports) process.stdout.write(`${render(line)}\n`);
}

/** Unix milliseconds. */
function since(text: string): number {
  const back = parseDuration(text, "yaml");
  if (back.ok) return Date.now() - back.value;
  const at = Date.parse(text);
  if (Number.isNaN(at)) {
    throw new InvalidArgumentError(
      "Write a length of time (10m, 2h) or a date and time (2026-01-31T03:00Z).",
    );
  }
  return at;
}
