import assert from "node:assert/strict";
import { mediumCases } from "./conformance.ts";
import { isRoot, type Runtime, runtimes, start, withNamespace } from "./namespace.ts";
import { conformances } from "./pairs.ts";

for (const runtime of runtimes) {
  for (const conformance of conformances) {
    Deno.test({
      name: `${runtime.name}: ${conformance.name} does what every medium must do`,
      ignore: !isRoot || runtime.isMissing || conformance.ignore === true,
      fn: (context) =>
        withNamespace(async (namespace) => {
          const found = await outcomes(runtime, namespace, conformance.name);
          for (const { sentence } of mediumCases(conformance)) {
            await context.step(sentence, () => {
              const outcome = found.find((each) => each.sentence === sentence);
              assert(outcome !== undefined, "it was not run");
              if (outcome.error !== null) throw new Error(outcome.error);
            });
          }
        }),
    });
  }
}

interface Outcome {
  readonly sentence: string;
  readonly error: string | null;
}

/** Of all sentences. A child that does not end by itself has left something open. */
async function outcomes(runtime: Runtime, namespace: string, name: string): Promise<Outcome[]> {
  const child = start(runtime, namespace, "conformance_child.ts", name);
  let output = "";
  let errors = "";
  child.stdout!.on("data", (chunk) => output += chunk);
  child.stderr!.on("data", (chunk) => errors += chunk);
  const limit = setTimeout(() => child.kill("SIGKILL"), 60_000);
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  clearTimeout(limit);
  assert.equal(code, 0, `it ended with ${code}: ${errors}\n${output}`);
  return output.trim().split("\n").map((line) => JSON.parse(line));
}
