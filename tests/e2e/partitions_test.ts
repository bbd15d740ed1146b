import { partitions } from "./scenarios/partitions.ts";
import { register } from "./scenarios/scenario.ts";

register(partitions);
