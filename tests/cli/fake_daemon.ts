/**
 * A daemon without a cluster behind it, for the commands to talk to: it answers on a real control socket, and moves
 * its one view as a test tells it.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "../../lib/core/inputs.ts";
import type { NodeView } from "../../lib/core/view.ts";
import type { CommandResult, ControlTarget } from "../../lib/runtime/control_protocol.ts";
import { openControlServer } from "../../lib/runtime/control_server.ts";
import type { ReportLine } from "../../lib/runtime/report_line.ts";

export class FakeDaemon implements ControlTarget {
  readonly commands: Command[] = [];
  reports: ReportLine[] = [];
  /** Changes the view after a command; `refuse` to turn it down. */
  obey: (command: Command) => CommandResult = (command) => ({
    accepted: true,
    message: `will do: ${command.kind}`,
  });

  constructor(public current: NodeView) {}

  view() {
    return { view: this.current, ageMs: 0 };
  }

  command(command: Command): Promise<CommandResult> {
    this.commands.push(command);
    return Promise.resolve(this.obey(command));
  }

  history() {
    return this.reports;
  }

  probe() {
    return Promise.resolve(null);
  }
}

/** Runs `body` while the daemon listens on a socket in a directory of its own. */
export async function withFakeDaemon(
  daemon: FakeDaemon,
  body: (socket: string) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "heartline-cli-"));
  const server = await openControlServer(join(directory, "control.sock"), daemon);
  try {
    await body(server.path);
  } finally {
    await server.close();
    rmSync(directory, { recursive: true, force: true });
  }
}
