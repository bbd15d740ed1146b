/** `heartline probe --listen`: the far end of a measurement, until Ctrl-C or for a time; then who asked how much. */

import { hostname } from "node:os";
import process from "node:process";
import { UsageError } from "../../../lib/errors.ts";
import { ProbeListener } from "../../../lib/probe/listener.ts";
import { renderTable } from "../../render/table.ts";
import type { ProbeOptions } from "../probe.ts";
import { probeSchema } from "../../render/probe/json.ts";
import { readListen, readSerial } from "./options.ts";
import { authenticationFor } from "./plan.ts";

export async function listen(options: ProbeOptions): Promise<number> {
  const problems: string[] = [];
  const serial = readSerial(options.serial, problems);
  if (options.udp ?? options.icmp ?? options.tcp) {
    problems.push(
      "Cannot ask and answer at the same time: leave --udp, --icmp and --tcp to the other machine",
    );
  }
  const choosing = (["link", "peer"] as const).filter((name) => options[name] !== undefined);
  if (choosing.length > 0) {
    const names = choosing.map((name) => `--${name}`).join(" and ");
    problems.push(
      `Cannot use ${names} with --listen, which answers whoever asks: leave it to the other machine`,
    );
  }
  if (problems.length > 0) throw new UsageError(problems);
  const { address, port } = readListen(options.listen!);
  const isSerialOnly = serial.length > 0 && options.listen === true;
  const listener = new ProbeListener({
    node: options.node ?? hostname().toLowerCase(),
    authentication: await authenticationFor(options),
    addresses: isSerialOnly ? [] : address === null ? ["0.0.0.0", "::"] : [address],
    port,
    serial,
  });
  const places = await listener.open();
  if (!options.json) {
    const until = options.for === undefined ? "until Ctrl-C" : `for ${options.for / 1000} s`;
    const key = options.config === undefined && options.haDir === undefined
      ? "anybody who asks; name --config or --ha-dir to answer only who has the key"
      : "whoever has the key of the settings";
    process.stdout.write(`answering on ${places.join(", ")}, ${until}: ${key}\n`);
  }
  await ended(options.for);
  await listener.close();
  const askers = [...listener.askers.values()];
  if (options.json) {
    const { refused } = listener;
    process.stdout.write(JSON.stringify({ schema: probeSchema, places, askers, refused }, null, 2) + "\n");
    return 0;
  }
  const rows = askers.map((
    { from, on, heard, answered },
  ) => [from, on, `${heard} heard`, `${answered} answered`]);
  const lines = rows.length === 0
    ? ["nobody asked"]
    : renderTable(rows, { width: 80, indent: 0, widthsMax: [] });
  if (listener.refused > 0) {
    lines.push(`${listener.refused} packets were no questions, or signed with another key`);
  }
  process.stdout.write(lines.join("\n") + "\n");
  return 0;
}

function ended(forMs: number | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      if (timer !== null) clearTimeout(timer);
      process.off("SIGINT", end);
      process.off("SIGTERM", end);
      resolve();
    };
    const timer = forMs === undefined ? null : setTimeout(end, forMs);
    process.on("SIGINT", end);
    process.on("SIGTERM", end);
  });
}
