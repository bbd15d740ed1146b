/** What every command that talks to the daemon does the same way. */

import { suggestion } from "../lib/config/spelling.ts";
import type { NodeView } from "../lib/core/view.ts";
import { UsageError } from "../lib/errors.ts";
import { ControlClient } from "../lib/runtime/control_client.ts";

/** Connects, runs `body`, and hangs up whatever happens. */
export async function withDaemon<Result>(
  socket: string,
  timeoutMs: number,
  body: (client: ControlClient) => Promise<Result>,
): Promise<Result> {
  const client = await ControlClient.connect(socket, Math.min(timeoutMs, 5000));
  try {
    return await body(client);
  } finally {
    client.close();
  }
}

/** Refuses names that the daemon does not know, all at once, with what was probably meant and what there is. */
export function refuseUnknownGroups(view: NodeView, names: readonly string[]): void {
  const known = view.groups.map((group) => group.group);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  const list = known.length === 0
    ? "this cluster has no groups"
    : `the groups are ${known.map(quoted).join(", ")}`;
  throw new UsageError(unknown.map((name) => {
    const hint = suggestion(name, known);
    return hint.startsWith("did you mean")
      ? `unknown group ${quoted(name)}: ${hint} (${list})`
      : `unknown group ${quoted(name)}: ${list}`;
  }));
}

export function printJson(value: unknown): void {
  process.stdout.write(JSON.stringify(value, null, 2) + "\n");
}

function quoted(text: string): string {
  return `"${text}"`;
}
