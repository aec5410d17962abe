import { runService } from "@sluice/runtime";
import { openStores, runStage } from "@sluice/worker";
import { compress } from "./compress.js";

await runService("compress", async (context) => {
  const { compression, compressionThreshold: threshold } = context.settings;
  const stores = await openStores(context);
  await runStage(
    "compress",
    compress,
    { objects: stores.objects, compression, threshold },
    stores,
    context,
  );
});
