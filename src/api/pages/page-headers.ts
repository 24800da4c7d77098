import helmet from "helmet";

/**
 * Headers of pages for people: scripts, styles and data only from this API (data also from the named origins), and no
 * frames.
 */
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
