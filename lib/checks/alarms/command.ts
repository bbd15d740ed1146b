/**
 * Tells an alarm to a command of the operator's: through the shell, with the facts in its environment and the report
 * as JSON on its standard input. When its time is over its whole process group is killed.
 */

import { lastLines, runProcess } from "../../system/process.ts";
import type { Channel } from "./message.ts";

export function commandChannel(command: string): Channel {
  return async (message, limitMs) => {
    const ended = await runProcess("/bin/sh", ["-c", command], {
      limitMs,
      environment: message.variables,
      input: JSON.stringify(message.json) + "\n",
    });
    const said = lastLines(ended.output, 1)[0];
    const detail = said === undefined ? "" : ` (it said: ${said})`;
    if (ended.spawnError !== undefined) return `Cannot run "${command}": ${ended.spawnError}`;
    if (ended.timedOut) return `Cannot finish "${command}": killed after ${Math.round(limitMs)} ms${detail}`;
    if (ended.code !== 0) {
      return `Cannot finish "${command}": it ended with ${ended.code ?? ended.signal}${detail}`;
    }
    return null;
  };
}
