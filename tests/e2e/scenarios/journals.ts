/** What a daemon wrote down can be had again: by the command itself, exactly, and with other settings. */

import assert from "node:assert/strict";
import { journalPath } from "./replays.ts";
import type { Scenario } from "./scenario.ts";

interface ReplayJson {
  readonly replay: { readonly isExact: boolean; readonly steps: number; readonly compared: number };
  readonly decisions: ReadonlyArray<{ readonly key: string }>;
  readonly whatIf?: {
    readonly divergedAtMs: number | null;
    readonly rows: ReadonlyArray<{ readonly side: string; readonly key: string }>;
  };
}

export const journals: readonly Scenario[] = [
  {
    name:
      "a takeover, a stall and a death are replayed exactly from the journals, and what-if shows another end",
    isEssential: true,
    config: { extra: { arbiters: [{ ping: ["10.77.1.254"], "on-unreachable": "hold" }] } },
    play: async (stage) => {
      await stage.opens();
      await stage.heartline("node2", "takeover");
      await stage.heldBy("node2");
      stage.lab.stop("node2");
      await stage.heldBy("node1");
      stage.lab.cont("node2");
      await stage.said("node2", "stalled");
      for (const node of ["node1", "node2"]) await stage.untilAlarms(node, []);
      stage.lab.kill("node1");
      await stage.heldBy("node2");

      const again = async (node: string, ...args: string[]) => {
        const command = ["simulate", "replay", journalPath, "--json", ...args];
        const { code, stdout, stderr } = await stage.heartline(node, ...command);
        assert.equal(code, 0, `${node}: ${stderr} ${stdout.slice(0, 300)}`);
        return JSON.parse(stdout) as ReplayJson;
      };
      for (const node of ["node1", "node2"]) {
        const { replay, decisions } = await again(node);
        assert.ok(replay.isExact);
        assert.ok(replay.compared > 30, `${node}: ${replay.compared} steps were compared`);
        // What the replay decides is what the daemon said.
        const replayed = decisions.filter(({ key }) => key.startsWith("alarm ")).map(({ key }) =>
          key.split(" ")[1]
        );
        const said = stage.lab.lines().filter((heard) => heard.node === node)
          .flatMap(({ line }) => / alarm ([a-z-]+): /.exec(line)?.[1] ?? []);
        assert.deepEqual(replayed, said, node);
      }
      const { whatIf } = await again("node1", "--set", "deadtime=30s");
      const dead = whatIf!.rows.filter(({ key }) => key === "alarm node-dead node2").map(({ side }) => side);
      const isSpared = dead.length > 0 && dead.every((side) => side === "recorded");
      assert.ok(isSpared, `30 s would have outlasted the stall: ${dead}`);
      assert.notEqual(whatIf!.divergedAtMs, null);
    },
  },
];
