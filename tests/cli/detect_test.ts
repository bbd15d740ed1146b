/** `heartline detect` as a process: its forms, its files, who it tells, its end. Asks this machine alone. */

import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { execFileSync, spawnSync } from "node:child_process";
import process from "node:process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isAlert, parseRange, pluginLine } from "../../cli/render/nagios.ts";
import { renderMetrics, stateSamples } from "../../cli/render/prometheus.ts";
import { heartlineCommand } from "../checks/segment.ts";
import { FakeDaemon, withFakeDaemon } from "./fake_daemon.ts";
import { heartline } from "./run.ts";
import { group, healthyPair, resource } from "./views.ts";

/** On every machine, so that a standby has it; asked for in no network. */
const here = ["detect", "--vip", "127.0.0.1", "--local"];
/** On no machine. */
const absent = ["detect", "--vip", "192.0.2.77", "--local"];

/** The same, and the network is asked. */
const asked = ["detect", "--vip", "192.0.2.77", "--window", "100ms"];

async function inDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "hl-detect-"));
  try {
    await body(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Two nodes that both say they hold the address. */
function twoHolders(): FakeDaemon {
  const web = group("web", { holders: ["alpha", "beta"], resources: [resource("IPaddr2::192.0.2.77/24")] });
  return new FakeDaemon(healthyPair({ groups: [web] }));
}

Deno.test("exit codes of the plain command: 0 well, 1 a finding, 2 usage, 78 configuration", async () => {
  const cases: ReadonlyArray<readonly [args: string[], code: number, words: RegExp]> = [
    [absent, 0, /^OK: 192\.0\.2\.77 is not on this standby/],
    [here, 1, /^WARNING: 127\.0\.0\.1 is on this standby/],
    [[...here, "--role", "primary"], 0, /^OK: 127\.0\.0\.1 is held by this primary/],
    [["detect"], 2, /no address is named; give --vip ADDRESS/],
    [[...here, "--vip", "10.0.0.9\/24"], 2, /leave the prefix out: 10\.0\.0\.9/],
    [[...here, "--service", "tcp:99999"], 2, /Cannot use --service "tcp:99999": tcp:80, /],
    [
      [...here, "--http-status", "2xx", "--service", "http://10.0.0.1"],
      2,
      /a range such as 200-399 is expected/,
    ],
    [[...here, "--http-status", "200"], 2, /add --service http:/],
    [[...here, "--window", "9s"], 2, /within --timeout 10000 ms/],
    [[...here, "--link", "serial:/dev/ttyS0:12"], 2, /the speed must be one of 9600/],
    [[...here, "--textfile", "/tmp/x"], 2, /write "\/tmp\/x\.prom"/],
    [[...here, "--json", "--nagios"], 3, /choose one/],
    [[...here, "--repeat", "1h"], 2, /add --state FILE/],
    [[...here, "--mail", "-oQ/tmp"], 2, /Cannot mail to "-oQ\/tmp"/],
    [[...here, "--webhook", "ftp://x"], 2, /http:\/\/ or https:\/\/ URL is expected/],
    [[...here, "--windw", "1s"], 2, /did you mean "--window"\?/],
    [["detect", "--config", "/nonexistent.yaml"], 78, /\/nonexistent\.yaml: cannot read the file/],
  ];
  await Promise.all(cases.map(async ([args, code, words]) => {
    const ended = await heartline(args);
    assert.equal(ended.code, code, `${args.join(" ")}: ${ended.stdout}${ended.stderr}`);
    assert.match(ended.stdout + ended.stderr, words);
  }));
});

Deno.test("all that is wrong with the options is said at once", async () => {
  const ended = await heartline([...here, "--vip", "x", "--primary", "y", "--service", "z", "--mail", "a b"]);
  assert.equal(ended.code, 2);
  assert.equal(ended.stderr.trim().split("\n").length, 4, ended.stderr);
});

Deno.test("as a plugin it says one line on standard output and nothing elsewhere, whatever happens", async () => {
  const cases: ReadonlyArray<readonly [args: string[], code: number, line: RegExp]> = [
    [[...absent, "--nagios"], 0, /^DETECT OK: .* \| 'holders'=U;;;0 'time'=[\d.]+s;;;0;10$/],
    [[...here, "--nagios"], 1, /^DETECT WARNING: .* \| 'holders'=1;;;0 /],
    [
      [...here, "--role", "primary", "--nagios", "-c", "2:"],
      2,
      /^DETECT CRITICAL: .*against -c 2: \| 'holders'=1;;2:;0 /,
    ],
    [
      [...asked, "--dev", "l0", "--nagios"],
      3,
      /^DETECT UNKNOWN: 192\.0\.2\.77 is not on this standby, and who .*none of that name; did you mean "lo"\?.* \| /,
    ],
    [[...here, "--nagios", "-w", "x"], 3, /^DETECT UNKNOWN: Cannot use -w "x"/],
    [[...here, "--nagios", "--nonsense"], 3, /^DETECT UNKNOWN: unknown option "--nonsense"/],
    [["detect", "--nagios", "--version"], 3, /^heartline \d/],
  ];
  await Promise.all(cases.map(async ([args, code, line]) => {
    const ended = await heartline(args);
    assert.deepEqual([ended.code, ended.stderr], [code, ""], args.join(" "));
    assert.match(ended.stdout.trimEnd(), line);
    assert.equal(ended.stdout.trimEnd().split("\n").length, 1);
  }));
  const help = await heartline(["detect", "--nagios", "--help"]);
  assert.equal(help.code, 3);
  assert.match(help.stdout, /Usage: heartline detect/);
});

Deno.test("JSON has a schema, the verdicts and the evidence, and no key", async () => {
  const ended = await heartline([...here, "--json"]);
  const report = JSON.parse(ended.stdout);
  assert.equal(report.schema, 1);
  assert.equal(report.severity, "warning");
  assert.equal(report.verdicts[0].code, "taken-over-unverified");
  assert.ok(report.evidence.some((piece: { kind: string }) => piece.kind === "own-address"));
  assert.equal("authentication" in report.question, false);
});

Deno.test({
  name: "a user who may not read the keys of Heartbeat's files checks all the same",
  ignore: process.getuid?.() !== 0,
  fn: () =>
    inDirectory((directory) => {
      chmodSync(directory, 0o755);
      const haCf =
        "keepalive 1\ndeadtime 5\ninitdead 10\nucast eth0 10.0.0.1\nauto_failback on\nnode node1 node2\n";
      writeFileSync(join(directory, "ha.cf"), haCf);
      writeFileSync(join(directory, "haresources"), "node1 192.0.2.77/24/eth0\n");
      writeFileSync(join(directory, "authkeys"), "auth 1\n1 sha1 abcdefghijk\n");
      chmodSync(join(directory, "authkeys"), 0o600);
      const args = ["detect", "--ha-dir", directory, "--node", "node2", "--local", "--json"];
      // Without its capabilities root may read only what its owner lets everybody read, or what is its own.
      chownSync(join(directory, "authkeys"), 1, 1);
      const before = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"];
      const ended = spawnSync(before[0]!, [...before.slice(1), ...heartlineCommand(), ...args], {
        encoding: "utf8",
      });
      assert.equal(ended.status, 0, ended.stderr);
      const report = JSON.parse(ended.stdout);
      assert.equal(report.verdicts[0].code, "not-here");
      assert.deepEqual(report.unseen, []);
      return Promise.resolve();
    }),
});

Deno.test("a mistyped interface is told, in every form", async () => {
  const args = [...here, "--role", "primary", "--link", "nope9=10.0.1.1"];
  assert.match(
    (await heartline(args)).stdout,
    /NOT SEEN\n {2}- host, link nope9: there is no interface of that name/,
  );
  const plugin = await heartline([...args, "--nagios"]);
  assert.match(
    plugin.stdout,
    /^DETECT OK: .*; not seen: host, link nope9: there is no interface of that name.* \| /,
  );
});

Deno.test("who asks for a cause where none is to be seen is told where to ask next", async () => {
  const { stdout } = await heartline([
    ...absent,
    "--role",
    "primary",
    "--standby",
    "198.51.100.2",
    "--explain",
  ]);
  assert.match(
    stdout,
    /CAUSE: not to be told from what is seen here\n {2}next: ssh 198\.51\.100\.2 heartline detect --vip/,
  );
  assert.match(stdout, /--vip 192\.0\.2\.77 --role standby --explain\n/);
});

Deno.test("with a state file it speaks once, again after a while, and when it is over", () =>
  inDirectory(async (directory) => {
    const state = ["--state", join(directory, "state")];
    const first = await heartline([...here, ...state]);
    assert.match(first.stdout, /^WARNING/);
    const second = await heartline([...here, ...state]);
    assert.deepEqual([second.code, second.stdout, second.stderr], [1, "", ""]);
    const again = await heartline([...here, ...state, "--repeat", "1ms"]);
    assert.match(again.stdout, /^WARNING/);
    const over = await heartline([...here, ...state, "--role", "primary"]);
    assert.match(over.stdout, /^It is over\.\nOK/);
    const calm = await heartline([...here, ...state, "--role", "primary"]);
    assert.deepEqual([calm.code, calm.stdout], [0, ""]);
  }));

Deno.test("a damaged or unwritable state file makes it speak, not fall silent", () =>
  inDirectory(async (directory) => {
    const file = join(directory, "state");
    writeFileSync(file, '{"schema":1,"cond');
    const damaged = await heartline([...here, "--state", file]);
    assert.match(damaged.stderr, /it is damaged; it is begun anew/);
    assert.match(damaged.stdout, /^WARNING/);
    assert.equal((await heartline([...here, "--state", file])).stdout, "");
    const nowhere = await heartline([...here, "--state", join(directory, "no/such")]);
    assert.match(nowhere.stdout, /^WARNING/);
    assert.match(nowhere.stderr, /Cannot write --state/);
  }));

Deno.test("a file that is no memory of ours is left as it is, and every run alarms", () =>
  inDirectory(async (directory) => {
    const file = join(directory, "ha.cf");
    writeFileSync(file, "deadtime 30\n");
    const pipe = join(directory, "pipe");
    execFileSync("mkfifo", [pipe]);
    const cases: ReadonlyArray<readonly [path: string, why: RegExp]> = [
      [file, /it holds something else, and is left as it is; every run alarms; name another file/],
      [pipe, /it is no ordinary file/],
      ["/dev/null", /it is no ordinary file/],
      [directory, /it is no ordinary file/],
    ];
    for (const [path, why] of cases) {
      for (const args of [here, here]) {
        const ended = await heartline([...args, "--state", path]);
        assert.deepEqual([ended.code, ended.stdout.slice(0, 7)], [1, "WARNING"], path);
        assert.match(ended.stderr, why);
      }
      assert.equal((await heartline([...absent, "--state", path])).code, 69, path);
    }
    assert.equal(readFileSync(file, "utf8"), "deadtime 30\n");
    assert.ok(lstatSync("/dev/null").isCharacterDevice());
    assert.ok(lstatSync(pipe).isFIFO());
  }));

Deno.test("the textfile is whole at every moment, and has each state as a series", () =>
  inDirectory(async (directory) => {
    const file = join(directory, "detect.prom");
    await Promise.all([1, 2, 3].map(() => heartline([...here, "--textfile", file])));
    const text = readFileSync(file, "utf8");
    assert.deepEqual(readdirSync(directory), ["detect.prom"]);
    assert.match(text, /^heartline_detect_state\{vip="127\.0\.0\.1",state="warning"\} 1$/m);
    assert.match(text, /^heartline_detect_state\{vip="127\.0\.0\.1",state="critical"\} 0$/m);
    assert.match(text, /^heartline_detect_last_run_timestamp_seconds \d{10}(\.\d+)?$/m);
    assert.ok(text.endsWith("\n"));
    for (const line of text.trimEnd().split("\n")) {
      assert.match(
        line,
        /^(# (HELP|TYPE) heartline_detect_\w+ .+|heartline_detect_\w+(\{[^}]*\})? [\d.e+-]+)$/,
      );
    }
  }));

Deno.test("a split brain is told to a command, by mail and by webhook, once", () =>
  inDirectory(async (directory) => {
    const sendmail = join(directory, "sendmail");
    writeFileSync(sendmail, `#!/bin/sh\necho "$@" >> ${directory}/mail; cat >> ${directory}/mail\n`);
    chmodSync(sendmail, 0o755);
    const bodies: string[] = [];
    const { createServer } = await import("node:http");
    const server = createServer((request, response) => {
      let text = "";
      request.on("data", (chunk) => text += chunk);
      request.on("end", () => {
        bodies.push(text);
        response.end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as { port: number }).port}/`;
    try {
      await withFakeDaemon(twoHolders(), async (socket) => {
        const args = [...absent, "--socket", socket, "--state", join(directory, "state"), "--mail", "root"];
        const command = `echo "$HEARTLINE_VERDICT $HEARTLINE_HOLDERS" >> ${directory}/command`;
        const environment = { PATH: `${directory}:${Deno.env.get("PATH")}` };
        for (let run = 0; run < 2; run++) {
          const ended = await heartline([...args, "--webhook", url, "--on-critical", command], {
            environment,
          });
          assert.equal(ended.code, 1, ended.stderr);
          assert.equal(ended.stderr, "");
        }
      });
      assert.equal(readFileSync(join(directory, "command"), "utf8"), "split-brain alpha, beta\n");
      const mail = readFileSync(join(directory, "mail"), "utf8");
      assert.match(mail, /^-i -- root\nTo: root\nSubject: \[heartline [^\]]+\] CRITICAL: split brain: /);
      assert.equal(mail.split("Subject:").length, 2, "one mail");
      assert.equal(bodies.length, 1);
      assert.equal(JSON.parse(bodies[0]!).verdicts[0].code, "split-brain");
    } finally {
      await new Promise<void>((resolve) => server.close(() => resolve()));
    }
  }));

Deno.test("it never outlives its time: a file that hangs, a command that hangs", () =>
  inDirectory(async (directory) => {
    const pipe = join(directory, "pipe");
    execFileSync("mkfifo", [pipe]);
    const timed = async (args: string[]) => {
      const started = performance.now();
      const ended = await heartline(args);
      return { ...ended, tookMs: performance.now() - started };
    };
    const plain = await timed(["detect", "--config", pipe, "--timeout", "500ms"]);
    assert.equal(plain.code, 124, plain.stderr);
    const plugin = await timed(["detect", "--config", pipe, "-t", "0.5", "--nagios"]);
    assert.deepEqual([plugin.code, plugin.stderr], [3, ""]);
    assert.match(plugin.stdout, /^DETECT UNKNOWN: it did not end within 500 ms/);
    for (const { tookMs } of [plain, plugin]) assert.ok(tookMs < 6000, `${tookMs} ms`);
    await withFakeDaemon(twoHolders(), async (socket) => {
      const args = [
        ...absent,
        "--socket",
        socket,
        "--on-critical",
        `sleep 9; touch ${directory}/late`,
        "-t",
        "2s",
      ];
      const hung = await timed([...args, "--nagios"]);
      assert.equal(hung.code, 2, "the verdict was out before");
      assert.match(hung.stdout, /^DETECT CRITICAL: .*\nCannot finish "sleep 9; .*killed after/);
      assert.ok(hung.tookMs < 8000, `${hung.tookMs} ms`);
      assert.equal(existsSync(join(directory, "late")), false);
    });
  }));

Deno.test("ranges are read and judged as the plugin guidelines say", () => {
  const cases: ReadonlyArray<readonly [text: string, alerts: number[], fine: number[]]> = [
    ["10", [-1, 11], [0, 5, 10]],
    ["10:", [9], [10, 1e9]],
    ["~:10", [11], [-1e9, 10]],
    ["10:20", [9, 21], [10, 20]],
    ["@10:20", [10, 20], [9, 21]],
    ["1:1", [0, 2], [1]],
    ["@0", [0], [1, -1]],
    ["-5:-1", [0, -6], [-5, -1]],
  ];
  for (const [text, alerts, fine] of cases) {
    const range = parseRange(text)!;
    assert.notEqual(range, null, text);
    for (const value of alerts) assert.equal(isAlert(range, value), true, `${text} ${value}`);
    for (const value of fine) assert.equal(isAlert(range, value), false, `${text} ${value}`);
  }
  for (const text of ["", "x", "20:10", "@", ":", "1:2:3", "~"]) assert.equal(parseRange(text), null, text);
});

Deno.test("a plugin's line keeps its form whatever the text holds", () => {
  const line = pluginLine("DETECT", "critical", "a | b\nc", [{ label: "it's=x", value: 1 / 3, unit: "s" }]);
  assert.equal(line, "DETECT CRITICAL: a / b c | 'it''s_x'=0.333333s");
});

Deno.test("metrics escape what labels and help may hold", () => {
  const samples = stateSamples({ vip: 'a"b\\c\nd' }, ["on", "off"], "on");
  assert.equal(
    renderMetrics([{ name: "x", help: "a\\b\nc", type: "gauge", samples }, {
      name: "y",
      help: "",
      type: "gauge",
      samples: [],
    }]),
    '# HELP x a\\\\b\\nc\n# TYPE x gauge\nx{vip="a\\"b\\\\c\\nd",state="on"} 1\nx{vip="a\\"b\\\\c\\nd",state="off"} 0\n',
  );
});
