/**
 * Which runner operates which kind of resource. One line for each; a runner is loaded when it is first needed.
 */

import type { ResourceSpec } from "../core/settings.ts";
import type { ResourceRunner } from "./resource.ts";

type Kind = ResourceSpec["kind"];
type SpecOf<K extends Kind> = Extract<ResourceSpec, { kind: K }>;

/** A runner may have work that goes on after `run`: a process should not end before `finish`. */
export type LoadedRunner<Spec extends ResourceSpec = ResourceSpec> = ResourceRunner<Spec> & {
  finish?(): Promise<void>;
};

const loaders: { readonly [K in Kind]: () => Promise<LoadedRunner<SpecOf<K>>> } = {
  vip: async () => new (await import("./vip_runner.ts")).VipRunner(),
  ha: async () => new (await import("./ha_script.ts")).HaScriptRunner(),
  lsb: async () => new (await import("./lsb.ts")).LsbRunner(),
  ocf: async () => new (await import("./ocf.ts")).OcfRunner(),
  systemd: async () => new (await import("./systemd.ts")).SystemdRunner(),
  exec: async () => new (await import("./exec.ts")).ExecRunner(),
};

const loaded = new Map<Kind, Promise<LoadedRunner>>();

/** The one runner of that kind in this process. It must be given specs of that kind only. */
export function runnerFor(kind: Kind): Promise<LoadedRunner> {
  let runner = loaded.get(kind);
  if (runner === undefined) {
    runner = loaders[kind]() as Promise<LoadedRunner>;
    loaded.set(kind, runner);
  }
  return runner;
}
