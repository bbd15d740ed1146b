import { oneWay } from "./scenarios/one_way.ts";
import { register } from "./scenarios/scenario.ts";

register(oneWay);
