/** From the options of `heartline detect`, and the files they name, to the question that is asked. */

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import type { SettingDifference } from "../../../lib/checks/circumstances.ts";
import type { CheckQuestion } from "../../../lib/checks/question.ts";
import { parseAddress } from "../../../lib/config/text/addresses.ts";
import type { Settings } from "../../../lib/core/settings.ts";
import { UsageError } from "../../../lib/errors.ts";
import { defaultControlSocket } from "../../../lib/runtime/control_protocol.ts";
import { settingsErrors } from "../../settings_errors.ts";
import type { DetectOptions } from "../detect.ts";
import { chooseSource, hasStandardSource } from "../peer.ts";
import { type Common, namedAddresses, questionFromFlags, readCommon, refuse } from "./options.ts";

/** Throws a usage error with everything that is wrong; `problems` holds what was found before. */
export async function questionOf(options: DetectOptions, problems: string[]): Promise<CheckQuestion> {
  const { config, haDir, keepalived } = options;
  const common = readCommon(options, problems);
  if (keepalived !== undefined && (config ?? haDir) !== undefined) {
    problems.push("Cannot read --keepalived beside --config or --ha-dir: each describes a pair; name one");
  }
  if (options.compare !== undefined && (config ?? haDir) === undefined) {
    problems.push(
      `Cannot compare with "${options.compare}": this node's own settings are not named; name them with --config or ` +
        "--ha-dir",
    );
  }
  const isNamed = (config ?? haDir ?? keepalived) !== undefined ||
    options.vip === undefined && hasStandardSource();
  if (!isNamed) {
    const question = questionFromFlags(
      options,
      common,
      ownAddresses(),
      options.socket ?? standardSocket(),
      problems,
    );
    if (question.vips.length === 0 && problems.length === 0) {
      problems.push(
        "Cannot check anything: no address is named; give --vip ADDRESS, or --config or --ha-dir",
      );
    }
    refuse(problems);
    return question;
  }
  refuse(problems);
  const question = keepalived === undefined
    ? await questionOfFile(options, common)
    : await questionOfKeepalived(keepalived, options, common, problems);
  return narrowed(question, options);
}

/** With --vip, of what the file names only these. */
function narrowed(
  question: CheckQuestion,
  { vip: wanted, dev, config, haDir, keepalived }: DetectOptions,
): CheckQuestion {
  const file = keepalived ?? config ?? haDir ?? "the settings in /etc";
  const texts = wanted?.map((text) => parseAddress(text)?.text ?? text);
  const vips = question.vips.filter((vip) => texts?.includes(vip.address) ?? true)
    .map((vip) => dev === undefined ? vip : { ...vip, device: dev });
  const unknown = texts?.filter((text) => !question.vips.some((vip) => vip.address === text)) ?? [];
  if (unknown.length > 0 || vips.length === 0) {
    const names = question.vips.map((vip) => vip.address).join(", ") || "none";
    const what = unknown.length > 0
      ? `--vip "${unknown[0]}" is not among the addresses of`
      : "there is no address in";
    throw new UsageError([
      `Cannot check anything: ${what} "${file}" (it names ${names}); leave the file out to check by flags alone`,
    ], 78);
  }
  return { ...question, vips };
}

function standardSocket(): string | null {
  return existsSync(defaultControlSocket) ? defaultControlSocket : null;
}

