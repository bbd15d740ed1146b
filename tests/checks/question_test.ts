/** From flags and files to the question: roles, nodes and addresses. */

import assert from "node:assert/strict";
import { questionFromKeepalived } from "../../cli/commands/detect/from_keepalived.ts";
import { questionFromSettings } from "../../cli/commands/detect/from_settings.ts";
import { questionFromFlags, readCommon } from "../../cli/commands/detect/options.ts";
import type { DetectOptions } from "../../cli/commands/detect.ts";
import { judge } from "../../lib/checks/verdict.ts";
import { parseKeepalivedConf } from "../../lib/config/keepalived_conf.ts";
import { plainContext, settingsFromYaml } from "../../lib/config/load.ts";
import { answers, own, primaryHardware, standbyHardware } from "./makers.ts";

const options = (more: Partial<DetectOptions> = {}) => ({ vip: ["10.0.0.9"], ...more }) as DetectOptions;

function fromFlags(more: Partial<DetectOptions>, ownAddresses: string[]) {
  const problems: string[] = [];
  const asked = options(more);
  const question = questionFromFlags(
    asked,
    readCommon(asked, problems),
    new Set(ownAddresses),
    null,
    problems,
  );
  return { question, problems };
}

Deno.test("the role follows from whose addresses are here, unless it is said", () => {
  const pair = { primary: ["10.0.0.1"], standby: ["10.0.0.2"] };
  const cases: ReadonlyArray<
    readonly [more: Partial<DetectOptions>, ownAddress: string, role: string, others: string[]]
  > = [
    [{ primary: ["10.0.0.1"] }, "10.0.0.2", "standby", ["10.0.0.1"]],
    [{ primary: ["10.0.0.1"] }, "10.0.0.1", "primary", []],
    [{ standby: ["10.0.0.2"] }, "10.0.0.1", "primary", ["10.0.0.2"]],
    [{ standby: ["10.0.0.2"] }, "10.0.0.2", "standby", []],
    [pair, "10.0.0.1", "primary", ["10.0.0.2"]],
    [pair, "10.0.0.2", "standby", ["10.0.0.1"]],
    [pair, "10.0.0.3", "observer", ["10.0.0.1", "10.0.0.2"]],
    [{ ...pair, role: "either" }, "10.0.0.1", "either", ["10.0.0.2"]],
    [{}, "10.0.0.2", "standby", []],
    [{ link: ["hb0=10.0.1.1"] }, "10.0.0.2", "standby", ["10.0.1.1"]],
    [{ ...pair, link: ["hb0=10.0.1.2"] }, "10.0.0.1", "primary", ["10.0.0.2", "10.0.1.2"]],
  ];
  for (const [more, ownAddress, role, others] of cases) {
    const { question, problems } = fromFlags(more, [ownAddress]);
    assert.deepEqual(problems, []);
    assert.equal(question.role, role, JSON.stringify(more));
    assert.deepEqual(question.nodes.flatMap((node) => node.addresses), others, JSON.stringify(more));
  }
});

Deno.test("a primary whose named address is another machine's is refused", () => {
  const { problems } = fromFlags({ role: "primary", primary: ["10.0.0.1"] }, ["10.0.0.2"]);
  assert.match(problems[0]!, /name the other node with --standby/);
});

