/** Measures one cell of a sweep: three detectors on the heartbeats of one peer, under the cell's times and links. */

import { ChenDetector } from "../../core/detector/chen.ts";
import { FixedDetector } from "../../core/detector/fixed.ts";
import { PhiDetector } from "../../core/detector/phi.ts";
import { linkName, type Settings } from "../../core/settings.ts";
import { goodLink, type LinkQuality } from "../link_quality.ts";
import { expectedFalseDeathsPerYear, measure, perYear, type Stream } from "./measure.ts";
import type { Cell } from "./parameters.ts";

export const detectorNames = ["fixed", "chen", "phi"] as const;
export type DetectorName = typeof detectorNames[number];

export interface DetectorFigures {
  readonly detectionMeanMs: number;
  readonly detectionMaxMs: number;
  readonly falseDeaths: number;
  /** As measured; 0 where none was seen, which says no more than "below `resolutionPerYear`". */
  readonly falseDeathsPerYear: number;
  /** By calculation, where packets are lost independently and delays hardly vary; `null`: cannot be calculated. */
  readonly expectedPerYear: number | null;
}

export interface CellFigures {
  readonly cell: Cell;
  readonly keepaliveMs: number;
  readonly deadTimeMs: number;
  /** One false death in all heartbeats that were tried. */
  readonly resolutionPerYear: number;
  readonly detectors: Readonly<Record<DetectorName, DetectorFigures>>;
}

/** The threshold of φ where none is asked for. */
export const phiDefault = 8;

/** One lost heartbeat is no death: no estimate goes below this, in keepalives. */
const floorKeepalives = 2.5;

/** Where only one of keepalive and dead time is varied, the other keeps the configuration's ratio to it. */
export function measureCell(settings: Settings, cell: Cell, seed: number, heartbeats: number): CellFigures {
  const { timing } = settings;
  const ratio = timing.deadTimeMs / timing.keepaliveMs;
  const keepaliveMs = cell.keepalive ??
    (cell.deadtime === undefined ? timing.keepaliveMs : Math.max(1, Math.round(cell.deadtime / ratio)));
  const deadTimeMs = cell.deadtime ?? Math.round(keepaliveMs * ratio);
  const links = [...new Set(settings.media.map(linkName))].map(() => qualityOf(cell));
  const stream: Stream = { seed, heartbeats, keepaliveMs, links };
  const floorMs = floorKeepalives * keepaliveMs;
  const found = measure(stream, [
    new FixedDetector(deadTimeMs),
    // As many lost heartbeats are borne as by the fixed one; only the reckoning differs.
    new ChenDetector({ keepaliveMs, marginMs: deadTimeMs - keepaliveMs, floorMs, ceilingMs: 2 * deadTimeMs }),
    new PhiDetector({ keepaliveMs, threshold: cell.phi ?? phiDefault, floorMs, ceilingMs: deadTimeMs }),
  ]);
  const detectors = detectorNames.map((name, index) => {
    const { falseDeaths, ...times } = found[index]!;
    const figures: DetectorFigures = {
      ...times,
      falseDeaths,
      falseDeathsPerYear: perYear(falseDeaths, stream),
      expectedPerYear: name === "fixed" ? expectedFalseDeathsPerYear(stream, deadTimeMs) : null,
    };
    return [name, figures] as const;
  });
  return {
    cell,
    keepaliveMs,
    deadTimeMs,
    resolutionPerYear: perYear(1, stream),
    detectors: Object.fromEntries(detectors) as Record<DetectorName, DetectorFigures>,
  };
}

function qualityOf({ loss = 0, burst, latency, jitter }: Cell): LinkQuality {
  const quality: LinkQuality = {
    ...goodLink,
    ...(latency !== undefined && { latencyMs: latency }),
    ...(jitter !== undefined && { jitterMs: jitter, jitterShape: "exponential" as const }),
  };
  if (burst === undefined || loss === 0) return { ...quality, lossRate: loss };
  return { ...quality, burst: { lossRate: loss, meanPackets: burst } };
}
