import { existsSync } from "node:fs";
import { Command } from "@commander-js/extra-typings";
import { UsageError } from "../../lib/errors.ts";
import { examples, nodeOption, nonEmpty } from "../options.ts";

const yamlFile = "/etc/heartline/heartline.yaml";
const haDirectory = "/etc/ha.d";

/** `heartline peer`: the daemon, in the foreground. */
export function peerCommand() {
  return new Command("peer")
    .description(
      "Runs this node in the foreground: watches the other nodes and holds the groups that belong " +
        "here. SIGTERM hands everything over and ends it.",
    )
    .option("--config <file>", `settings (default: ${yamlFile})`, nonEmpty)
    .option("--ha-dir <dir>", "directory with ha.cf, authkeys and haresources instead", nonEmpty)
    .addOption(nodeOption())
    .option("--socket <path>", "control socket, whatever the settings say", nonEmpty)
    .option("--state-dir <dir>", "where generation and epochs are kept, whatever the settings say", nonEmpty)
    .addHelpText(
      "after",
      examples([
        ["heartline peer", `from ${yamlFile}, else from ${haDirectory}`],
        ["heartline peer --ha-dir /etc/ha.d", "from the files of Heartbeat"],
        ["heartline peer --config lab.yaml --node alpha", "one of several nodes on one machine"],
      ]),
    )
    .action(async (options) => {
      const { config, haDir, node, socket, stateDir } = options;
      const source = chooseSource(config, haDir);
      const { runPeer } = await import("../../lib/runtime/peer.ts");
      const exitCode = await runPeer({
        ...source,
        ...(node === undefined ? {} : { node }),
        ...(socket === undefined ? {} : { socket }),
        ...(stateDir === undefined ? {} : { stateDirectory: stateDir }),
      });
      // Everything is closed and written; whatever still hangs must not keep the service manager waiting.
      process.exit(exitCode);
    });
}

/** Whether there are settings where the daemon, or Heartbeat, looks. */
export function hasStandardSource(exists: (path: string) => boolean = existsSync): boolean {
  return exists(yamlFile) || exists(`${haDirectory}/ha.cf`);
}

/** Where the settings are. What was named is taken as named; else the first of the two usual places that exists. */
export function chooseSource(
  config: string | undefined,
  haDir: string | undefined,
  exists: (path: string) => boolean = existsSync,
): { configFile: string } | { haDirectory: string } {
  if (config !== undefined && haDir !== undefined) {
    throw new UsageError([
      "Cannot read both --config and --ha-dir: they are two forms of the same settings; name one",
    ]);
  }
  if (config !== undefined) return { configFile: config };
  if (haDir !== undefined) return { haDirectory: haDir };
  if (exists(yamlFile)) return { configFile: yamlFile };
  if (exists(`${haDirectory}/ha.cf`)) return { haDirectory };
  throw new UsageError([
    `Cannot find settings: there is neither ${yamlFile} nor ${haDirectory}/ha.cf; ` +
    "write one of them, or name it with --config or --ha-dir",
  ], 78);
}
