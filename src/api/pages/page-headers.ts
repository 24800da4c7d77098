import helmet from "helmet";

/** Headers for pages that people look at: scripts, styles and data from ourselves (and data from the named origins) only, in nobody's frame. */
export const pageHeaders = (dataOrigins: string[] = []) =>
  helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        // Bull Board and Swagger UI set styles on their elements.
        styleSrc: ["'self'", "'unsafe-inline'"],
        connectSrc: ["'self'", ...dataOrigins],
        imgSrc: ["'self'", "data:"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
  });
