import { createRequire } from "node:module";
import { dirname } from "node:path";
import { createRouter } from "../http/router.ts";
import { page, script } from "./docs-page.ts";
import { pageHeaders } from "./page-headers.ts";

const swaggerUi = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
/** What the page asks for; the package brings source maps and pages of its own as well. */
const files = ["swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"];

/**
 * The API reference at /docs, where every route can be tried; all of it is served from here, under the path `base`. With `demoTokensUrl` a
 * person can choose there who to be; without it, paste a token.
 */
export function docsRoutes(base: string, demoTokensUrl: string | undefined) {
  const router = createRouter();
  router.use(pageHeaders(demoTokensUrl === undefined ? [] : [new URL(demoTokensUrl).origin]));
  router.get("/", (_req, res) => void res.type("html").send(page(base, demoTokensUrl)));
  router.get("/start.js", (_req, res) => void res.type("js").send(script));
  for (const file of files)
    router.get(`/${file}`, (_req, res) => res.sendFile(file, { root: swaggerUi, maxAge: "1h" }));
  return router;
}
