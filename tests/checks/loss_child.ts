/**
 * Checks the same thing again and again in the network namespace that it is started in, and prints how often each
 * verdict came. Arguments: how often, and the question as JSON.
 */

import { gather } from "../../lib/checks/gather.ts";
import { judge } from "../../lib/checks/verdict.ts";

const [count, question] = [Number(Deno.args[0]), JSON.parse(Deno.args[1]!)];
const counts: Record<string, number> = {};
for (let run = 0; run < count; run++) {
  const evidence = await gather(question, { askDaemon: () => Promise.reject(new Error("there is none")) });
  const { code } = judge(question, evidence).verdicts[0]!;
  counts[code] = (counts[code] ?? 0) + 1;
}
console.log(JSON.stringify(counts));
