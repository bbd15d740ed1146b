/**
 * The process that owns a drill's rules: a shell in a session of its own that says when it is ready, sets the rules
 * on command, sleeps, and takes them away. Whoever set them removes them, so there is no moment at which rules exist
 * that nobody will remove, whatever becomes of the command that asked for them.
 *
 *     spawn ──▶ "armed" ──go──▶ nft -f ──▶ "set" ── sleep ──▶ nft delete, until it is gone
 *                  │                │
 *                  └ stdin ends     └ "failed": nothing was set (one transaction)
 *
 * It outlives the command, so it keeps nothing open that it inherited (up to 9, which is as far as a POSIX shell
 * counts): the lock of a script (flock) would stay taken.
 *
 * If even the helper is killed, the kernel's own timeout (plan.ts) has made the rules match nothing.
 */

import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { EnvironmentError } from "../errors.ts";
import { helperName, nftIsMissing } from "./tables.ts";

/** After the kernel's timeout, so that the counters can still be read by the command. */
const tidyAfterMs = 400;

/** Too low: a loaded machine cannot drill; too high: the operator waits for a shell that hangs. */
const answerLimitMs = 10_000;

const script = String.raw`
trap '' HUP INT TERM QUIT PIPE
command -v nft >/dev/null || { echo "missing"; exit 1; }
echo armed
read -r word && [ "$word" = go ] || exit 0
if ! said=$(printf '%s' "$3" | nft -f - 2>&1); then
  echo "failed $said"
  exit 1
fi
echo set
exec </dev/null >/dev/null 2>&1
for fd in 3 4 5 6 7 8 9; do eval "exec $fd>&-"; done
sleep "$2" || sleep "$(( ${"$"}{2%.*} + 1 ))"
try=0
while [ $try -lt 300 ]; do
  nft delete table netdev "$1" && exit 0
  if tables=$(nft list tables netdev); then
    case $tables in *"$1"*) ;; *) exit 0 ;; esac
  fi
  try=$((try + 1))
  sleep 0.2 || sleep 1
done
`;

/** Sets the rules through a helper that is known to be ready. Nothing is set when this throws an EnvironmentError. */
export async function setRules(table: string, rules: string, durationMs: number): Promise<void> {
  const seconds = ((durationMs + tidyAfterMs) / 1000).toFixed(3);
  const directories = `${process.env.PATH ?? ""}:/usr/sbin:/usr/bin:/sbin:/bin`;
  const child = spawn("sh", ["-c", script, helperName, table, seconds, rules], {
    detached: true,
    stdio: ["pipe", "pipe", "ignore"],
    env: { ...process.env, PATH: directories, LC_ALL: "C" },
  });
  const words = new Words(child);
  let isSet = false;
  try {
    const first = await words.next();
    if (first === "missing") throw nftIsMissing();
    if (first !== "armed") throw refused(`its helper does not start (${first || "it said nothing"})`);
    child.stdin!.write("go\n");
    const second = await words.next();
    if (second !== "set") throw refused(advice(second.replace(/^failed /, "")));
    isSet = true;
  } finally {
    if (!isSet) endGroup(child);
    // From here on it is on its own.
    child.stdin!.destroy();
    child.stdout!.destroy();
    child.unref();
  }
}

/** One that answers too late must not set the rules after all. */
function endGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

/** The lines of a child's standard output, one at a time, each within a limit; "" at the end. */
class Words {
  #text = "";
  #hasEnded = false;
  #wake: () => void = () => {};

  constructor(child: ChildProcess) {
    const end = () => {
      this.#hasEnded = true;
      this.#wake();
    };
    child.on("error", end);
    child.stdin!.on("error", end);
    child.stdout!.setEncoding("utf8").on("data", (chunk: string) => {
      this.#text += chunk;
      this.#wake();
    }).on("end", end).on("error", end);
  }

  async next(): Promise<string> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#wake();
    }, answerLimitMs);
    while (!this.#text.includes("\n") && !this.#hasEnded && !isLate) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    clearTimeout(timer);
    const [line = "", ...rest] = this.#text.split("\n");
    this.#text = rest.join("\n");
    return line;
  }
}

function refused(reason: string): EnvironmentError {
  return new EnvironmentError(
    `Cannot set the drill's rules: ${reason}`,
    reason.includes("not permitted") ? 77 : 69,
  );
}

function advice(said: string): string {
  const reason = said.replace(/^.*Error: /, "");
  if (said.includes("Operation not permitted")) {
    return `${reason}; run it as root, or with the capability CAP_NET_ADMIN`;
  }
  const isOldKernel = said.includes("not supported") || said.includes("Invalid argument");
  return isOldKernel
    ? `${reason}; cutting what goes out needs Linux 5.16 and nftables 1.0.1, "--one-way in" works with older ones`
    : reason || "nft did not say why";
}
