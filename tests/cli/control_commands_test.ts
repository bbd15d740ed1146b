/** The commands that talk to a daemon, as processes, against a double on a real control socket. */

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, chownSync, statSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { progress } from "../../cli/moves.ts";
import type { Command } from "../../lib/core/inputs.ts";
import type { GroupView } from "../../lib/core/view.ts";
import { FakeDaemon, withFakeDaemon } from "./fake_daemon.ts";
import { heartline } from "./run.ts";
import { group, healthyPair, oneLinkDead, splitPair } from "./views.ts";

/** A pair whose groups are held by `beta`. */
function heldByPeer() {
  return healthyPair({
    groups: [
      group("web", { state: "stopped", holders: ["beta"], placedOn: "beta" }),
      group("db", { state: "stopped", holders: ["beta"], placedOn: "beta" }),
    ],
  });
}

/** Changes the named groups `delayMs` after a command was taken, as a real move would. */
function moving(daemon: FakeDaemon, changed: Partial<GroupView>, delayMs = 120): () => void {
  const timers: ReturnType<typeof setTimeout>[] = [];
  daemon.obey = (command) => {
    const names = "groups" in command ? command.groups : [];
    timers.push(setTimeout(() => {
      daemon.current = {
        ...daemon.current,
        groups: daemon.current.groups.map((one) =>
          names.length === 0 || names.includes(one.group) ? { ...one, ...changed } : one
        ),
      };
    }, delayMs));
    return { accepted: true, message: "taking it" };
  };
  return () => timers.forEach(clearTimeout);
}

Deno.test("takeover waits until the group runs here and prints the gap", async () => {
  const daemon = new FakeDaemon(heldByPeer());
  const stop = moving(daemon, { state: "running", holders: ["alpha"], lastGapMs: 12 });
  await withFakeDaemon(daemon, async (socket) => {
    const ended = await heartline(["takeover", "web", "--socket", socket]);
    assert.deepEqual(ended, {
      code: 0,
      stdout: "taking it\nweb: runs here (alpha); nobody held it for 12 ms\n",
      stderr: "",
    });
    assert.deepEqual(daemon.commands, [{ kind: "takeover", groups: ["web"] }]);
  });
  stop();
});

Deno.test("the socket can be named by HEARTLINE_SOCKET, and --json tells the same", async () => {
  const daemon = new FakeDaemon(healthyPair());
  const stop = moving(daemon, { state: "stopped", holders: ["beta"], lastGapMs: 31 });
  await withFakeDaemon(daemon, async (socket) => {
    const ended = await heartline(["standby", "--json"], { environment: { HEARTLINE_SOCKET: socket } });
    assert.equal(ended.code, 0, ended.stderr);
    const answer = JSON.parse(ended.stdout);
    assert.deepEqual(
      [answer.schema, answer.command, answer.accepted, answer.done, answer.groups[0].lastGapMs],
      [1, "standby", true, true, 31],
    );
  });
  stop();
});

Deno.test("a move that does not come about in time ends with 124 and says how far it is", async () => {
  await withFakeDaemon(new FakeDaemon(heldByPeer()), async (socket) => {
    const ended = await heartline(["takeover", "web", "--timeout", "2s", "--socket", socket]);
    assert.equal(ended.code, 124);
    assert.match(
      ended.stderr,
      /Cannot wait for takeover any longer: web is stopped here \(.*\); it goes on, see/,
    );
  });
});

Deno.test("--no-wait returns when the daemon has agreed", async () => {
  const daemon = new FakeDaemon(heldByPeer());
  await withFakeDaemon(daemon, async (socket) => {
    const ended = await heartline(["takeover", "--no-wait", "--socket", socket]);
    assert.deepEqual(ended, { code: 0, stdout: "will do: takeover\n", stderr: "" });
    assert.deepEqual(daemon.commands, [{ kind: "takeover", groups: [] }]);
  });
});

Deno.test("a move that fails ends with 1 and the daemon's reason", async () => {
  const daemon = new FakeDaemon(heldByPeer());
  const stop = moving(daemon, { able: false, holders: [], reason: "nginx did not start here" });
  await withFakeDaemon(daemon, async (socket) => {
    const ended = await heartline(["takeover", "web", "--socket", socket]);
    assert.equal(ended.code, 1);
    assert.match(ended.stdout, /web: failed: nginx did not start here/);
  });
  stop();
});

Deno.test("a refusal ends with 1 and the daemon's words, for every command", async () => {
  const daemon = new FakeDaemon(healthyPair());
  daemon.obey = () => ({ accepted: false, message: "no other node can take web now" });
  await withFakeDaemon(daemon, async (socket) => {
    for (const verb of ["takeover", "standby", "release", "rejoin", "confirm", "maintenance"]) {
      const args = verb === "maintenance" ? [verb, "on"] : [verb];
      const ended = await heartline([...args, "--socket", socket]);
      assert.equal(ended.code, 1, verb);
      assert.match(ended.stderr, /^heartline: Cannot .*: no other node can take web now\n$/);
    }
  });
});

