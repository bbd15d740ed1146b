/**
 * `heartline detect`: split brain or not, from whatever can be seen here. Here is what the operator sees and types;
 * what is done is in `detect/`, loaded when it is needed.
 */

import { Command, Option } from "@commander-js/extra-typings";
import { roles } from "../../lib/checks/question.ts";
import {
  configOption,
  duration,
  examples,
  haDirOption,
  jsonOption,
  nodeOption,
  nonEmpty,
  pluginOption,
  several,
} from "../options.ts";

export function detectCommand() {
  const command = new Command("detect")
    .description(
      "Tells whether a virtual IP (VIP) has two holders, beside any high-availability software: on the standby, on " +
        "the primary, or on a third machine of the same network segment. Looks at this machine, asks the network, " +
        "and says what it could not see.\n" +
        "Exit code 0: all is well; 1: a person should look; 69: nothing could be seen. With --nagios 0 to 3.",
    );
  return withMachines(withQuestion(command))
    .addHelpText(
      "after",
      examples([
        [
          "heartline detect --vip 10.0.0.9 --primary 10.0.0.1",
          "on the standby: is the address here although the primary lives?",
        ],
        [
          "heartline detect --vip 10.0.0.9 --primary 10.0.0.1 --standby 10.0.0.2",
          "the same line on any of three machines",
        ],
        [
          "heartline detect --config /etc/heartline/heartline.yaml --explain",
          "with the cause; without --config, the settings where they usually are",
        ],
        [
          "heartline detect --ha-dir /etc/ha.d --state /var/lib/hl-detect --mail root",
          "from cron: alarms once, and says when it is over",
        ],
        ["heartline detect --ha-dir /etc/ha.d --nagios", "as a plugin of Nagios, Icinga…"],
      ]),
    )
    .action(async (options) => {
      const { detect } = await import("./detect/run.ts");
      process.exitCode = await detect(options);
    });
}

export type DetectOptions = ReturnType<ReturnType<typeof detectCommand>["opts"]>;

/** What is asked. */
function withQuestion(command: Command) {
  return command
    .optionsGroup("What to check:")
    .option("--vip <address>", "the address to check; may be repeated", several)
    .option("--dev <interface>", "its interface (default: the one whose subnet holds it)", nonEmpty)
    .option("--primary <address>", "own address of the node that should have it; may be repeated", several)
    .option("--standby <address>", "own address of the node that should not; may be repeated", several)
    .addOption(new Option("--role <role>", "what this machine is (default: by the addresses)").choices(roles))
    .option(
      "--service <service>",
      "tcp:PORT of the primary, tcp:ADDRESS:PORT, or an http:// URL at its own address",
      several,
    )
    .option("--http-status <codes>", "what an http:// service should answer (default: 200-399)", nonEmpty)
    .option("--link <link>", "another path to the other node: DEVICE=ADDRESS, or serial:TTY:BAUD", several)
    .option("--ignore <hardware>", "hardware address that holds nothing (a router with proxy ARP)", several)
    .addOption(configOption("addresses, roles, links and key"))
    .addOption(haDirOption("the same"))
    .option("--keepalived <file>", "take addresses and role from a keepalived.conf", nonEmpty)
    .addOption(nodeOption())
    .option("--socket <path>", "control socket of a Heartline daemon here", nonEmpty)
    .optionsGroup("How:")
    .option("--window <time>", "how long to ask and listen (default: 1s, with --explain 3.5s)", duration)
    .option("--local", "ask only this machine, not the network")
    .option("--explain", "name the cause, with the next command to type")
    .option("--compare <path>", "with --explain: the other node's file or directory of settings", nonEmpty)
    .option("-t, --timeout <time>", "end after this long, whatever hangs (default: 10s)", duration);
}

/** Who is told, and in which form. */
function withMachines<Args extends unknown[], Options extends Record<string, unknown>>(
  command: Command<Args, Options>,
) {
  return command
    .optionsGroup("For machines:")
    .addOption(jsonOption())
    .addOption(pluginOption())
    .option("-w, --warning <range>", "with --nagios: WARNING by the number of holders, such as 1:1", nonEmpty)
    .option("-c, --critical <range>", "with --nagios: CRITICAL by the number of holders", nonEmpty)
    .option("-v, --verbose", "with --nagios: more lines, with what was seen")
    .option("--textfile <path>", "write metrics for Prometheus's textfile collector (*.prom)", nonEmpty)
    .option("--state <file>", "remember what was told: alarm once, and say when it is over", nonEmpty)
    .option("--repeat <time>", "with --state: tell a standing alarm again after this long", duration)
    .option("--on-critical <command>", "run by the shell when it is CRITICAL, facts in HEARTLINE_…", nonEmpty)
    .option("--mail <address>", "mail an alarm through the local sendmail", nonEmpty)
    .option("--webhook <url>", "post an alarm as JSON", nonEmpty);
}
