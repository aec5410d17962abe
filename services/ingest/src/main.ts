import { runService } from "@sluice/runtime";
import { startIngest } from "./start.js";

await runService("ingest", startIngest);