Deno.test("an unknown group ends with 2, the nearest name and the list, before the daemon is asked to do anything", async () => {
  const daemon = new FakeDaemon(heldByPeer());
  await withFakeDaemon(daemon, async (socket) => {
    const near = await heartline(["takeover", "wbe", "xyzzy", "--socket", socket]);
    assert.equal(near.code, 2);
    assert.equal(
      near.stderr,
      'heartline: unknown group "wbe": did you mean "web"? (the groups are "web", "db")\n' +
        'heartline: unknown group "xyzzy": the groups are "web", "db"\n',
    );
    assert.deepEqual(daemon.commands, []);
  });
});

Deno.test("release, rejoin, confirm and maintenance hand over what was asked", async () => {
  const daemon = new FakeDaemon(heldByPeer());
  await withFakeDaemon(daemon, async (socket) => {
    const lines: readonly (readonly string[])[] = [
      ["release", "db"],
      ["rejoin", "web", "db"],
      ["confirm"],
      ["maintenance", "on"],
      ["maintenance", "off"],
    ];
    for (const line of lines) {
      const ended = await heartline([...line, "--socket", socket]);
      assert.equal(ended.code, 0, `${line}: ${ended.stderr}`);
    }
  });
  const expected: Command[] = [
    { kind: "release", groups: ["db"] },
    { kind: "rejoin", groups: ["web", "db"] },
    { kind: "confirm", groups: [] },
    { kind: "maintenance", on: true },
    { kind: "maintenance", on: false },
  ];
  assert.deepEqual(daemon.commands, expected);
});

Deno.test("status ends with 0 when all is well and with 1 when an alarm is active", async () => {
  const daemon = new FakeDaemon(healthyPair());
  await withFakeDaemon(daemon, async (socket) => {
    const well = await heartline(["status", "--socket", socket]);
    assert.equal(well.code, 0);
    assert.match(well.stdout, /^alpha in cluster shop, .* ms old\nAll is well\.\n/);
    daemon.current = oneLinkDead();
    const alarm = await heartline(["status", "--socket", socket]);
    assert.equal(alarm.code, 1);
    assert.match(alarm.stdout, /NOT WELL: 1 finding[\s\S]*link-lost/);
    const json = await heartline(["status", "--json", "--socket", socket]);
    assert.equal(json.code, 1);
    assert.deepEqual(JSON.parse(json.stdout), {
      schema: 1,
      ageMs: 0,
      findings: ["links: 1 of 2 left to beta (hb1 is dead)"],
      view: oneLinkDead(),
    });
  });
});

Deno.test("history prints reports, oldest first, from the time that was asked for", async () => {
  const daemon = new FakeDaemon(healthyPair());
  const at = (agoMs: number) => new Date(Date.now() - agoMs).toISOString();
  daemon.reports = [
    { at: at(3_600_000), level: "info", code: "old", sentence: "an hour ago", fields: {} },
    { at: at(1000), level: "alarm", code: "new", sentence: "just now", fields: { node: "beta" } },
  ];
  await withFakeDaemon(daemon, async (socket) => {
    const all = await heartline(["history", "--socket", socket]);
    assert.match(all.stdout, /^\S+Z info old: an hour ago\n\S+Z alarm new: just now\n$/);
    const late = await heartline(["history", "--since", "10m", "--json", "--socket", socket]);
    assert.deepEqual(JSON.parse(late.stdout).reports, [daemon.reports[1]]);
  });
});

Deno.test("status --watch into a pipe prints view after view, and SIGINT ends it cleanly", async () => {
  const daemon = new FakeDaemon(healthyPair());
  let isEnding = false;
  await withFakeDaemon(daemon, async (socket) => {
    const ended = await heartline(["status", "--watch", "100ms", "--json", "--socket", socket], {
      onOutput: (all, end) => {
        const count = all.split("\n").length - 1;
        if (count === 1) daemon.current = splitPair();
        if (count >= 3 && !isEnding) end("SIGINT");
        isEnding ||= count >= 3;
      },
    });
    assert.equal(ended.stderr, "");
    assert.equal(ended.code, 1, "the last view had a finding");
    const views = ended.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
    assert.equal(views[0].findings.length, 0);
    assert.equal(views.at(-1).view.groups[0].holders.length, 2);
  });
});

