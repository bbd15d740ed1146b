/** Asks the Heartline daemon of this machine what it holds, whom it hears and what it is alarmed about. */

import type { Evidence } from "../evidence.ts";
import type { Look } from "../sources.ts";

/** A daemon answers within a millisecond; one that is starved is a finding and not worth a longer wait. */
const limitMsMin = 300;

export async function gatherStatement({ question, window, askDaemon }: Look): Promise<Evidence[]> {
  const socket = question.controlSocket!;
  const { ageMs, result } = await askDaemon(socket, Math.max(window.ms, limitMsMin));
  return [{ kind: "daemon", source: "daemon", subject: socket, ageMs, view: result }];
}
