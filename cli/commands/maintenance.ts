import { Argument, Command } from "@commander-js/extra-typings";
import { controlSchema } from "../../lib/runtime/control_protocol.ts";
import { printJson, withDaemon } from "../control.ts";
import { examples, jsonOption, socketOption, timeoutOption } from "../options.ts";

/** `heartline maintenance`: freezes the whole cluster, and lets it go again. */
export function maintenanceCommand() {
  return new Command("maintenance")
    .description(
      "Freezes the whole cluster: nothing is taken, given up, monitored or moved until it is off. An address " +
        "that is taken off by hand stays off until then.",
    )
    .addArgument(new Argument("<state>", "on or off").choices(["on", "off"] as const))
    .option("--no-wait", "return as soon as the daemon has agreed, which is at once")
    .addOption(timeoutOption(10_000, "how long to wait for the answer"))
    .addOption(jsonOption())
    .addOption(socketOption())
    .addHelpText(
      "after",
      examples([
        ["heartline maintenance on", "before work on switches or cables"],
        ["heartline maintenance off", "the cluster acts by itself again"],
      ]),
    )
    .action(async (state, options) => {
      await withDaemon(options.socket, options.timeout, async (client) => {
        const { result } = await client.command({ kind: "maintenance", on: state === "on" }, options.timeout);
        if (options.json) printJson({ schema: controlSchema, command: "maintenance", ...result });
        else if (result.accepted) process.stdout.write(`${result.message}\n`);
        else process.stderr.write(`heartline: Cannot switch maintenance ${state}: ${result.message}\n`);
        if (!result.accepted) process.exitCode = 1;
      });
    });
}
