import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { type Ingest, remains, startIngest } from "../http/ingest.js";
import { chromiumPath, describeWith } from "../servers/index.js";

const KEY = "a-key-of-more-than-16-characters";

describeWith(["postgres", "chromium"], "the page that shows the API", () => {
  let ingest: Ingest;
  let browser: Browser;
  let page: Page;
  /** Whatever went wrong on the page: errors, and what its policy forbade. */
  let complaints: string[];
  let requested: URL[];

  beforeAll(async () => {
    ingest = await startIngest({ env: { API_KEYS: KEY } });
    // No sandbox: tests run as root in containers, and the pages are our own.
    browser = await chromium.launch({ executablePath: chromiumPath(), args: ["--no-sandbox"] });
  });
  afterAll(async () => {
    await browser.close();
    await ingest.stop();
  });
  beforeEach(async () => {
    complaints = [];
    requested = [];
    page = await browser.newPage();
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    page.on("request", (request) => requested.push(new URL(request.url())));
  });
  afterEach(async () => {
    await page.close();
    expect(complaints).toEqual([]);
    const foreign = requested.filter(
      ({ protocol, host }) => protocol !== "data:" && !ingest.url.endsWith(host),
    );
    expect(foreign.map(String)).toEqual([]);
  });

  it("uploads a script, and shows what comes back", async () => {
    await page.goto(`${ingest.url}/docs`);
    await page.getByRole("button", { name: "Authorize" }).first().click();
    const dialog = page.locator(".auth-container");
    await dialog.getByLabel("auth-bearer-value").fill(KEY);
    await dialog.getByRole("button", { name: "Apply credentials" }).click();
    await page.locator(".modal-ux").getByRole("button", { name: "Close", exact: true }).click();

    const operation = page.locator("#operations-Upload-uploadScript");
    await operation.locator(".opblock-summary-control").click();
    await operation.locator('input[type="file"]').setInputFiles({
      name: "from the browser ✓.py",
      mimeType: "text/x-python",
      buffer: Buffer.from("print('hello')\n"),
    });
    await operation.getByRole("button", { name: "Execute" }).click();
    const answer = operation.locator(".live-responses-table");
    await answer.locator(".response-col_status", { hasText: "202" }).waitFor();
    await expect.poll(() => answer.innerText()).toContain('"filename": "from the browser ✓.py"');
    expect(await remains(ingest)).toMatchObject({ scripts: 1, versions: 1, objects: 1 });
  });

  it("lists every operation", async () => {
    await page.goto(`${ingest.url}/docs`);
    await page.locator("#operations-Upload-uploadScript").waitFor();
    const response = await page.request.get(`${ingest.url}/openapi.json`);
    const { paths } = (await response.json()) as { paths: Record<string, Record<string, unknown>> };
    const count = Object.values(paths).flatMap((item) => Object.keys(item)).length;
    expect(await page.locator(".opblock").count()).toBe(count);
  });

  it("explains the problems", async () => {
    await page.goto(`${ingest.url}/docs/problems#file_too_large`);
    expect(await page.locator("#file_too_large + dd").innerText()).toContain("10 MB");
  });
});
