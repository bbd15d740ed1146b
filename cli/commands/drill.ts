/** `heartline drill`: rehearse a partition on this machine. The work is in `drill/`, loaded when a command runs. */

import { Command } from "@commander-js/extra-typings";
import {
  configOption,
  examples,
  haDirOption,
  jsonOption,
  nonEmpty,
  several,
  socketOption,
} from "../options.ts";

export function drillCommand() {
  return new Command("drill")
    .description(
      "Rehearses a partition: cuts a link of this machine for a limited time with a packet filter of its own, " +
        "watches what the cluster does, gives the link back, and reports. Beside any high-availability software.",
    )
    .addHelpText(
      "after",
      examples([
        ["heartline drill partition --link eth1 --for 20s", "cut, watch, give back, report"],
        ["heartline drill list", "what is cut now"],
        ["heartline drill undo", "give it back at once"],
      ]),
    )
    .addCommand(partitionCommand())
    .addCommand(listCommand())
    .addCommand(undoCommand());
}

function partitionCommand() {
  return new Command("partition")
    .summary("cut a link for a time, watch, report")
    .description(
      "Drops all packets on an interface, in both directions, ARP and IPv6 included, unless told otherwise; the " +
        "carrier stays. The rules end by themselves: the kernel lets go of them when the time is up, and a process " +
        "of its own removes them, whatever becomes of this command. Ctrl-C undoes at once.",
    )
    .requiredOption("--link <interface>", "the interface to cut", nonEmpty)
    .option("--for <time>", "how long: 500ms, 20s, 5m; at most 1h", "20s")
    .option("--one-way <direction>", `only what comes "in", or only what goes "out"`)
    .option("--loss <percent>", "drop this share of the packets at random instead of all", "100%")
    .option("--peer <address>", "only traffic with this machine (all its addresses, where it is a neighbour)")
    .option("--port <number>", "only TCP and UDP with this port at either end: 694 for heartbeats")
    .option(
      "--vip <address>",
      "address to watch; may be given again; default: those of the daemon here",
      gather,
      [],
    )
    .option("--other-path <address>", "an address of the peer on another link, as proof that a path is left")
    .option("--ignore <hardware>", "hardware address that holds nothing (a router with proxy ARP)", several)
    .addOption(configOption("links of the heartbeats, and more hardware addresses to ignore,"))
    .addOption(haDirOption("the same"))
    .option("--force", "even if it is the last path, or the one that you are logged in over")
    .option("--dry-run", "print what would be done, and the rules, and do nothing")
    .addOption(jsonOption())
    .addOption(socketOption())
    .addHelpText(
      "after",
      examples([
        ["heartline drill partition --link eth1 --for 20s", "as if the cable were cut"],
        ["heartline drill partition --link eth1 --one-way in", "this node is heard, and hears nothing"],
        ["heartline drill partition --link eth1 --loss 30%", "a bad cable"],
        [
          "heartline drill partition --link eth1 --other-path 10.0.2.2 --vip 10.0.0.9",
          "beside another make: proof of a second path, and the address to watch",
        ],
      ]) +
        "\nExit codes: 0 as expected, 1 refused, or not as expected, or interrupted,\n" +
        "2 usage, 69 not possible here, 77 not permitted (needs CAP_NET_ADMIN).\n",
    )
    .action(async (options) => {
      const { readPartitionOptions } = await import("./drill/options.ts");
      const request = readPartitionOptions(options);
      const { partition } = await import("./drill/partition.ts");
      process.exitCode = await partition(request);
    });
}

function listCommand() {
  return new Command("list")
    .description("Shows the drills whose rules are in this machine's packet filter.")
    .addOption(jsonOption())
    .addHelpText("after", examples([["heartline drill list", "what is cut, and for how long still"]]))
    .action(async (options) => {
      const { list } = await import("./drill/manage.ts");
      await list(options.json === true);
    });
}

function undoCommand() {
  return new Command("undo")
    .description(
      "Gives a link back at once: removes the rules of a drill, and the process that waits for its end.",
    )
    .argument("[id]", "which one, as drill list shows it; not needed when there is only one")
    .option("--all", "all of them")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      examples([["heartline drill undo", "the only one"], ["heartline drill undo --all", "every one"]]),
    )
    .action(async (id, options) => {
      const { undo } = await import("./drill/manage.ts");
      await undo(id ?? null, options.all === true, options.json === true);
    });
}

function gather(address: string, before: string[]): string[] {
  return [...before, address];
}
