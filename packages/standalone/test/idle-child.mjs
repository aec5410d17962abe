setInterval(() => {}, 60_000);
process.send?.("ready");
process.on("disconnect", () => process.exit());
