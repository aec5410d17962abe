import { type ProblemCode, PROBLEMS } from "@sluice/contracts";

/** The page that shows openapi.json and tries it out. All that it loads comes from this server. */
export const API_PAGE = page(
  "Sluice API",
  `<link rel="stylesheet" href="/docs/swagger-ui.css">`,
  `<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>`,
);

export const START_SCRIPT = `window.ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  persistAuthorization: true,
  validatorUrl: null,
});
`;

/** Where the `type` of every problem document points to. */
export const PROBLEMS_PAGE = page(
  "Sluice: problems",
  "",
  `<h1>Problems</h1>
<p>Every error is a problem document (RFC 9457). Its <code>code</code> is one of these.</p>
<dl>
${Object.entries(PROBLEMS)
  .map(([code, { status, title, help }]) => describe(code as ProblemCode, status, title, help))
  .join("\n")}
</dl>`,
);

function describe(code: ProblemCode, status: number, title: string, help: string): string {
  return `<dt id="${code}"><code>${code}</code> (${status})</dt>
<dd>${escape(title)}. ${escape(help)}</dd>`;
}

function page(title: string, head: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="/docs/favicon-32x32.png">
${head}
</head>
<body>
${body}
</body>
</html>
`;
}

function escape(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replace(/`([^`]*)`/g, "<code>$1</code>");
}
