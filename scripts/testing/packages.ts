/**
 * Makes sure that the system programs the tests use are there: installs the missing Debian packages when this is root
 * on a machine with apt, else says by name what will be skipped.
 *
 * A missing package is never an error of the run: tests that need it skip themselves, loudly.
 */

import { existsSync } from "node:fs";
import process from "node:process";
import { runCommand } from "./command.ts";

/** Debian package -> what its tests are about. */
const PACKAGES: Readonly<Record<string, string>> = {
  "iproute2": "network namespaces: every end-to-end test",
  "tcpdump": "capture of what is on the wire",
  "iputils-arping": "announcements seen by another implementation",
  "iputils-ping": "ICMP seen by another implementation",
  "socat": "sockets and serial lines of another implementation",
  "nftables": "one-way cuts and packet loss",
  "resource-agents": "real OCF resource agents",
  "chromium": "pictures of the simulator, seen in a browser",
  "keepalived": "VRRP of another implementation",
  "ucarp": "CARP of another implementation",
  "iptables": "firewall rules in the words of iptables",
  "fence-agents": "real fence agents",
  "ipmitool": "what fence_ipmilan drives",
  "openipmi": "a simulated board controller to be fenced through",
  "heartbeat": "a real Heartbeat daemon as the other node",
};

/** An update or an installation that takes longer is taken for a dead mirror. */
const APT_LIMIT_MS = 240_000;
const ATTEMPTS = 3;
const APT_OPTIONS = ["-q", "-y", "-o", "Acquire::Retries=2", "-o", "DPkg::Lock::Timeout=120"];

/** The packages that are still missing afterwards. */
export async function ensurePackages(say: (line: string) => void): Promise<readonly string[]> {
  const missing = await missingPackages();
  if (missing.length === 0) return [];
  const canInstall = process.getuid?.() === 0 && existsSync("/usr/bin/apt-get");
  if (canInstall) {
    say(`installing with apt: ${missing.join(" ")}`);
    await install(missing, say);
  }
  const left = await missingPackages();
  for (const name of left) say(`SKIP what needs package "${name}": not installed (${PACKAGES[name]})`);
  if (left.length > 0 && !canInstall) say(`To run it: as root on Debian, apt-get install ${left.join(" ")}`);
  return left;
}

async function missingPackages(): Promise<readonly string[]> {
  const names = Object.keys(PACKAGES);
  const query = await runCommand("dpkg-query", ["-W", "-f", "${Package} ${db:Status-Status}\\n", ...names], {
    limitMs: 30_000,
  });
  // Without dpkg nothing is known: everything counts as missing, and the tests look for the programs themselves.
  const installed = new Set(
    query.output.split("\n").filter((line) => line.endsWith(" installed")).map((line) => line.split(" ")[0]),
  );
  return names.filter((name) => !installed.has(name));
}

async function install(names: readonly string[], say: (line: string) => void): Promise<void> {
  const apt = async (...args: string[]) => {
    const result = await runCommand("apt-get", [...APT_OPTIONS, ...args], {
      limitMs: APT_LIMIT_MS,
      env: { DEBIAN_FRONTEND: "noninteractive" },
    });
    if (result.code !== 0) {
      say(`apt-get ${args[0]} failed: ${result.output.trim().split("\n").slice(-3).join(" | ")}`);
    }
    return result.code === 0;
  };
  const installAll = (list: readonly string[]) => apt("install", "--no-install-recommends", ...list);
  let updated = false;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    updated ||= await apt("update");
    if (updated && await installAll(names)) return;
  }
  // One package that cannot be had must not keep out the others.
  if (updated) { for (const name of names) await installAll([name]); }
}
