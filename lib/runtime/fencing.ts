/**
 * The daemon's fencing devices: fences a node when the core wants it, and tests each device at the start and every
 * hour, so that one that died is known before the night on which it is needed.
 *
 * A test asks for the power of every other node and switches nothing. Two tests in a row must fail before the alarm:
 * many boards have room for one session only. A device that says "off" of a node that is heard afterwards switches
 * something else; it is not used until its word fits again, since it would call a running node fenced.
 */

import { AlarmBook } from "../core/alarms.ts";
import type { ReportEffect } from "../core/effects.ts";
import { instant } from "../core/instant.ts";
import type { FencingSettings } from "../core/settings.ts";
import type { FenceDeviceView, NodeView } from "../core/view.ts";
import type { AgentDevice } from "../fencing/agent.ts";
import type { FenceOutcome, FenceStep } from "../fencing/fence.ts";
import { Fencer } from "../fencing/fencer.ts";
import { monotonicMs } from "../system/clock.ts";

export interface FencingParts {
  readonly report: (report: ReportEffect) => void;
  /** Since a node's last heartbeat; `null`: never heard. */
  readonly heardAgoMs: (node: string) => number | null;
  readonly keepaliveMs: number;
  readonly alarmRepeatMs: number;
  readonly pace?: TestPace;
}

export interface TestPace {
  /** After the start, when the machine is busy. */
  readonly firstMs: number;
  /** Lower: boards fill their logs. Higher: a dead device is known later. */
  readonly everyMs: number;
  /** After a test that failed, before the alarm. Lower: somebody's short session is an alarm. */
  readonly againMs: number;
  /** While the alarm is on: how soon a repaired device is noticed. */
  readonly repairMs: number;
}

const standardPace: TestPace = { firstMs: 2_000, everyMs: 3_600_000, againMs: 5_000, repairMs: 60_000 };

/**
 * How many keepalives a node has to be heard again after it was called off. Lower: a lost heartbeat hides a wrong port.
 * Higher: nothing but the test takes longer.
 */
const heardWithinKeepalives = 4;

/** A test need not wait as long as a fencing may. */
const testLimitMsMax = 20_000;

interface Tested {
  readonly device: AgentDevice;
  state: FenceDeviceView["state"];
  reason: string;
  power: Record<string, string>;
  testedAt: number | null;
  failures: number;
  timer: ReturnType<typeof setTimeout> | undefined;
  underWay: Promise<void>;
}

export class Fencing {
  readonly #fencer: Fencer;
  readonly #tested: readonly Tested[];
  readonly #alarms = new AlarmBook<"fence-device-silent" | "fence-device-wrong">();
  readonly #pace: TestPace;
  #isClosed = false;
  /** What was told last. */
  #lastStep = "";

  constructor(settings: FencingSettings, readonly node: string, readonly parts: FencingParts) {
    this.#fencer = new Fencer(settings);
    this.#pace = parts.pace ?? standardPace;
    this.#tested = this.#fencer.devices
      .filter(({ nodes }) => nodes.some((other) => other !== node))
      .map((device) => ({
        device,
        state: "untested",
        reason: "",
        power: {},
        testedAt: null,
        failures: 0,
        timer: undefined,
        underWay: Promise.resolve(),
      }));
  }

