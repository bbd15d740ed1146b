/**
 * The end of a command that must never outlive its time, whatever hangs: a name lookup, a child, a file system. A
 * timer ends it with a word; if the event loop itself stands still, the kernel does, with SIGALRM.
 */

import { libc } from "../lib/system/libc.ts";

/** The kernel waits this much longer than the timer, so that the word is said where it can be. */
const alarmGraceSeconds = 1;

export interface LastWord {
  readonly stream: "stdout" | "stderr";
  readonly text: string;
  readonly exitCode: number;
}

export interface Deadline {
  leftMs(): number;
  /** What is said and answered when time runs out; changes as the command gets on. */
  word: LastWord;
  disarm(): void;
}

export function armDeadline(limitMs: number, word: LastWord): Deadline {
  const endsAt = performance.now() + limitMs;
  libc().alarm(Math.ceil(limitMs / 1000) + alarmGraceSeconds);
  const deadline: Deadline = {
    leftMs: () => Math.max(0, endsAt - performance.now()),
    word,
    disarm() {
      clearTimeout(timer);
      libc().alarm(0);
    },
  };
  const timer = setTimeout(() => {
    const { stream, text, exitCode } = deadline.word;
    if (text === "") process.exit(exitCode);
    process[stream].write(text, () => process.exit(exitCode));
    // Nobody reads the pipe: go without having been heard.
    setTimeout(() => process.exit(exitCode), 100);
  }, limitMs);
  return deadline;
}
