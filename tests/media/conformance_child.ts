/**
 * Runs the conformance suite of the medium named on the command line in the network namespace and under the runtime
 * that it was started in, and prints one line of JSON for each sentence: `{sentence, error}`.
 */

import process from "node:process";
import { mediumCases } from "./conformance.ts";
import { conformances } from "./pairs.ts";

const [name] = process.argv.slice(2);
const conformance = conformances.find((each) => each.name === name);
if (conformance === undefined) throw new Error(`no medium is called ${name}`);
for (const { sentence, run } of mediumCases(conformance)) {
  let error: string | null = null;
  try {
    await run();
  } catch (thrown) {
    error = thrown instanceof Error ? thrown.stack ?? thrown.message : String(thrown);
  }
  console.log(JSON.stringify({ sentence, error }));
}
// What a medium left open would keep the process alive: the test waits for its end.
