/**
 * Tells an alarm by mail through the local `sendmail`, which every mail server and every relay brings along. What it
 * took is its own care; what it refused is told.
 */

import { lastLines, runProcess } from "../../system/process.ts";
import type { AlarmMessage, Channel } from "./message.ts";

/** Columns of a header line that every mail server takes. */
const subjectLengthMax = 200;

export function mailChannel(address: string): Channel {
  return async (message, limitMs) => {
    // -i: a line with a single dot does not end the mail.
    const ended = await runProcess("sendmail", ["-i", "--", address], {
      limitMs,
      input: mailText(address, message, new Date()),
    });
    const failed = (reason: string) => `Cannot mail to "${address}": ${reason}`;
    if (ended.spawnError === "ENOENT") {
      return failed('there is no program "sendmail"; install a mail server or a relay such as msmtp-mta');
    }
    if (ended.spawnError !== undefined) return failed(ended.spawnError);
    if (ended.timedOut) return failed(`sendmail was killed after ${Math.round(limitMs)} ms`);
    const said = lastLines(ended.output, 1)[0] ?? "it said nothing";
    return ended.code === 0 ? null : failed(`sendmail ended with ${ended.code ?? ended.signal} (${said})`);
  };
}

/** RFC 5322, with the marks of RFC 3834 that keep holiday programs from answering. */
export function mailText(address: string, message: AlarmMessage, now: Date): string {
  const subject = `[heartline ${message.host}] ${message.headline}`;
  return [
    `To: ${address}`,
    `Subject: ${encodedWord(subject.slice(0, subjectLengthMax))}`,
    `Date: ${now.toUTCString().replace("GMT", "+0000")}`,
    "Auto-Submitted: auto-generated",
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: 8bit",
    "",
    message.text,
    "",
  ].join("\n");
}

/** RFC 2047, where the text is not plain ASCII. A line end in it must never begin another header. */
function encodedWord(text: string): string {
  // deno-lint-ignore no-control-regex
  const oneLine = text.replaceAll(/[\x00-\x1f\x7f]+/g, " ");
  if (/^[\x20-\x7e]*$/.test(oneLine)) return oneLine;
  return `=?utf-8?B?${btoa(String.fromCharCode(...new TextEncoder().encode(oneLine)))}?=`;
}
