import { clusters } from "./scenarios/clusters.ts";
import { register } from "./scenarios/scenario.ts";

register(clusters);