Deno.test("an address that moves, or a standby's own, is no address of the primary", () => {
  assert.match(fromFlags({ primary: ["10.0.0.9"] }, []).problems[0]!, /it is the checked address itself/);
  const own = fromFlags({ role: "standby", primary: ["10.0.0.1"] }, ["10.0.0.1"]);
  assert.match(own.problems[0]!, /is this machine's own address/);
});

const yaml = `
cluster: test
nodes: [alpha, beta]
keepalive: 1s
deadtime: 5s
initdead: 10s
links:
  - ucast: { dev: hb0, peers: [10.1.0.1, 10.1.0.2] }
keys: { sign-with: 1, keys: [{ index: 1, method: sha256, secret: "0123456789abcdef" }] }
groups:
  web: { nodes: [alpha, beta], failback: on, resources: [{ vip: 10.0.0.9/24, dev: eth0 }] }
  db: { nodes: [beta, alpha], failback: on, resources: [{ vip: 10.0.0.10/24, dev: eth0 }] }
`;

function fromYaml(text: string, node: string) {
  const context = {
    ...plainContext(node),
    ownAddresses: new Set([node === "alpha" ? "10.1.0.1" : "10.1.0.2"]),
  };
  const { settings, problems } = settingsFromYaml(text, "heartline.yaml", context);
  assert.notEqual(settings, null, JSON.stringify(problems));
  const common = readCommon(options(), []);
  return questionFromSettings(settings!, node, common, context.ownAddresses, new Map(), null);
}

Deno.test("settings tell the role for each address, and the other node's address by the links", () => {
  const question = fromYaml(yaml, "beta");
  assert.deepEqual(question.vips.map((vip) => [vip.address, vip.own?.role]), [
    ["10.0.0.9", "standby"],
    ["10.0.0.10", "primary"],
  ]);
  assert.deepEqual(question.nodes, [{ name: "alpha", role: "primary", addresses: ["10.1.0.1"] }]);
  // Of two addresses here, the one that belongs elsewhere is the finding.
  const here = (subject: string) => ({ ...own(true), subject }) as ReturnType<typeof own>;
  const { verdicts } = judge(question, [here("10.0.0.9"), here("10.0.0.10")]);
  assert.deepEqual(verdicts.map(({ code }) => code), ["taken-over-unverified", "held-here"]);
});

Deno.test("a group that nothing brings back is right on either node; a third machine observes", () => {
  const question = fromYaml(yaml.replaceAll("failback: on", "failback: off"), "beta");
  assert.deepEqual(question.vips.map((vip) => vip.own?.role), ["either", "either"]);
  const { settings } = settingsFromYaml(yaml, "heartline.yaml", plainContext(null));
  const common = readCommon(options(), []);
  const foreign = questionFromSettings(settings!, "gamma", common, new Set(), new Map(), null);
  assert.deepEqual(foreign.vips.map((vip) => vip.own?.role), ["observer", "observer"]);
  // The nodes' interfaces are not this machine's.
  assert.deepEqual(foreign.vips.map((vip) => vip.device), [null, null]);
  assert.deepEqual(foreign.links, []);
});

const keepalived = `
! comment
global_defs { router_id LVS }   # braces on one line
include /etc/keepalived/more.conf
vrrp_script check { script "/bin/true" }
vrrp_instance web
{
    state BACKUP
    interface eth1
    virtual_router_id 51
    priority 90
    authentication { auth_type PASS
      auth_pass secret }
    unicast_src_ip 10.0.0.2
    unicast_peer {
        10.0.0.1
    }
    virtual_ipaddress {
        10.0.0.9/24 dev eth0 label eth0:web
        fd00::9/64
        nonsense
    }
}
vrrp_instance db {
    state MASTER
    interface eth1
    nopreempt
    virtual_ipaddress { 10.0.0.10 }
}
`;

Deno.test("keepalived.conf: instances, addresses, router ids, peers; what is not followed is told", () => {
  const conf = parseKeepalivedConf(keepalived);
  assert.deepEqual(conf.unread, ["include /etc/keepalived/more.conf"]);
  assert.deepEqual(
    conf.instances.map(({ name, state, device, routerId, priority, isNopreempt, peers }) => (
      { name, state, device, routerId, priority, isNopreempt, peers }
    )),
    [
      {
        name: "web",
        state: "BACKUP",
        device: "eth1",
        routerId: 51,
        priority: 90,
        isNopreempt: false,
        peers: ["10.0.0.1"],
      },
      {
        name: "db",
        state: "MASTER",
        device: "eth1",
        routerId: null,
        priority: null,
        isNopreempt: true,
        peers: [],
      },
    ],
  );
  const question = questionFromKeepalived(
    conf,
    readCommon(options(), []),
    new Set(["10.0.0.2"]),
    { primary: [], standby: [] },
    null,
  );
  assert.deepEqual(
    question.vips.map((
      { address, device, virtualRouter, own },
    ) => [address, device, virtualRouter, own?.role]),
    [
      ["10.0.0.9", "eth0", 51, "standby"],
      ["fd00::9", "eth1", 51, "standby"],
      ["10.0.0.10", "eth1", null, "either"],
    ],
  );
  assert.deepEqual(question.nodes.map(({ addresses }) => addresses), [["10.0.0.1"]]);
});

Deno.test("keepalived.conf: where all instances start as BACKUP, flags tell the role, else the election does", () => {
  const backup = "vrrp_instance web {\n state BACKUP\n interface eth1\n virtual_router_id 51\n" +
    " virtual_ipaddress { 10.0.0.9 dev eth0 }\n}\n";
  const own = new Set(["10.0.0.2"]);
  const cases: ReadonlyArray<
    readonly [primary: string[], standby: string[], role: string, isElected: boolean]
  > = [
    [[], [], "standby", true],
    [["10.0.0.1"], [], "standby", false],
    [[], ["10.0.0.1"], "primary", false],
    [["10.0.0.2"], [], "primary", false],
    [["10.0.0.1"], ["10.0.0.2"], "standby", false],
    [[], ["10.0.0.2"], "standby", false],
    [["10.0.0.1"], ["10.0.0.3"], "observer", false],
  ];
  for (const [primary, standby, role, isElected] of cases) {
    const conf = parseKeepalivedConf(backup);
    const { vips: [vip], links } = questionFromKeepalived(
      conf,
      readCommon(options(), []),
      own,
      { primary, standby },
      null,
    );
    assert.deepEqual([vip!.own?.role, vip!.isElected === true], [role, isElected], `${primary} ${standby}`);
    // The same flags without a file mean the same.
    if (!isElected) assert.equal(fromFlags({ primary, standby }, [...own]).question.role, role);
    assert.deepEqual(links.map((link) => link.kind === "network" ? link.device : link.tty), ["eth1"]);
  }
});

Deno.test("keepalived.conf: a third machine tells the two nodes apart that flags name", () => {
  const conf = (words: string) =>
    parseKeepalivedConf(`vrrp_instance web {\n ${words}\n virtual_ipaddress { 10.0.0.9 dev eth0 }\n}\n`);
  const named = { primary: ["10.0.0.1"], standby: ["10.0.0.2"] };
  const evidence = [
    answers("10.0.0.9", [primaryHardware, standbyHardware]),
    answers("10.0.0.1", [primaryHardware]),
    answers("10.0.0.2", [standbyHardware]),
  ];
  const cases: ReadonlyArray<readonly [words: string, more: Partial<DetectOptions>, alone: string]> = [
    ["", {}, "held-by-standby"],
    ["", { role: "observer" }, "held-by-standby"],
    ["nopreempt", {}, "held-by-one"],
  ];
  for (const [words, more, expected] of cases) {
    const common = readCommon(options(more), []);
    const question = questionFromKeepalived(conf(words), common, new Set(["10.0.0.3"]), named, null);
    assert.equal(judge(question, evidence).verdicts[0]!.code, "split-brain");
    const alone = [answers("10.0.0.9", [standbyHardware]), ...evidence.slice(1)];
    assert.equal(judge(question, alone).verdicts[0]!.code, expected);
  }
});

Deno.test("no text makes the reader of keepalived.conf fail", () => {
  for (let length = 0; length < keepalived.length; length += 3) {
    parseKeepalivedConf(keepalived.slice(0, length));
  }
  parseKeepalivedConf("{".repeat(10_000));
  parseKeepalivedConf("}".repeat(10_000) + "vrrp_instance { { }");
});
