/**
 * The last look when the demo ends: normally there is nothing left to do. A signal that comes while something is being
 * prepared or built ends the demo between two steps, and what the step under way leaves behind is removed here.
 *
 * Touches only children of this process, and what carries its number in its name. Nothing may wait: the process ends.
 */

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

/** Begin of the names of all namespaces and temporary directories; the process id follows. */
export const MARK = "hldemo";

export function sweepAtExit(): void {
  process.on("exit", () => {
    killChildren();
    for (const name of ownNamesIn("/run/netns")) spawnSync("ip", ["netns", "del", name]);
    for (const name of ownNamesIn(tmpdir())) {
      spawnSync("rm", ["-rf", "--one-file-system", join(tmpdir(), name)]);
    }
  });
}

function ownNamesIn(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory).filter((name) => name.startsWith(`${MARK}-${process.pid}-`));
}

/** First, because one of them may still be writing what is then removed. */
function killChildren(): void {
  for (const thread of readdirSync("/proc/self/task")) {
    try {
      const children = readFileSync(`/proc/self/task/${thread}/children`, "utf8").trim().split(" ");
      for (const pid of children.filter(Boolean)) process.kill(Number(pid), "SIGKILL");
    } catch {
      // The thread, or the child, has just ended.
    }
  }
}
