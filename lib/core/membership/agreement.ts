/** Whether a peer runs what we run, configured alike: raises and clears the alarms about it. Decides nothing. */

import type { Context } from "../context.ts";
import type { Statement } from "../../wire/statement.ts";

/** `statement`: what the peer has just stated, `null`: it is a Heartbeat daemon. */
export function compareSettings(
  context: Context,
  ownHash: string,
  node: string,
  statement: Statement | null,
): void {
  if (statement === null) {
    context.raise(
      "foreign-daemon",
      node,
      `${node} is a Heartbeat daemon: in a cluster of more than two nodes nothing is taken while it is in view`,
    );
    return;
  }
  context.clear("foreign-daemon", node, `${node} runs Heartline ${statement.version}`);
  if (statement.settingsHash === ownHash) {
    context.clear("settings-differ", node, `the settings of ${node} agree with ours`);
  } else {
    const sentence =
      `the settings of ${node} differ from ours where they must agree (nodes, times, groups): ` +
      "compare the files of both nodes";
    context.raise("settings-differ", node, sentence, { theirs: statement.settingsHash });
  }
}
