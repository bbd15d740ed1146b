/**
 * `heartline arp`: announce an address, ask who has it, watch who claims what. Here is what the operator sees and
 * types; what is done is in `arp/`, loaded when it is needed.
 */

import { examples } from "../options.ts";
import { Command } from "@commander-js/extra-typings";

const permissionNote = "Needs the capability CAP_NET_RAW (root has it).";

export function arpCommand(): Command {
  const command = new Command("arp")
    .summary("announce an address, ask who has it, watch who claims it (ARP and IPv6 ND)")
    .description(
      "Talks to the neighbours on one interface: ARP for IPv4, neighbour discovery (ND) for IPv6.\n" +
        permissionNote,
    )
    .addHelpText(
      "after",
      examples([
        ["heartline arp announce --vip 192.0.2.10 --dev eth0", "after a move by hand"],
        ["heartline arp probe --vip 192.0.2.10 --dev eth0", "who has it? one, I hope"],
        ["heartline arp watch --dev eth0", "who claims what, live"],
      ]),
    );
  command.addCommand(announceCommand());
  command.addCommand(probeCommand());
  command.addCommand(watchCommand());
  return command as unknown as Command;
}

function announceCommand() {
  return new Command("announce")
    .summary("tell all neighbours that an address is here (gratuitous ARP, unsolicited NA)")
    .description(
      "Tells all neighbours that an address is on this machine, so that they send its traffic here at once.\n" +
        "Some switches and hosts heed only requests, others only replies: both are sent unless one is asked for.\n" +
        "IPv6 has one form, the unsolicited neighbour advertisement.\n" + permissionNote,
    )
    .requiredOption("--vip <address>", "the address to announce, IPv4 or IPv6, without a prefix")
    .option("--dev <interface>", "where to announce it; default: the interface that the routes lead to")
    .option("--count <n>", "how many times, 1 to 1000", "3")
    .option("--interval <time>", "pause between two times: 100ms, 1s", "1s")
    .option("--request", "gratuitous ARP requests only")
    .option("--reply", "gratuitous ARP replies only")
    .option("--both", "a request and a reply each time (the default)")
    .option("--refresh <time>", "afterwards once more every so often, until Ctrl-C; at least 100ms")
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      `
Exit codes: 0 sent, 2 usage, 69 no such interface, or it is down,
77 not permitted.

Examples:
  heartline arp announce --vip 192.0.2.10 --dev eth0
  heartline arp announce --vip 192.0.2.10 --count 5 --interval 200ms --reply
  heartline arp announce --vip 2001:db8::10 --dev eth0 --refresh 60s`,
    )
    .action(async (options) => {
      const { readAnnounceOptions } = await import("./arp/options.ts");
      const request = readAnnounceOptions(options);
      const { announce } = await import("./arp/announce.ts");
      process.exitCode = await announce(request);
    });
}

function probeCommand() {
  return new Command("probe")
    .summary("ask who answers for an address; two answers are a finding")
    .description(
      "Asks all neighbours who has an address, without claiming it, and shows every hardware address that answers.\n" +
        "An address that this machine holds counts as one answer: a machine does not answer itself.\n" +
        permissionNote,
    )
    .requiredOption("--vip <address>", "the address to ask about, IPv4 or IPv6, without a prefix")
    .option("--dev <interface>", "where to ask; default: the interface that the routes lead to")
    .option("--timeout <time>", "how long to wait for answers: 200ms, 1s", "1s")
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      `
It always waits for the whole timeout: a second holder may answer later than the
first.

Exit codes: 0 exactly one answers, 1 nobody answers, or more than one does,
2 usage, 69 no such interface, or it is down, 77 not permitted.

Examples:
  heartline arp probe --vip 192.0.2.10 --dev eth0
  heartline arp probe --vip 192.0.2.10 --timeout 200ms --json
  heartline arp probe --vip 2001:db8::10 --dev eth0`,
    )
    .action(async (options) => {
      const { readProbeOptions } = await import("./arp/options.ts");
      const request = readProbeOptions(options);
      const { probe } = await import("./arp/probe.ts");
      process.exitCode = await probe(request);
    });
}

function watchCommand() {
  return new Command("watch")
    .summary("show live who claims which address")
    .description(
      "Shows one line for each claim that is heard: who says that an address is where, and in which way.\n" +
        `A claim that contradicts an earlier one is marked CHANGED. Ctrl-C ends it.\n` + permissionNote,
    )
    .option("--dev <interface>", "where to listen; default: the interface that leads to --vip")
    .option("--vip <address>", "only claims of this address")
    .option("--for <time>", "end after this time: 30s, 5m")
    .option("--json", "print each claim as one line of JSON")
    .addHelpText(
      "after",
      `
Exit codes: 0 ended, 2 usage, 69 no such interface, or it is down,
77 not permitted.

Examples:
  heartline arp watch --dev eth0
  heartline arp watch --dev eth0 --vip 192.0.2.10 --for 5m
  heartline arp watch --vip 2001:db8::10 --json`,
    )
    .action(async (options) => {
      const { readWatchOptions } = await import("./arp/options.ts");
      const request = readWatchOptions(options);
      const { watch } = await import("./arp/watch.ts");
      process.exitCode = await watch(request);
    });
}
