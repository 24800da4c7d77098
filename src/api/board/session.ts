import type { Request, RequestHandler, Response } from "express";
import { users } from "../../db/dao/accounts/users.ts";
import { ForbiddenError, TooManyRequestsError, UnauthorizedError } from "../../errors.ts";
import { findRank, type Rank } from "../../services/operations/job-rights.ts";
import { requireRole } from "../http/authenticate.ts";
import { throttleFailedLogins } from "../http/limit-requests.ts";
import { headersOf, statusOfError } from "../http/problem.ts";
import type { Actor, ApiContext } from "../http/types.ts";
import { loginPage } from "./forms.ts";
import { messagesFor } from "./messages.ts";

/** Ways to authenticate, besides the login page. */
export interface BoardAccess {
  /**
   * Header in which a proxy that has logged people in names their e-mail address; trusted only from these addresses.
   */
  identity?: { header: string; from: (address: string | undefined) => boolean } | undefined;
}

/** The visitor of the board. */
export interface Visitor extends Actor {
  rank: Rank;
  /** False when every request has its own credentials, so that no other site can cause one. */
  isAmbient: boolean;
}

const cookies = { token: "tcf_board", csrf: "XSRF-TOKEN", reason: "tcf_board_reason" };
/** A working day; the token inside has its own expiry. */
const sessionMs = 8 * 3_600_000;
const reasonMs = 15 * 60_000;
const maxReasonLength = 300;

/** Sessions of the board at `path`: the visitor, whether the board's own page sends the request, and the reason. */
export function createSessions(context: ApiContext, path: string, access: BoardAccess) {
  const options = { path, sameSite: "strict", secure: context.publicUrl.startsWith("https:") } as const;

  async function visitorOf(req: Request): Promise<Visitor> {
    const named = forwardedEmail(req, access);
    const token = readCookie(req, cookies.token);
    const { authorization } = req.headers;
    const actor =
      named && !authorization
        ? await userNamed(context, named)
        : await throttleFailedLogins(context, req.ip, () =>
            context.authenticate(authorization ?? (token && `Bearer ${token}`)),
          );
    requireRole(actor, "EMPLOYEE");
    const rank = await findRank(context.db.manager, actor, context.operators);
    return { ...actor, rank, isAmbient: !authorization };
  }

  /** Identifies a browser's session: its token, or the person whom the proxy in front names. */
  function sessionOf(req: Request) {
    const named = req.headers.authorization ? undefined : forwardedEmail(req, access);
    return named ? `named ${named.toLowerCase()}` : `token ${readCookie(req, cookies.token) ?? ""}`;
  }

  return {
    visitorOf,

    /** The token that the board's pages send back with every change of this session. */
    csrfOf(req: Request, res: Response): string {
      const token = context.secrets.csrfToken(sessionOf(req));
      // Bull Board's own scripts read it and send it in a header.
      if (readCookie(req, cookies.csrf) !== token) res.cookie(cookies.csrf, token, { ...options, maxAge: sessionMs });
      return token;
    },

    /** Throws `ForbiddenError` unless the sending page was made for the session; the cookie does not count. */
    requireCsrf(req: Request, sent: unknown) {
      if (typeof sent === "string" && context.secrets.isCsrfToken(sent, sessionOf(req))) return;
      throw new ForbiddenError("This page is out of date: load it again, then try again");
    },

    /** The visitor's reason for acts that cannot be undone; undefined when none was given, or too long ago. */
    reasonOf(req: Request): string | undefined {
      const header = req.headers["x-reason"];
      const given = typeof header === "string" ? header : readCookie(req, cookies.reason);
      return (given && decode(given).trim().slice(0, maxReasonLength)) || undefined;
    },

    keepReason(res: Response, given: unknown) {
      const reason = typeof given === "string" ? given.trim().slice(0, maxReasonLength) : "";
      if (reason === "") return void res.clearCookie(cookies.reason, options);
      res.cookie(cookies.reason, reason, { ...options, httpOnly: true, maxAge: reasonMs });
    },

    login: (async (req, res) => {
      const token = String((req.body as { token?: unknown } | undefined)?.token ?? "")
        .trim()
        .replace(/^Bearer\s+/, "");
      try {
        const actor = await throttleFailedLogins(context, req.ip, () => context.authenticate(`Bearer ${token}`));
        requireRole(actor, "EMPLOYEE");
      } catch (error) {
        const isRefused = error instanceof UnauthorizedError || error instanceof ForbiddenError;
        if (!isRefused && !(error instanceof TooManyRequestsError)) throw error;
        return void res
          .set(headersOf(error))
          .status(statusOfError(error))
          .type("html")
          .send(loginPage(messagesFor(req), `${path}/login`, error.message));
      }
      res.cookie(cookies.token, token, { ...options, httpOnly: true, maxAge: sessionMs });
      res.redirect(303, path);
    }) satisfies RequestHandler,

    logout(res: Response) {
      for (const name of Object.values(cookies)) res.clearCookie(name, options);
    },
  };
}

export type Sessions = ReturnType<typeof createSessions>;

/** By the address of the connection itself: any client can send headers that claim an origin. */
function forwardedEmail(req: Request, { identity }: BoardAccess) {
  if (!identity?.from(req.socket.remoteAddress)) return undefined;
  const value = req.headers[identity.header];
  return typeof value === "string" && value !== "" ? value : undefined;
}

async function userNamed({ db }: ApiContext, email: string): Promise<Actor> {
  const user = await users.findByEmail(db.manager, email);
  if (!user) throw new UnauthorizedError("User not found");
  if (!user.isActive) throw new ForbiddenError("Access denied: this account is deactivated.");
  return { id: user.id, role: user.role };
}

function readCookie(req: Request, name: string) {
  const pair = req.headers.cookie?.split(/;\s*/).find((one) => one.startsWith(`${name}=`));
  return pair?.slice(name.length + 1);
}

function decode(text: string) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
