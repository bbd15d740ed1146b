/** `heartline simulate worker`: takes jobs as lines of JSON and answers each with its outcome (`pool.ts`). */

import { Command } from "@commander-js/extra-typings";
import process from "node:process";
import { createInterface } from "node:readline";

export function workerCommand() {
  return new Command("worker").action(async () => {
    const { runJob } = await import("./jobs.ts");
    for await (const line of createInterface({ input: process.stdin })) {
      process.stdout.write(`${JSON.stringify(await runJob(JSON.parse(line)))}\n`);
    }
  });
}
