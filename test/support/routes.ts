import { once } from "node:events";
import type { AddressInfo } from "node:net";
import express from "express";
import { afterAll, beforeAll } from "vitest";
import { mount } from "../../src/api/http/mount.ts";
import { problemHandler } from "../../src/api/http/problem.ts";
import { createRouter } from "../../src/api/http/router.ts";
import type { Route } from "../../src/api/http/types.ts";
import { type TestApi, undescribed } from "./api.ts";

/**
 * Serves routes of the test's own, in the way that the API serves its routes; returns their base URL. They are in no
 * document, so nothing compares their answers with one.
 */
export function useRoutes(api: TestApi, routes: readonly Route[], trustProxy = 0) {
  const served = { url: "", close: () => {} };
  beforeAll(async () => {
    const app = express();
    app.set("trust proxy", trustProxy);
    app.use(mount(createRouter(), routes, api.context, "shop"));
    app.use(problemHandler(api.log));
    const server = app.listen(0, "127.0.0.1");
    await once(server, "listening");
    served.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    undescribed.add(served.url);
    served.close = () => {
      server.closeAllConnections();
      server.close();
    };
  });
  afterAll(() => served.close());
  return served;
}
