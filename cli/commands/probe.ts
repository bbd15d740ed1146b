/**
 * `heartline probe`: measures links and prices deadtimes. Here is what the operator sees and types; what is done is
 * in `probe/`, loaded when it is needed.
 */

import { Command } from "@commander-js/extra-typings";
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

export function probeCommand() {
  const command = new Command("probe")
    .description(
      "Measures links between two machines: round trip, loss in each direction, losses in a row, jitter, " +
        "reordering. Says what each deadtime would cost: how soon it detects a death, and how often it takes a living " +
        "peer for dead.\n" +
        "Without a path it asks the running daemons of the other nodes, on every link of the settings. All paths that " +
        "are named are measured at the same time.\n" +
        "Exit code 0: all paths carry, and the deadtime in force is acceptable; 1: not so; with --nagios 0 to 3.",
    );
  return withPaths(command)
    .optionsGroup("How long and how often:")
    .option("--count <n>", "questions on each path, 1 to 200000 (default: 100)", nonEmpty)
    .option("--for <time>", "for how long, instead of a count", duration)
    .option("--interval <time>", "between two questions, at least 5ms (default: 100ms)", duration)
    .option("--wait <time>", "an answer later than this counts as lost (default: 1s)", duration)
    .option("--size <bytes>", "length of a packet, 512 to 65507; of ICMP its payload, 12 to 65000", nonEmpty)
    .optionsGroup("What a deadtime costs:")
    .option(
      "--keepalive <time>",
      "price this interval of heartbeats (default: a tenth of the deadtime, or less)",
      duration,
    )
    .option("--deadtime <time>", "judge this one (default: that of the settings)", duration)
    .option("--accept <days>", "a false alarm is acceptable once in so many days (default: 365)", nonEmpty)
    .optionsGroup("Output:")
    .option("--watch", "live, until the end or Ctrl-C")
    .option("--svg <file>", "draw losses and round trips into a file", nonEmpty)
    .addOption(jsonOption())
    .addOption(pluginOption())
    .addHelpText(
      "after",
      examples([
        ["heartline probe", "every link of the settings, against the running daemons"],
        ["heartline probe --for 10m --watch", "the same for ten minutes, live"],
        ["heartline probe --listen", "on the far machine, where no daemon runs; then here:"],
        ["heartline probe --udp 192.0.2.2 --udp 198.51.100.2 --for 1h", "two links at the same time"],
        ["heartline probe --icmp 192.0.2.1 --tcp 192.0.2.2:22", "with nothing of ours at the far end"],
        [
          "heartline probe --hear --ha-dir /etc/ha.d --for 1h",
          "by the heartbeats alone, also those of Heartbeat",
        ],
        ["heartline probe --serial /dev/ttyS0:19200", "a serial line that no daemon uses"],
      ]),
    )
    .action(async (options) => {
      if (options.listen !== undefined) {
        const { listen } = await import("./probe/listen.ts");
        process.exitCode = await listen(options);
      } else {
        const { probe } = await import("./probe/run.ts");
        process.exitCode = await probe(options);
      }
    });
}

export type ProbeOptions = ReturnType<ReturnType<typeof probeCommand>["opts"]>;

/** What is measured, and with whom. */
function withPaths(command: Command) {
  return command
    .optionsGroup("Paths (each may be repeated):")
    .option(
      "--udp <address>",
      "a far `heartline probe --listen`: ADDRESS, ADDRESS:PORT, [IPV6]:PORT",
      several,
    )
    .option("--icmp <address>", "ICMP echo (ping): needs nobody at the far end", several)
    .option("--tcp <address>", "ADDRESS:PORT: the time to connect there", several)
    .option("--serial <tty>", "a serial line, TTY or TTY:BAUD (default: 19200 baud)", several)
    .option("--hear", "ask nothing: only listen to the heartbeats of the other nodes (default: for 60s)")
    .optionsGroup("The far end, and the nodes' key:")
    .option(
      "--listen [address]",
      "answer instead of asking: ADDRESS, PORT or ADDRESS:PORT (default: all, 6942)",
    )
    .addOption(configOption("links, key and timing"))
    .addOption(haDirOption("the same"))
    .addOption(nodeOption())
    .option("--peer <name>", "ask only this node (not with --icmp or --tcp alone)", nonEmpty)
    .option(
      "--link <name>",
      "only this link of the settings (not with a path): its interface; may be repeated",
      several,
    )
    .option("--socket <path>", "control socket of the daemon here, for what it hears meanwhile", nonEmpty);
}
