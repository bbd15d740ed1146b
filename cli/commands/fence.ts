/** `heartline fence`: the fencing devices by hand. The work is in `fence/`, loaded when a command runs. */

import { Command, type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { duration, examples, jsonOption, nonEmpty } from "../options.ts";
import type { DeviceFlags, SwitchFlags } from "./fence/plan.ts";

const where = `Devices come from the configuration, or one from flags alone:
  --agent fence_ipmilan --option ip=192.0.2.11 --options-file /root/ilo1
Passwords belong into the file (lines NAME=VALUE, mode 600): the command line
of a process is no secret.
`;

export function fenceCommand(): CommandUnknownOpts {
  const command = new Command("fence")
    .description(
      "Tests fencing devices, tells the power of a node, and switches nodes off and on by hand, by the same " +
        "agents as the daemon. Off counts only once the device has said that the node is off.",
    )
    .addHelpText(
      "after",
      `\n${where}` + examples([
        ["heartline fence test", "does every device answer? switches nothing"],
        ["heartline fence list", "devices, nodes and agents"],
        ["heartline fence status node2", "is it on?"],
        ["heartline fence reboot node2", "off, make sure, on again"],
      ]),
    );
  command.addCommand(listCommand()).addCommand(testCommand()).addCommand(statusCommand());
  for (const verb of ["off", "on", "reboot"] as const) command.addCommand(switchCommand(verb));
  return command as unknown as CommandUnknownOpts;
}

/** Adds the options by which all of them find devices: see `DeviceFlags`. */
function withDevices(command: Command): Command {
  const config = new Option("--config <file>", "a heartline.yaml (default: /etc/heartline/heartline.yaml)");
  const agent = new Option("--agent <name>", "no configuration: this agent, fence_… or a path");
  const options = new Option("--option <name=value>", "an option of the agent; may be given again");
  command.addOption(config.argParser(nonEmpty));
  command.addOption(agent.argParser(nonEmpty).conflicts("config"));
  command.addOption(
    options.argParser((text: string, before: string[] | undefined) => [...before ?? [], text]),
  );
  command.addOption(
    new Option("--options-file <file>", "a file with the agent's options").argParser(nonEmpty),
  );
  command.addOption(new Option("--port <port>", "the node's port on that device").argParser(nonEmpty));
  command.addOption(new Option("--limit <time>", "how long the device may take").argParser(duration));
  command.addOption(jsonOption());
  return command;
}

function listCommand() {
  return withDevices(new Command("list"))
    .summary("devices, nodes and agents")
    .description("Shows the devices in the order in which they are tried, with their nodes and agents.")
    .addHelpText("after", examples([["heartline fence list --json", "for programs"]]))
    .action(async (flags) => {
      const { list } = await import("./fence/run.ts");
      process.exitCode = await list(flags as unknown as DeviceFlags);
    });
}

function testCommand() {
  return withDevices(new Command("test"))
    .summary("does every device answer? switches nothing")
    .argument("[what...]", "devices or nodes; all unless said")
    .description(
      "Asks devices for the power of their nodes, and switches nothing. The daemon does the same at its start " +
        "and every hour. Exit code 0: all of them tell.",
    )
    .addHelpText(
      "after",
      `\n${where}` + examples([
        ["heartline fence test", "all devices"],
        ["heartline fence test ilo2", "one device"],
        ["heartline fence test node2", "whatever can fence node2"],
        [
          "heartline fence test node2 --agent fence_apc --option ip=192.0.2.9 --port 3",
          "before it is configured",
        ],
      ]),
    )
    .action(async (what, flags) => {
      const { test } = await import("./fence/run.ts");
      process.exitCode = await test(what, flags as unknown as DeviceFlags);
    });
}

function statusCommand() {
  return withDevices(new Command("status"))
    .summary("is a node on?")
    .argument("<node>", "whose power")
    .description(
      "Tells whether a node is on, as each of its devices says. Exit code 1: none of them can tell.",
    )
    .addHelpText("after", examples([["heartline fence status node2", "on or off"]]))
    .action(async (node, flags) => {
      const { status } = await import("./fence/run.ts");
      process.exitCode = await status(node, flags as unknown as DeviceFlags);
    });
}

const summaries = {
  off: "off, and make sure",
  on: "on, and make sure",
  reboot: "off, make sure, on",
} as const;
const what = {
  off: "Switches a node off, and makes sure that it is off. Exit code 0 only if it was seen to be off.",
  on: "Switches a node on, and makes sure that it is on.",
  reboot: "Switches a node off, makes sure that it is off, and switches it on again.",
} as const;

function switchCommand(verb: keyof typeof what) {
  return withDevices(new Command(verb))
    .argument("<node>", "which node")
    .option("--yes", "do not ask for the node's name to be typed")
    .option("--force", "even if it is this very machine")
    .summary(summaries[verb])
    .description(what[verb])
    .addHelpText(
      "after",
      `\n${where}` + examples([
        [`heartline fence ${verb} node2`, "asks for the name of the node"],
        [`heartline fence ${verb} node2 --yes --json`, "for programs"],
      ]) + "\nExit codes: 0 verified, 1 failed or not known, 2 usage, 78 configuration.",
    )
    .action(async (node, flags) => {
      const { switchNode } = await import("./fence/run.ts");
      process.exitCode = await switchNode(verb, node, flags as unknown as SwitchFlags);
    });
}
