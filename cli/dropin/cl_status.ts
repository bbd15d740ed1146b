/**
 * What `cl_status` answers, from a view of the daemon and its parameters: the same words on standard output and the
 * same exit codes as Heartbeat 3.0.6 gives (0 yes, 1 no or dead, 11 wrong use, 13 no such thing). It asks nobody.
 */

import type { GroupState } from "../../lib/wire/statement.ts";
import type { NodeView, PeerView } from "../../lib/core/view.ts";
import type { DropInAnswer } from "./dropin.ts";

export interface ClFacts {
  /** `null`: no daemon answers. */
  readonly view: NodeView | null;
  /** Value of a parameter of ha.cf; `null`: not known. */
  parameter(name: string): string | null;
  readonly version: string;
}

const usageCode = 11;
const unknownCode = 13;

const synopses = [
  "hbstatus [-m] [-v]                          is the daemon running here?",
  "listnodes [-m] [-v] [-p | -n]               nodes; -p ping nodes, -n the others",
  "nodestatus [-m] NODE                        init, up, active or dead",
  "nodetype [-m] NODE                          normal or ping",
  "nodeweight [-m] NODE                        always 100",
  "nodesite [-m] NODE                          always empty",
  "listhblinks [-m] [-v] NODE                  links to a node",
  "hblinkstatus [-m] NODE LINK                 up or dead",
  "clientstatus [-m] NODE CLIENT [MILLISECONDS]  always offline: there are no clients",
  "rscstatus [-m]                              none, local, foreign, all or transition",
  "hbparameter [-m] -p NAME                    a parameter of ha.cf",
];

const usage = `Usage: cl_status SUBCOMMAND [OPTIONS] [PARAMETERS]\n\n${
  synopses.map((line) => `  ${line}\n`).join("")
}`;

interface Call {
  readonly isForPeople: boolean;
  readonly isVerbose: boolean;
  readonly options: string;
  readonly parameter: string | null;
  readonly words: readonly string[];
}

/** How many words a subcommand wants, and which options it takes besides `-m`. */
const subcommands: Readonly<Record<string, { readonly words: number; readonly options: string }>> = {
  hbstatus: { words: 0, options: "v" },
  listnodes: { words: 0, options: "vpn" },
  nodestatus: { words: 1, options: "" },
  nodetype: { words: 1, options: "" },
  nodeweight: { words: 1, options: "" },
  nodesite: { words: 1, options: "" },
  listhblinks: { words: 1, options: "v" },
  hblinkstatus: { words: 2, options: "" },
  clientstatus: { words: 2, options: "" },
  rscstatus: { words: 0, options: "" },
  hbparameter: { words: 0, options: "p" },
};

export function answerClStatus(args: readonly string[], facts: ClFacts): DropInAnswer {
  const [name, ...rest] = args;
  if (name === undefined || name === "-h" || name === "--help") return said(usage);
  const subcommand = Object.hasOwn(subcommands, name) ? subcommands[name]! : null;
  if (subcommand === null) return failed(`unknown subcommand "${name}"; cl_status -h lists them`, usageCode);
  const call = readCall(name, rest, subcommand.options);
  if ("exitCode" in call) return call;
  if (name === "hbstatus" && facts.view === null) return said("Heartbeat is stopped on this machine.\n", 1);
  if (call.words.length < subcommand.words) {
    return failed(`${name} needs ${subcommand.words} more words; cl_status -h shows which`, usageCode);
  }
  if (facts.view === null) return failed("no daemon answers", 1);
  return answer(name, call, facts.view, facts);
}

function answer(name: string, call: Call, view: NodeView, facts: ClFacts): DropInAnswer {
  const [node = "", second = ""] = call.words.map((word) => word.toLowerCase());
  const isKnown = nodesOf(view).includes(node);
  const people = (long: string, short: string) => said(`${call.isForPeople ? long : short}\n`);
  switch (name) {
    case "hbstatus": {
      if (!call.isVerbose) return said("Heartbeat is running on this machine.\n");
      return said(`version:\t${facts.version}\nmanaged by:\t"haresources"\n${verboseNodes(view)}`);
    }
    case "listnodes": {
      if (call.isVerbose) return said(verboseNodes(view));
      const listed = call.options.includes("p") ? [] : nodesOf(view);
      const head = call.isForPeople ? "The nodes are as follow:\n" : "";
      return said(head + listed.map((each) => `${each}\n`).join(""));
    }
    case "nodestatus": {
      if (!isKnown) return unknownNode(node);
      const status = nodeStatus(view, node);
      const text = call.isForPeople ? `The cluster node ${node} is ${status}` : status;
      return said(`${text}\n`, status === "dead" ? 1 : 0);
    }
    case "nodetype":
      return isKnown ? people(`The node ${node}'s type: normal`, "normal") : unknownNode(node);
    case "nodeweight":
      return isKnown ? people(`The weight of the cluster node ${node} is 100`, "100") : unknownNode(node);
    case "nodesite":
      return isKnown ? people(`The site of the cluster node ${node} is `, "") : unknownNode(node);
    case "listhblinks": {
      if (!isKnown) return failed(`unknown node "${node}"`, unknownCode);
      const head = call.isForPeople ? "\tthis node has the following heartbeat links:\n" : "";
      const lines = linksOf(view, node).map((link) =>
        call.isVerbose ? `\t${link}\t${linkStatus(view, node, link)}\n` : `\t${link}\n`
      );
      return said(head + lines.join(""));
    }
    case "hblinkstatus": {
      const link = call.words[1]!;
      if (!isKnown || !linksOf(view, node).includes(link)) {
        return failed(`unknown node "${node}" or link "${second}"`, unknownCode);
      }
      const status = linkStatus(view, node, link);
      const text = call.isForPeople ? `The node ${node}'s heartbeat link ${link} is ${status}` : status;
      return said(`${text}\n`, status === "dead" ? 1 : 0);
    }
    case "clientstatus":
      return isKnown ? said("offline\n", 1) : failed(`unknown node "${node}"`, unknownCode);
    case "rscstatus": {
      const held = resourceStatus(view);
      return people(`This node is holding ${held} resources.`, held);
    }
    default: {
      if (call.parameter === null) return failed("hbparameter needs -p NAME", usageCode);
      const value = facts.parameter(call.parameter);
      if (value === null) return failed(`parameter "${call.parameter}" has no value`, 1);
      return people(`Heartbeat parameter ${call.parameter}'s value: ${value}`, value);
    }
  }
}

