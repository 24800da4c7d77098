import { createRequire } from "node:module";
import { dirname } from "node:path";
import express, { Router } from "express";
import { pageHeaders } from "./page-headers.ts";

const swaggerUi = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>TCF back end: API reference</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" href="/docs/favicon-32x32.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

const start = `SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  persistAuthorization: true,
  tryItOutEnabled: true,
});
`;

/** The API reference at /docs, where every route can be tried; all of it is served from here. */
export function docsRoutes() {
  const router = Router();
  router.use(pageHeaders());
  router.get("/", (_req, res) => void res.type("html").send(page));
  router.get("/start.js", (_req, res) => void res.type("js").send(start));
  router.use(express.static(swaggerUi, { index: false, maxAge: "1h" }));
  return router;
}
