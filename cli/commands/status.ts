import { Command, Option } from "@commander-js/extra-typings";
import type { NodeView } from "../../lib/core/view.ts";
import { controlSchema } from "../../lib/runtime/control_protocol.ts";
import { withDaemon } from "../control.ts";
import { duration, examples, jsonOption, socketOption, timeoutOption } from "../options.ts";
import { findings } from "../render/findings.ts";
import { renderLinks } from "../render/links.ts";
import { paintFor } from "../render/paint.ts";
import { renderStatus } from "../render/status.ts";

/** `heartline status`: exit code 0 when all is well, 1 when an alarm is active. */
export function statusCommand() {
  return new Command("status")
    .description(
      "Prints who holds what and why, the other nodes and every link to them, alarms, arbiters, and " +
        "what remains unprotected. Exit code 0: all is well; 1: something is not; 69: no daemon runs.",
    )
    .addOption(
      new Option("--links", "what each link carried, lost and repeated, its round trip and jitter")
        .conflicts("watch"),
    )
    .option("--watch [interval]", "redraw until Ctrl-C, every second or as often as said", duration)
    .addOption(timeoutOption(5_000, "how long to wait for the answer"))
    .addOption(jsonOption())
    .addOption(socketOption())
    .addHelpText(
      "after",
      examples([
        ["heartline status", "once"],
        ["heartline status --links", "counters of every link"],
        ["heartline status --watch 200ms", "live, five times a second"],
        ["heartline status --json | jq .view.groups", "for programs"],
      ]),
    )
    .action(async (options) => {
      if (options.watch !== undefined) {
        const { watchStatus } = await import("../render/watch.ts");
        const intervalMs = options.watch === true ? 1000 : options.watch;
        return await watchStatus(options.socket, intervalMs, options.timeout, options.json === true);
      }
      const { result: view, ageMs } = await withDaemon(
        options.socket,
        options.timeout,
        (client) => client.status(),
      );
      if (options.json) process.stdout.write(JSON.stringify(statusJson(view, ageMs), null, 2) + "\n");
      else {
        const style = { width: process.stdout.columns || 80, paint: await paintFor(process.stdout) };
        const lines = options.links ? renderLinks(view, style) : renderStatus(view, ageMs, style);
        process.stdout.write(lines.join("\n") + "\n");
      }
      if (findings(view).length > 0) process.exitCode = 1;
    });
}

/** What `--json` prints. */
export function statusJson(view: NodeView, ageMs: number) {
  return { schema: controlSchema, ageMs, findings: findings(view), view };
}
