/** Makers of scenarios for tests. */

import { parseScenario, type ScenarioParse } from "../../../lib/sim/scenario/parse.ts";
import type { Scenario } from "../../../lib/sim/scenario/scenario.ts";
import { settingsFromYaml } from "../../../lib/config/load.ts";
import { plainContext } from "../../../lib/config/context.ts";

const noConfig = () => null;

export function parse(text: string): ScenarioParse {
  return parseScenario(text, "test.yaml", "test", noConfig);
}

/** With configurations by path. */
export function parseWith(text: string, configs: Readonly<Record<string, string>>): ScenarioParse {
  return parseScenario(
    text,
    "test.yaml",
    "test",
    (path, node) =>
      configs[path] === undefined ? null : settingsFromYaml(configs[path], path, plainContext(node)),
  );
}

export function scenarioFrom(text: string, name = "test"): Scenario {
  const { scenario, problems } = parseScenario(text, `${name}.yaml`, name, noConfig);
  if (scenario === null) {
    throw new Error(problems.map(({ line, message, hint }) => `${line}: ${message} (${hint})`).join("\n"));
  }
  return scenario;
}

/** A pair with two links, an arbiter, an address and a service. */
export const pairConfig = `config:
  nodes: [n1, n2]
  keepalive: 200ms
  deadtime: 1s
  links:
    - bcast: { dev: hb0 }
    - bcast: { dev: hb1 }
  groups:
    web: { resources: [{ vip: 192.0.2.10/24, dev: eth0 }, { exec: /srv/web }] }
`;

export function pairScenario(rest: string): Scenario {
  return scenarioFrom(`duration: 20s\n${pairConfig}${rest}`);
}