const hasScript = spawnSync("script", ["--version"]).status === 0;
if (!hasScript) {
  console.warn('skipped: status --watch on a terminal, because "script" (package bsdutils) is missing');
}
Deno.test({
  name:
    "status --watch on a terminal redraws in place, survives the daemon, and leaves the terminal as it was",
  ignore: !hasScript,
  fn: async () => {
    const daemon = new FakeDaemon(healthyPair());
    let child: ReturnType<typeof spawn> | undefined;
    let output = "";
    const until = async (what: string, condition: () => boolean) => {
      const deadline = performance.now() + 15_000;
      while (!condition()) {
        assert.ok(
          performance.now() < deadline,
          `waited for ${what}; got ${JSON.stringify(output.slice(-2000))}`,
        );
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    await withFakeDaemon(daemon, async (socket) => {
      const main = new URL("../../cli/main.ts", import.meta.url).pathname;
      const self = process.env.HEARTLINE_BIN ?? `${process.execPath} run -A ${main}`;
      const command = `stty cols 80 rows 50; exec ${self} status --watch 100ms --socket ${socket}`;
      const { NO_COLOR: _, ...environment } = process.env;
      child = spawn("script", ["-qec", command, "/dev/null"], { env: { ...environment, TERM: "xterm" } });
      child.stdout!.on("data", (chunk) => output += chunk);
      await until("two frames", () => output.split("\x1b[?2026h").length > 2);
      assert.ok(output.includes("\x1b[32mAll is well.\x1b["), "a terminal gets colours");
    });
    await until("the trouble", () => output.includes("Cannot ask the daemon"));
    const ended = new Promise((resolve) => child!.on("close", resolve));
    child!.stdin!.write("\x03");
    assert.equal(await ended, 0);
    assert.equal(output.split("\x1b[?1049h").length, 2);
    const [, after] = output.split("\x1b[?25h\x1b[?1049l");
    assert.match(after ?? "", /alpha in cluster shop[\s\S]*NODES AND LINKS/);
    assert.ok(!output.includes("\x1b[2J"), "never cleared as a whole");
  },
});

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn("skipped: a user without permission, because only root can become another user");
Deno.test({
  name: "a user without permission is told so with 77",
  ignore: !isRoot || process.env.HEARTLINE_BIN === undefined && statSync(process.execPath).mode % 8 % 2 === 0,
  fn: async () => {
    await withFakeDaemon(new FakeDaemon(healthyPair()), async (socket) => {
      chmodSync(dirname(socket), 0o755);
      chownSync(socket, 0, 0);
      const script = `
        process.setgid(65534); process.setuid(65534);
        const { ControlClient } = await import(${
        JSON.stringify(new URL("../../lib/runtime/control_client.ts", import.meta.url).href)
      });
        try { await ControlClient.connect(${
        JSON.stringify(socket)
      }, 1000); } catch (error) { console.log(error.exitCode, error.message); }`;
      const child = spawn(process.execPath, ["eval", script]);
      let output = "";
      child.stdout.on("data", (chunk) => output += chunk);
      child.stderr.on("data", (chunk) => output += chunk);
      await new Promise((resolve) => child.on("close", resolve));
      assert.match(
        output,
        /^77 Cannot ask the daemon at ".*": permission denied; run as root or join the group/,
      );
    });
  },
});

Deno.test("a move is done, waiting or failed, for every command and every state of the group here", () => {
  type Row = readonly [
    state: GroupView["state"],
    holders: readonly string[],
    rest: Partial<GroupView>,
    seen: readonly GroupView["state"][],
    takeover: string,
    standby: string,
    release: string,
    confirm: string,
    rejoin: string,
  ];
  const rows: readonly Row[] = [
    ["running", ["alpha"], {}, [], "done", "waiting", "waiting", "done", "done"],
    ["running", ["alpha", "beta"], {}, [], "waiting", "waiting", "waiting", "done", "done"],
    ["running", ["alpha"], {}, ["stopped"], "done", "failed", "waiting", "done", "done"],
    ["starting", [], {}, [], "waiting", "waiting", "waiting", "waiting", "done"],
    ["stopping", ["alpha"], {}, [], "waiting", "waiting", "waiting", "waiting", "waiting"],
    ["unknown", [], {}, [], "waiting", "waiting", "waiting", "waiting", "done"],
    ["stopped", [], {}, [], "waiting", "waiting", "done", "waiting", "done"],
    ["stopped", ["beta"], {}, [], "waiting", "done", "done", "done", "done"],
    ["stopped", [], { able: false }, [], "failed", "waiting", "done", "failed", "done"],
    ["blocked", ["alpha"], {}, [], "failed", "failed", "failed", "failed", "failed"],
  ];
  for (const [state, holders, rest, seen, ...expected] of rows) {
    const view = group("web", { state, holders, ...rest });
    const actual = (["takeover", "standby", "release", "confirm", "rejoin"] as const)
      .map((kind) => progress(kind, "alpha", view, new Set([...seen, state])).kind);
    assert.deepEqual(actual, expected, `${state} held by ${holders}`);
  }
});
