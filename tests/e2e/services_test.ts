import { register } from "./scenarios/scenario.ts";
import { services } from "./scenarios/services.ts";

register(services);
