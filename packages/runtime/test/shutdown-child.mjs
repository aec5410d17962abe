import { createLog, Shutdown } from "@sluice/runtime";

const mode = process.argv[2];
const shutdown = new Shutdown(
  createLog("child", { logLevel: "info" }),
  mode === "short" ? 1 : 60_000,
);
shutdown.add("part", async () => {
  if (mode === "broken") throw new Error("broken");
  if (mode === "hanging" || mode === "short") {
    process.send?.("closing");
    await new Promise(() => {});
  }
  process.stdout.write("part closed\n");
});
shutdown.listen();
const alive = mode === "idle" ? undefined : setInterval(() => {}, 60_000);
if (mode === "rejecting") {
  process.once("message", () => {
    clearInterval(alive);
    void Promise.reject(new Error("nobody cares"));
  });
}
process.send?.("ready");