  open(): void {
    for (const tested of this.#tested) this.#testAfter(tested, this.#pace.firstMs);
  }

  /** Ends the tests. Resolves when none is under way any more, which need not be waited for. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { timer } of this.#tested) clearTimeout(timer);
    await Promise.all(this.#tested.map(({ underWay }) => underWay));
  }

  /** Never rejects. */
  async fence(node: string): Promise<FenceOutcome> {
    const refused = (device: AgentDevice) =>
      this.#tested.some((tested) => tested.device === device && tested.state === "wrong");
    const outcome = await this.#fencer.fence(node, (step) => this.#tell(step), {
      refused,
      restarted: (isOn, device) => this.#restarted(node, isOn, device),
    });
    return outcome;
  }

  /** What the daemon's status shows beside the core's view. */
  extend(view: NodeView): NodeView {
    const now = monotonicMs();
    const fenceDevices = this.#tested.map(({ device, state, reason, power, testedAt }) => ({
      device: device.name,
      agent: device.settings.agent,
      nodes: device.nodes,
      state,
      reason,
      power,
      testedAgoMs: testedAt === null ? null : Math.round(now - testedAt),
    }));
    return { ...view, alarms: [...view.alarms, ...this.#alarms.view(instant(now))], fenceDevices };
  }

  #testAfter(tested: Tested, delayMs: number): void {
    if (this.#isClosed) return;
    tested.timer = setTimeout(() => {
      tested.underWay = this.#test(tested).catch((error) => this.#judge(tested, "silent", String(error)));
    }, delayMs);
    // A test that is due keeps no daemon from ending.
    tested.timer.unref?.();
  }

  async #test(tested: Tested): Promise<void> {
    const { device } = tested;
    const limitMs = Math.min(testLimitMsMax, device.settings.limitMs);
    const problems: string[] = [];
    let isWrong = false;
    const power: Record<string, string> = {};
    for (const node of device.nodes.filter((other) => other !== this.node)) {
      const { state, reason } = await device.ask(node, limitMs);
      power[node] = state;
      if (state === "unknown") problems.push(`it cannot tell the power of ${node}: ${reason}`);
      // One supply of two may rightly be off.
      if (state === "off" && !this.#fencer.hasPartners(device) && await this.#isHeardFromNow(node)) {
        isWrong = true;
        problems.push(
          `it says that ${node} is off, but ${node} is heard: it would switch off something else`,
        );
      }
    }
    tested.power = power;
    this.#judge(
      tested,
      problems.length === 0 ? "answers" : isWrong ? "wrong" : "silent",
      problems.join("; "),
    );
  }

  /** Whether it sends heartbeats now: one from before it was called off proves nothing. */
  async #isHeardFromNow(node: string): Promise<boolean> {
    const sinceMs = monotonicMs();
    await new Promise((resolve) => setTimeout(resolve, heardWithinKeepalives * this.parts.keepaliveMs));
    const heardAgoMs = this.parts.heardAgoMs(node);
    return heardAgoMs !== null && heardAgoMs < monotonicMs() - sinceMs;
  }

  #judge(tested: Tested, state: "answers" | "silent" | "wrong", reason: string): void {
    if (this.#isClosed) return;
    const { device } = tested;
    const now = instant(monotonicMs());
    tested.testedAt = now;
    tested.failures = state === "answers" ? 0 : tested.failures + 1;
    if (state === "answers" || tested.failures > 1) Object.assign(tested, { state, reason });
    if (state === "answers") {
      for (const code of ["fence-device-silent", "fence-device-wrong"] as const) {
        const sentence = `the fencing device ${device.name} works again`;
        this.#say(this.#alarms.clear(now, code, device.name, sentence));
      }
    } else if (tested.failures > 1) {
      const [code, other] = state === "wrong"
        ? ["fence-device-wrong", "fence-device-silent"] as const
        : ["fence-device-silent", "fence-device-wrong"] as const;
      this.#say(
        this.#alarms.clear(now, other, device.name, `the fencing device ${device.name} fails otherwise now`),
      );
      const nodes = device.nodes.filter((node) => node !== this.node).join(", ");
      const sentence = state === "wrong"
        ? `the fencing device ${device.name} is not used: ${reason}`
        : `the fencing device ${device.name} does not work: ${reason}; it could not fence ${nodes}`;
      this.#say(this.#alarms.raise(now, code, device.name, sentence, { device: device.name }));
      this.#say(this.#alarms.repeat(now, code, device.name, this.parts.alarmRepeatMs));
    }
    const { everyMs, againMs, repairMs } = this.#pace;
    // Nodes that were started together must not ask one board at the same moment, hour after hour.
    const spread = 0.9 + Math.random() / 5;
    const delayMs = tested.failures === 0
      ? everyMs * spread
      : tested.failures === 1
      ? againMs
      : repairMs * spread;
    this.#testAfter(tested, delayMs);
  }

  #tell({ device, node, action, isGood, sentence, output, durationMs }: FenceStep): void {
    // The power is looked at twice a second until it has gone; once said is enough.
    const told = `${device} ${node} ${action} ${sentence}`;
    if (action === "status" && told === this.#lastStep) return;
    this.#lastStep = told;
    const said = isGood || output.length === 0 ? "" : ` (${output.join(" | ")})`;
    this.parts.report({
      kind: "report",
      level: isGood ? "info" : "warning",
      code: "fence-step",
      sentence: `${device}: ${action} ${node}: ${sentence}${said}, ${durationMs} ms`,
      fields: { device, node, action, isGood, durationMs },
    });
  }

  #restarted(node: string, isOn: boolean, device: string): void {
    const sentence = isOn
      ? `${device} has switched ${node} on again after it was fenced`
      : `${device} could not switch ${node} on again: it stays off, and fenced, until a person switches it on`;
    this.#say({
      kind: "report",
      level: isOn ? "notice" : "warning",
      code: isOn ? "fenced-node-on" : "fenced-node-off",
      sentence,
      fields: { node, device },
    });
  }

  #say(report: ReportEffect | null): void {
    if (report !== null) this.parts.report(report);
  }
}
