/** `heartline probe` beside a real Heartbeat daemon: its heartbeats are measured, and it takes no notice of questions. */

import assert from "node:assert/strict";
import { HA_DIRECTORY, writeHaDirectory } from "../../scripts/lab/config.ts";
import {
  heartbeatHaCf,
  heartbeatLog,
  heartbeatUnavailable,
  startHeartbeat,
} from "../../scripts/lab/heartbeat.ts";
import { Lab } from "../../scripts/lab/lab.ts";
import { cannotRun, waitFor } from "../e2e/harness.ts";

const reason = cannotRun("source") ?? heartbeatUnavailable();
if (reason !== null) console.warn(`SKIP "probe beside Heartbeat": ${reason}`);

Deno.test({
  name:
    "a Heartbeat daemon's heartbeats are measured, and questions that it cannot answer leave no trace in its log",
  ignore: reason !== null,
  fn: async () => {
    const lab = await Lab.build({ links: 2, prefix: "hlprobe" });
    try {
      writeHaDirectory(lab, { keepaliveMs: 200, deadTimeMs: 5_000, haCf: heartbeatHaCf });
      await startHeartbeat(lab, "node2");
      await waitFor(
        () => /Link .*node2.* up|Local status now set to/.test(heartbeatLog(lab, "node2")),
        "it runs",
        20_000,
      );
      const probe = (...args: string[]) =>
        lab.heartline("node1", "source", ["probe", "--ha-dir", HA_DIRECTORY, ...args, "--json"]);
      const [heard, asked] = await Promise.all([
        probe("--hear", "--for", "4s"),
        probe("--count", "30", "--interval", "100ms", "--wait", "200ms"),
      ]);
      const links = JSON.parse(heard.stdout).paths;
      assert.equal(links.length, 2);
      for (const { description, answered, roundTrip, heard } of links) {
        assert.ok(answered > 8, `${description}: ${answered} heard`);
        assert.equal(roundTrip.lost, 0);
        assert.ok(heard.intervalMs > 150 && heard.intervalMs < 400, `every ${heard.intervalMs} ms`);
      }
      assert.equal(asked.code, 1);
      assert.ok(
        JSON.parse(asked.stdout).paths.every(({ verdict }: { verdict: string }) => verdict === "silent"),
      );
      const log = heartbeatLog(lab, "node2");
      assert.ok(!/probe|NS_hl/i.test(log), log);
      assert.ok(
        !/Link node1:\S+ up|Status update for node node1/.test(log),
        `it takes questions for a sign of life: ${log}`,
      );
    } finally {
      await lab.destroy();
    }
  },
});
