import { z } from "zod";
import { METADATA_OPERATIONS } from "./metadata-operations.js";
