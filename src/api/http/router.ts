import { Router } from "express";

/** A router that tells `/Admin` from `/admin`, as proxies in front do; the API has no other kind. */
export const createRouter = () => Router({ caseSensitive: true });
