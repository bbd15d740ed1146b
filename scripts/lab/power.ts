/**
 * The laboratory's power switch: carries out what the fence agent `fence_lab`, in any machine, asks for, beside all
 * networks. A machine that is switched off ends with everything in it, like one whose plug is pulled.
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Lab } from "./lab.ts";

export const LAB_AGENT = fileURLToPath(new URL("./fence_lab", import.meta.url));

/** How often requests are looked for. */
const POLL_MS = 20;

export type LabFault = "" | "dead" | "hang" | "refuses" | "liar";

/** Where the agent finds the switch; there before it is used. */
export function powerDirectory(lab: Lab): string {
  const directory = join(lab.directory, "power");
  mkdirSync(directory, { recursive: true });
  return directory;
}

export class LabPower {
  readonly #directory: string;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #states = new Map<string, string>();
  #underWay: Promise<void> = Promise.resolve();
  #isBusy = false;

  /** `onOn`: a machine runs again; what starts in it by itself is for the caller to say. */
  constructor(readonly lab: Lab, readonly onOn: (node: string) => void = () => {}) {
    this.#directory = powerDirectory(lab);
    this.#timer = setInterval(() => {
      if (!this.#isBusy) this.#underWay = this.#look();
    }, POLL_MS);
  }

  set fault(fault: LabFault) {
    writeFileSync(this.#file("fault"), fault);
  }

  /** What agents were asked so far: `off node1`, `status node1`… */
  calls(): string[] {
    return this.#read("calls").split("\n").filter((line) => line !== "");
  }

  /** What a person does who pulls the plug. */
  async pull(node: string): Promise<void> {
    await this.lab.powerOff(node);
    this.#set(node, "off");
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#underWay;
  }

  async #look(): Promise<void> {
    this.#isBusy = true;
    try {
      for (const node of this.lab.nodes) {
        const wanted = this.#read(`${node}.wanted`);
        if (wanted === "" || wanted === (this.#states.get(node) ?? "on") || this.#read("fault") === "liar") {
          continue;
        }
        if (wanted === "off") await this.lab.powerOff(node);
        else await this.lab.powerOn(node);
        if (wanted === "on") this.onOn(node);
        this.#set(node, wanted);
      }
    } finally {
      this.#isBusy = false;
    }
  }

  #set(node: string, state: string): void {
    this.#states.set(node, state);
    writeFileSync(this.#file(`${node}.state`), `${state}\n`);
  }

  #read(name: string): string {
    return existsSync(this.#file(name)) ? readFileSync(this.#file(name), "utf8").trim() : "";
  }

  #file(name: string): string {
    return join(this.#directory, name);
  }
}
