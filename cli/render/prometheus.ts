/** Metrics in the text format 0.0.4 of Prometheus. Pure; without timestamps, which the textfile collector refuses. */

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: "gauge" | "counter";
  readonly samples: readonly Sample[];
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Each family with its HELP and TYPE before its samples; families without samples are left out. */
export function renderMetrics(families: readonly Family[]): string {
  return families.filter((family) => family.samples.length > 0).map(({ name, help, type, samples }) =>
    `# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}\n# TYPE ${name} ${type}\n` +
    samples.map(({ labels, value }) => `${name}${labelsText(labels)} ${numberText(value)}\n`).join("")
  ).join("");
}

/** One series for each state, 1 for the present one and 0 for the others: never a number that means a state. */
export function stateSamples(
  labels: Readonly<Record<string, string>>,
  states: readonly string[],
  present: string,
): Sample[] {
  return states.map((state) => ({ labels: { ...labels, state }, value: state === present ? 1 : 0 }));
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function numberText(value: number): string {
  return value === Infinity
    ? "+Inf"
    : value === -Infinity
    ? "-Inf"
    : Number.isNaN(value)
    ? "NaN"
    : String(value);
}
