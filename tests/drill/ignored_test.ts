/** Who answers for an address and holds nothing, in a network of three hosts: "b" drills, "c" holds, "a" answers too. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { libc } from "../../lib/system/libc.ts";
import { tryRun } from "../../scripts/lab/run.ts";
import { commandLine } from "../cli/run.ts";
import { networkTest } from "../system/network.ts";

libc(); // opened once for all tests: it stays open

const router = "02:00:00:00:00:0a";
const vip = "10.55.0.100";

function yaml(directory: string): string {
  const file = join(directory, "heartline.yaml");
  const text = `cluster: test
nodes: [n1, n2]
links:
  - ucast: { dev: lo, peer: { n1: 127.0.0.1, n2: 127.0.0.2 } }
keys: { sign-with: 1, keys: [{ index: 1, method: sha256, secret: of-the-test }] }
groups: {}
takeover: { ignore-answers-from: ["${router}"] }
`;
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

networkTest(
  "a drill does not count answers that the settings, or --ignore, say to ignore",
  ["nft"],
  async (network) => {
    network.ip("a", `link set br0 address ${router}`);
    network.ip("b", "addr add 10.55.0.2/24 dev e0");
    network.ip("b", "link add spare type veth peer name other");
    for (const link of ["spare", "other"]) network.ip("b", `link set ${link} up`);
    network.ip("a", `addr add ${vip}/32 dev br0`);
    network.ip("c", `addr add ${vip}/32 dev e0`);
    const directory = mkdtempSync(join(tmpdir(), "heartline-drill-"));
    try {
      const cases: ReadonlyArray<readonly [args: readonly string[], verdict: string]> = [
        [[], "bad"],
        [["--ignore", router.toUpperCase()], "ok"],
        [["--config", yaml(directory)], "ok"],
      ];
      for (const [more, verdict] of cases) {
        const [program, args] = commandLine([
          ...["drill", "partition", "--json", "--link", "spare", "--for", "1s", "--force", "--vip", vip],
          ...["--socket", join(directory, "none"), ...more],
        ]);
        const { stdout, stderr } = await tryRun("ip", ["netns", "exec", network.name("b"), program, ...args]);
        assert.ok(stdout.startsWith("{"), stderr);
        const findings: Array<{ what: string; verdict: string; observed: string }> =
          JSON.parse(stdout).findings;
        const holders = findings.find(({ what }) => what === `holders of ${vip}`)!;
        assert.equal(holders.verdict, verdict, `${more}: ${holders.observed}`);
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
  { leavesChildren: true },
);
