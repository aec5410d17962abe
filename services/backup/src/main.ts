import { openObjectStore } from "@sluice/object-store";
import { runService } from "@sluice/runtime";
import { openStores, runStage } from "@sluice/worker";
import { backup } from "./backup.js";

await runService("backup", async (context) => {
  const stores = await openStores(context);
  const store = await openObjectStore(context.settings.backupUrl);
  context.shutdown.add("backup store", () => store.close());
  await runStage("backup", backup, { objects: stores.objects, backup: store }, stores, context);
});
