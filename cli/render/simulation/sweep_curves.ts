/** A sweep as curves: detection time across, false deaths per year upwards, a curve for each detector and case. */

import { formatDuration } from "../../../lib/config/durations.ts";
import { detectorNames } from "../../../lib/sim/sweep/sweep.ts";
import type { Curve, CurvesPicture } from "../svg/curve.ts";
import { parameterText, type Sweep } from "./sweep.ts";

/** Cases of the other parameters that are drawn. More: nobody can tell the curves apart. */
const casesMax = 3;

export function curvesOf({ config, parameters, cells }: Sweep): CurvesPicture {
  // Along a curve goes the dead time, or whatever else was named first.
  const along = parameters.find(({ name }) => name === "deadtime") ?? parameters[0]!;
  const others = parameters.filter((parameter) => parameter !== along && parameter.values.length > 1);
  const caseOf = ({ cell }: Sweep["cells"][number]) =>
    others.map(({ name }) => `${name} ${parameterText(name, cell[name]!)}`).join(", ");
  const cases = chosen([...new Set(cells.map(caseOf))]);
  const curves = cases.flatMap((each) =>
    detectorNames.map((name): Curve => ({
      name: each === "" ? name : `${name}, ${each}`,
      points: cells.filter((figures) => caseOf(figures) === each).map((figures) => {
        const { detectionMeanMs, falseDeaths, falseDeathsPerYear } = figures.detectors[name];
        return {
          x: detectionMeanMs,
          y: falseDeaths === 0 ? null : falseDeathsPerYear,
          hint: `${along.name} ${parameterText(along.name, figures.cell[along.name]!)}`,
        };
      }),
    }))
  );
  return {
    title: "Detection time against false deaths",
    about: `${config}, along each curve ${along.name} from ${
      parameterText(along.name, along.values[0]!)
    } to ${parameterText(along.name, along.values.at(-1)!)}`,
    x: { label: "mean time from a crash to the verdict", isLogarithmic: true, format: rounded },
    y: { label: "living nodes taken for dead, per year", isLogarithmic: true, format: String },
    curves,
  };
}

function rounded(ms: number): string {
  return formatDuration(Math.round(ms));
}

/** First, last and what lies between, evenly. */
function chosen(all: readonly string[]): string[] {
  if (all.length <= casesMax) return [...all];
  return Array.from(
    { length: casesMax },
    (_, index) => all[Math.round(index * (all.length - 1) / (casesMax - 1))]!,
  );
}