/** `none`, `local`, `foreign` or `all` of the groups' sets as seen from here; `transition` while anything moves. */
export function resourceStatus(view: NodeView): string {
  const moving: readonly GroupState[] = ["unknown", "starting", "stopping"];
  const groups = view.groups.filter((group) => group.nodes.includes(view.node));
  const isUnfinished = view.peers.some(({ unfinished }) => unfinished !== null);
  if (view.phase !== "settled" || isUnfinished || groups.some(({ state }) => moving.includes(state))) {
    return "transition";
  }
  const holds = (isOwn: boolean) =>
    groups.some((group) => (group.nodes[0] === view.node) === isOwn && group.state !== "stopped");
  const [local, foreign] = [holds(true), holds(false)];
  return local ? (foreign ? "all" : "local") : foreign ? "foreign" : "none";
}

function readCall(name: string, args: readonly string[], options: string): Call | DropInAnswer {
  const words: string[] = [];
  let [letters, parameter] = ["", null as string | null];
  for (let at = 0; at < args.length; at++) {
    const word = args[at]!;
    if (!word.startsWith("-") || word === "-") {
      words.push(word);
      continue;
    }
    for (const letter of word.slice(1)) {
      if (letter !== "m" && !options.includes(letter)) {
        return failed(`${name} has no option -${letter}; cl_status -h shows what it has`, usageCode);
      }
      letters += letter;
    }
    if (name !== "hbparameter" || !word.endsWith("p")) continue;
    parameter = args[++at] ?? null;
    if (parameter === null) return failed("hbparameter -p needs a name", usageCode);
  }
  return {
    isForPeople: letters.includes("m"),
    isVerbose: letters.includes("v"),
    options: letters,
    parameter,
    words,
  };
}

/** In the order that Heartbeat lists them: the last one first. */
function nodesOf(view: NodeView): string[] {
  return [view.node, ...view.peers.map(({ node }) => node)].sort().reverse();
}

function nodeStatus(view: NodeView, node: string): string {
  if (node === view.node) return view.phase === "joining" ? "up" : "active";
  const peer = peerOf(view, node)!;
  switch (peer.state) {
    case "alive":
      return "active";
    case "init":
      return "up";
    case "left":
      return "dead";
    case "down":
      return peer.heardAgoMs === null && view.phase === "joining" ? "init" : "dead";
  }
}

/** Heartbeat lists the same media for every node, its own included. */
function linksOf(view: NodeView, node: string): string[] {
  const peer = peerOf(view, node) ?? view.peers[0];
  return (peer?.links ?? []).map(({ medium }) => medium).reverse();
}

function linkStatus(view: NodeView, node: string, link: string): "up" | "dead" {
  const state = peerOf(view, node)?.links.find(({ medium }) => medium === link)?.state;
  return state === "up" || state === "late" || state === "one-way" ? "up" : "dead";
}

function verboseNodes(view: NodeView): string {
  return nodesOf(view).map((node) =>
    `\n${node}\t${nodeStatus(view, node)}\t(nodetype: normal)\n` +
    linksOf(view, node).map((link) => `\t${link}\t${linkStatus(view, node, link)}\n`).join("")
  ).join("");
}

function peerOf(view: NodeView, node: string): PeerView | undefined {
  return view.peers.find((peer) => peer.node === node);
}

function said(stdout: string, exitCode = 0): DropInAnswer {
  return { stdout, stderr: "", exitCode };
}

function failed(why: string, exitCode: number): DropInAnswer {
  return { stdout: "", stderr: `cl_status: ${why}\n`, exitCode };
}

function unknownNode(node: string): DropInAnswer {
  return failed(`unknown node "${node}"`, usageCode);
}