async function questionOfFile(options: DetectOptions, common: Common): Promise<CheckQuestion> {
  const { config, haDir, node: named } = options;
  const { loadSettings } = await import("../../../lib/runtime/load_settings.ts");
  const { questionFromSettings } = await import("./from_settings.ts");
  const source = chooseSource(config, haDir);
  const loaded = await loadSettings({
    ...source,
    nodeOverride: named,
    isForeignAllowed: named === undefined,
    // A monitoring user may not read them; only a comparison cannot do without.
    areKeysOptional: options.compare === undefined,
  });
  const { settings, node, lacksKeys } = loaded;
  if (settings === null) throw new UsageError(settingsErrors(loaded.problems), 78);
  const { controlSocket } = settings.process;
  // Heartbeat's files are mostly Heartbeat's: that no daemon of ours runs is worth a word only beside our own, on a node.
  const isExpected = !("haDirectory" in source) && settings.nodes.includes(node);
  const isOurs = isExpected || existsSync(controlSocket);
  const socket = options.socket ?? (isOurs ? controlSocket : null);
  const addressesOf = await addressesOfNodes(settings, node, options);
  const asked = questionFromSettings(settings, node, common, ownAddresses(), addressesOf, socket);
  const question = lacksKeys ? { ...asked, authentication: null } : asked;
  const { compare } = options;
  return compare === undefined ? question : { ...question, differences: await compared(settings, compare) };
}

/** How the settings differ from those of the other node, of which a copy is at hand. */
async function compared(settings: Settings, path: string): Promise<SettingDifference[]> {
  const { readForSimulation } = await import("../../../lib/runtime/load_settings.ts");
  const { settingDifferences } = await import("../../../lib/checks/compare.ts");
  const other = (await readForSimulation(path)).judge(null);
  if (other.settings !== null) return settingDifferences(settings, other.settings);
  throw new UsageError(settingsErrors(other.problems), 78);
}

const unreadableReasons: Readonly<Record<string, string>> = {
  ENOENT: "it does not exist",
  EISDIR: "it is a directory",
  EACCES: "permission denied",
};

async function questionOfKeepalived(
  path: string,
  options: DetectOptions,
  common: Common,
  problems: string[],
): Promise<CheckQuestion> {
  const { parseKeepalivedConf } = await import("../../../lib/config/keepalived_conf.ts");
  const { questionFromKeepalived } = await import("./from_keepalived.ts");
  const text = await readFile(path, "utf8").catch((error) => {
    const reason = unreadableReasons[error.code] ?? error.code ?? error;
    throw new UsageError([`Cannot read --keepalived "${path}": ${reason}; name the file of keepalived`], 78);
  });
  const conf = parseKeepalivedConf(text);
  for (const line of conf.unread) {
    process.stderr.write(options.nagios === true ? "" : `heartline: ${path}: not followed: ${line}\n`);
  }
  const named = namedAddresses(options, problems);
  refuse(problems);
  return questionFromKeepalived(conf, common, ownAddresses(), named, options.socket ?? standardSocket());
}

/** A longer wait for a name server would take the time of the check itself. */
const lookupMsMax = 500;

/** Addresses of the other nodes: those of the flags, and where the links name none, what their names resolve to. */
async function addressesOfNodes(
  settings: Settings,
  node: string,
  options: DetectOptions,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const problems: string[] = [];
  const { primary, standby } = namedAddresses(options, problems);
  refuse(problems);
  const others = settings.nodes.filter((name) => name !== node);
  const first = (settings.groups[0]?.nodes ?? settings.nodes)[0];
  const isTold = others.length === 1 && settings.media.some((medium) => "peer" in medium);
  const found = await Promise.all(others.map(async (name): Promise<[string, string[]]> => {
    const given = [...name === first ? primary : standby];
    return [name, isTold ? given : [...given, ...await resolved(name)]];
  }));
  return new Map(found);
}

async function resolved(name: string): Promise<string[]> {
  const { lookup } = await import("node:dns/promises");
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never[]>((resolve) => timer = setTimeout(() => resolve([]), lookupMsMax));
  const answers = lookup(name, { all: true }).catch(() => []);
  const found = await Promise.race([answers, late]);
  clearTimeout(timer);
  const isRemote = (address: string) => !address.startsWith("127.") && address !== "::1";
  return found.flatMap(({ address }) => parseAddress(address)?.text ?? []).filter(isRemote);
}

function ownAddresses(): ReadonlySet<string> {
  const all = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  return new Set(all.flatMap(({ address }) => parseAddress(address.split("%")[0]!)?.text ?? []));
}
