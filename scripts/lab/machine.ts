/**
 * One node's machine: a process, mount and host-name namespace around a network namespace, with an init of its own.
 *
 * Everything that runs in the node descends from that init or was put beside it, and ends with it: killing the init
 * is pulling the plug. The init lives as long as its standard input, a pipe held by the laboratory, so that nothing
 * survives a laboratory that was killed itself.
 *
 * `/run`, `/etc`, `/var/lib`, `/var/log` are private. The kernel's reboot, systemd and the watchdog are out of reach.
 * `/tmp` is shared on purpose: the checkout may lie under it.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { EnvironmentError } from "../../lib/errors.ts";
import { type Ended, run, tryRun } from "./run.ts";

const READY = "ready";
const START_LIMIT_MS = 20_000;

/** What the init does before it waits; `$1` host name, `$2` directory of the private files. */
const INIT_SCRIPT = String.raw`
set -eu
exec 2>&1
mount --make-rprivate /
hostname "$1"
# What others keep in /var/lib stays visible; new directories and our own are private.
for entry in /var/lib/*/; do
  name=$(basename "$entry")
  case "$name" in heartline|heartbeat|"*") continue;; esac
  mkdir -p "$2/var-lib/$name"
  mount --rbind "$entry" "$2/var-lib/$name"
done
mount --rbind "$2/var-lib" /var/lib
mount --bind "$2/etc" /etc
mount --bind "$2/var-log" /var/log
mount --bind "$2/run" /run
for name in systemctl reboot poweroff halt shutdown; do
  path=$(command -v "$name" || true)
  if [ -n "$path" ]; then mount --bind /bin/false "$(readlink -f "$path")"; fi
done
for path in /proc/sysrq-trigger /dev/watchdog /dev/watchdog0; do
  if [ -e "$path" ]; then mount --bind /dev/null "$path"; fi
done
echo ready
# bash reaps what is orphaned while it waits for the end of its input.
while read -r _; do :; done
`;

export class LabMachine {
  #init: ChildProcess | null = null;
  /** Process id, outside, of the namespace's own process 1. */
  #initPid: number | null = null;

  constructor(readonly name: string, readonly namespace: string, readonly directory: string) {}

  get isOn(): boolean {
    return this.#initPid !== null;
  }

  /** Where a file that the node sees lies outside. */
  hostPath(inside: string): string {
    const places: ReadonlyArray<readonly [string, string]> = [
      ["/etc/", "etc"],
      ["/run/", "run"],
      ["/var/lib/", "var-lib"],
      ["/var/log/", "var-log"],
    ];
    const place = places.find(([prefix]) => inside.startsWith(prefix));
    if (place === undefined) throw new EnvironmentError(`"${inside}" is not private to a node of the lab`);
    return join(this.directory, place[1], inside.slice(place[0].length));
  }

  /** Files survive a power-off, except what is in `/run`. */
  async powerOn(): Promise<void> {
    rmSync(join(this.directory, "run"), { recursive: true, force: true });
    for (const name of ["run/lock", "run/heartline", "var-lib/heartline", "var-lib/heartbeat", "var-log"]) {
      mkdirSync(join(this.directory, name), { recursive: true });
    }
    await run("cp", ["-a", "--no-clobber", "/etc", this.directory]);
    mkdirSync(join(this.directory, "etc/heartline"), { recursive: true });
    mkdirSync(join(this.directory, "etc/ha.d/resource.d"), { recursive: true });
    const unshare = ["unshare", "--pid", "--fork", "--mount", "--uts", "--mount-proc", "--kill-child"];
    const bash = ["bash", "-c", INIT_SCRIPT, "lab-init", this.name, this.directory];
    const child = spawn("ip", ["netns", "exec", this.namespace, ...unshare, ...bash], {
      cwd: "/",
      stdio: ["pipe", "pipe", "pipe"],
    });
    child.stdin.on("error", () => {});
    this.#init = child;
    await untilReady(child, this.name);
    // `ip` and `unshare` become one process; its only child is the init.
    this.#initPid = childrenOf(child.pid ?? 0)[0] ?? null;
    if (this.#initPid === null) throw new EnvironmentError(`Cannot start ${this.name}: its init is gone`);
  }

  /** Kills every process of the node and waits until they are gone. */
  async powerOff(): Promise<void> {
    const init = this.#init;
    this.killNow();
    if (init === null || init.exitCode !== null || init.signalCode !== null) return;
    await new Promise<void>((resolve) => init.once("close", () => resolve()));
  }

  /** The immediate part of `powerOff`; safe in a signal handler. */
  killNow(): void {
    const [init, pid] = [this.#init, this.#initPid];
    this.#init = null;
    this.#initPid = null;
    try {
      // Its parent stays to reap it, and ends by itself.
      if (pid !== null) process.kill(pid, "SIGKILL");
      else init?.kill("SIGKILL");
    } catch {
      // Already gone.
    }
    init?.stdin?.destroy();
  }

  /** Process id, outside, of the node's init. */
  get initPid(): number {
    if (this.#initPid === null) throw new EnvironmentError(`Cannot enter ${this.name}: it is off`);
    return this.#initPid;
  }

  /** The command that runs `command` inside the node; with `isSupervised`, as the only child of a shell outside. */
  enter(command: readonly string[], isSupervised = false): readonly [file: string, args: string[]] {
    const target = ["-t", `${this.initPid}`, "-m", "-u", "-n", "-p"];
    if (!isSupervised) return ["nsenter", [...target, "--", ...command]];
    // A forking nsenter stops itself when its child is stopped, and then reaps it no more. A shell does not.
    const supervise = 'exec 3>&2 2>/dev/null; "$@" 2>&3 3>&-; exit $?';
    return ["nsenter", [...target, "--no-fork", "--", "bash", "-c", supervise, "lab", ...command]];
  }

  /** Runs a command inside the node to its end. */
  exec(command: readonly string[], input?: string): Promise<Ended> {
    return tryRun(...this.enter(command), input === undefined ? {} : { input });
  }
}

/** Process ids of the direct children. */
export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(
      Number,
    );
  } catch {
    return [];
  }
}

function untilReady(child: ChildProcess, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = "";
    const fail = (what: string) => {
      clearTimeout(limit);
      child.kill("SIGKILL");
      reject(new EnvironmentError(`Cannot start ${name}: ${what}: ${output.trim() || "no output"}`));
    };
    const limit = setTimeout(() => fail("its init is not ready in time"), START_LIMIT_MS);
    // Kept for the message of a failed start only: some versions of unshare complain whenever the init is killed.
    child.stderr?.setEncoding("utf8").on("data", (chunk: string) => output += chunk);
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
      if (!output.split("\n").includes(READY)) return;
      clearTimeout(limit);
      resolve();
    });
    child.once("error", (cause) => fail(cause.message));
    child.once("exit", (code) => fail(`its init ended with ${code}`));
  });
}
