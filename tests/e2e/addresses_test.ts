import { addresses } from "./scenarios/addresses.ts";
import { register } from "./scenarios/scenario.ts";

register(addresses);
