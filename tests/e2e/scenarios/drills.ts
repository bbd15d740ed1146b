/**
 * `heartline drill` on real pairs: what it says about them is compared with what the laboratory saw itself.
 */

import assert from "node:assert/strict";
import { heartline } from "../../../scripts/lab/daemon.ts";
import { writeNodeFile } from "../../../scripts/lab/config.ts";
import { overlapMs } from "../../../scripts/lab/timeline.ts";
import type { Scenario } from "./scenario.ts";
import type { Stage } from "./stage.ts";

const vip = "10.77.1.100";

interface DrillReport {
  readonly verdict: string;
  readonly how: string;
  readonly dropped: { readonly in?: number; readonly out?: number };
  readonly findings: ReadonlyArray<
    { readonly what: string; readonly observed: string; readonly verdict: string }
  >;
  readonly alarms: ReadonlyArray<{ readonly isRaised: boolean; readonly code: string }>;
}

/**
 * Runs a drill in a node to its end; answers its exit code and its report. A heartbeat that is late in this very moment
 * makes of the other link one that does not work; then it is asked for again, as an operator would.
 */
async function drill(stage: Stage, node: string, ...args: string[]) {
  const ask = () => stage.heartline(node, "drill", "partition", "--json", ...args);
  let { code, stdout, stderr } = await ask();
  for (let tries = 1; tries < 3 && stdout === "" && /last link that works/.test(stderr); tries++) {
    ({ code, stdout, stderr } = await ask());
  }
  assert.notEqual(stdout, "", `no report: ${stderr}`);
  return { code, report: JSON.parse(stdout) as DrillReport };
}

async function assertNoRules(stage: Stage, node: string): Promise<void> {
  assert.doesNotMatch(await stage.shell(node, "nft list ruleset"), /heartline_drill/);
}

/** Typed in a shell that holds a connection to the peer over the link, as one that came in by it does. */
async function refusesOwnConnection(stage: Stage): Promise<void> {
  await stage.shell("node2", "socat TCP-LISTEN:7022,fork,reuseaddr EXEC:cat >/dev/null 2>&1 &");
  const command = [...heartline(stage.target), "drill", "partition", "--link", "hb0", "--for", "1m"].join(
    " ",
  );
  const peer = stage.lab.network.address("node2", "hb0");
  const { code, stderr } = await stage.lab.exec("node1", [
    "bash",
    "-c",
    `until exec 3<>/dev/tcp/${peer}/7022; do sleep 0.05; done 2>/dev/null; ${command}; exit $?`,
  ]);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /your own connection from 10\.77\.2\.2 comes in over hb0 \(process \d+ \(bash\)\)/);
}

function codes({ alarms }: DrillReport): string[] {
  return alarms.map(({ isRaised, code }) => `${isRaised ? "alarm" : "clear"} ${code}`);
}

/** Priorities differ, so that two masters end by themselves when they hear each other. */
function keepalivedConf(priority: number): string {
  return `global_defs {
  router_id lab
}
vrrp_instance web {
  state BACKUP
  interface pub0
  virtual_router_id 51
  priority ${priority}
  version 3
  advert_int 0.5
  virtual_ipaddress {
    ${vip}/24
  }
}
`;
}

export const drills: readonly Scenario[] = [
  {
    name: "a drill on one of two links: nothing moves, the alarm comes and goes, and the report says so",
    isEssential: true,
    needs: ["nft", "socat"],
    play: async (stage) => {
      await stage.opens();
      await refusesOwnConnection(stage);
      stage.blow();
      const { code, report } = await drill(stage, "node1", "--link", "hb0", "--for", "3s");
      assert.deepEqual([code, report.verdict], [0, "passed"], JSON.stringify(report.findings, null, 1));
      assert.deepEqual(codes(report), ["alarm link-lost", "clear link-lost"]);
      assert.ok(report.dropped.in! > 5 && report.dropped.out! > 5, JSON.stringify(report.dropped));
      await assertNoRules(stage, "node1");
      for (const node of ["node1", "node2"]) await stage.said(node, "link-lost", /hb0/);
      await stage.agrees("node2", { alarms: [], holders: ["node1"] });
      stage.neverTwo();
      stage.noOutage();
    },
  },
  {
    name: "a drill on the last link is refused; forced on an unprotected pair, it reports the split brain",
    needs: ["nft"],
    options: { links: 1 },
    play: async (stage) => {
      await stage.opens();
      const args = ["drill", "partition", "--link", "pub0", "--for", "3s"];
      const { code, stderr } = await stage.heartline("node2", ...args);
      assert.equal(code, 1);
      assert.match(
        stderr,
        /the last path to the peer would be cut: pub0 is the last link that works to node1/,
      );
      await assertNoRules(stage, "node2");
      stage.neverTwo();

      const forced = await drill(stage, "node2", "--link", "pub0", "--for", "4s", "--force");
      assert.ok(overlapMs(stage.timeline()) > 500, "both held the address in the end");
      assert.deepEqual([forced.code, forced.report.verdict], [1, "failed"]);
      const holders = forced.report.findings.filter(({ what, verdict }) =>
        what === "holders" && verdict === "bad"
      );
      const told = holders.some(({ observed }) => /^node1 says: two holders of web/.test(observed));
      assert.ok(told, JSON.stringify(forced.report.findings, null, 1));
      await assertNoRules(stage, "node2");
    },
  },
  {
    name: "beside keepalived: a backup that hears nothing becomes a second master, and the drill reports it",
    needs: ["nft", "keepalived"],
    options: {
      links: 1,
      start: [],
      prepare: (lab) => {
        lab.nodes.forEach((node, index) =>
          writeNodeFile(lab, node, "/etc/keepalived/keepalived.conf", keepalivedConf(150 - 50 * index))
        );
      },
    },
    play: async (stage) => {
      for (const node of stage.lab.nodes) {
        stage.lab.launch(node, ["keepalived", "--dont-fork", "--log-console", "--vrrp"]);
      }
      await stage.heldBy("node1");
      await stage.untilServed();
      stage.blow();
      const { code, report } = await drill(
        stage,
        "node2",
        ...["--link", "pub0", "--one-way", "in", "--for", "4s", "--vip", vip, "--force"],
      );
      assert.ok(overlapMs(stage.timeline()) > 500, "there were two masters");
      assert.deepEqual([code, report.verdict], [1, "failed"]);
      const bad = report.findings.filter(({ verdict }) => verdict === "bad").map(({ what }) => what);
      assert.ok(bad.length > 0 && bad.every((what) => what.endsWith(vip)), JSON.stringify(report.findings));
      await stage.untilOn("node1");
      await assertNoRules(stage, "node2");
    },
  },
];
