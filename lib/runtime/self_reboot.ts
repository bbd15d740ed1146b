/**
 * Reboots this machine, the last resort of `on-stop-fail: reboot`, and tells why it still runs if it does. Without
 * syncing discs or stopping services, which may be what hangs. It must never leave a failed attempt unsaid: the others
 * wait for this reboot.
 */

import { lastLines, runProcess } from "../system/process.ts";

export interface RebootAttempt {
  readonly command: string;
  readonly args: readonly string[];
  /** Lower: one that is slow, but would succeed, is killed. Higher: one that hangs is known later. */
  readonly limitMs: number;
  /** From its good end. Lower: a machine that goes down slowly is called one that does not. Higher: known later. */
  readonly goneWithinMs: number;
}

const forced: RebootAttempt = {
  command: "reboot",
  args: ["-f"],
  limitMs: 60_000,
  goneWithinMs: 120_000,
};

/** Resolves, never rejects, if this machine still runs: with the reason, for people. */
export async function rebootMachine(attempt: RebootAttempt = forced): Promise<string> {
  const { command, args, limitMs, goneWithinMs } = attempt;
  const what = [command, ...args].join(" ");
  const { spawnError, timedOut, code, signal, output } = await runProcess(command, args, { limitMs });
  if (spawnError !== undefined) return `"${what}" could not be started (${spawnError})`;
  if (timedOut) return `"${what}" did not end within ${limitMs / 1000} s`;
  const [said] = lastLines(output, 1);
  if (code !== 0) {
    const end = code === null ? `was ended by ${signal}` : `failed with code ${code}`;
    return `"${what}" ${end}${said === undefined ? "" : `: ${said}`}`;
  }
  await new Promise<void>((resolve) => {
    // A daemon that ends meanwhile does not wait for it.
    setTimeout(resolve, goneWithinMs).unref();
  });
  return `"${what}" ended well, but this machine still runs ${goneWithinMs / 1000} s later`;
}
