import { parseArgs } from "node:util";
import { runMigrations } from "../db/run-migrations.ts";
import { AppError, StartUpError } from "../errors.ts";
import { type Answer, type Command, type CommandContext, type Options, UsageError, type Values } from "./command.ts";
import { doctorCommands } from "./doctor.ts";
import { jobCommands } from "./jobs.ts";
import { queueCommands } from "./queues.ts";
import { scaleCommands } from "./scale.ts";

const demoRoles = ["admin", "employee", "user"];

const otherCommands: Record<string, Command> = {
  token: {
    usage: "[admin|employee|user]",
    about: "a token of a demo user, where DEMO_TOKENS_URL is set; real ones come from the identity provider",
    takes: 1,
    async run({ demoTokensUrl }, [role = "employee"]) {
      if (!demoRoles.includes(role))
        throw new UsageError(`'${role}' is not a demo user; there are ${demoRoles.join(", ")}`);
      const url = demoTokensUrl();
      if (!url)
        throw new StartUpError(
          "DEMO_TOKENS_URL is not set: log in at the identity provider, whose tokens the API accepts",
        );
      const res = await fetch(url, { signal: AbortSignal.timeout(5_000) });
      const token = res.ok ? ((await res.json()) as Record<string, string>)[role] : undefined;
      if (!token) throw new StartUpError(`${url} has no token of '${role}'`);
      return { data: { token }, text: token };
    },
  },
  migrate: {
    usage: "",
    about: "runs the missing migrations; waits for another process that does this",
    takes: 0,
    async run({ database }) {
      const { url, isPooled } = database();
      const say = (text: string) => void process.stderr.write(`${text}\n`);
      const migrated = await runMigrations(url, { isPooled, say });
      return {
        data: { migrated },
        text: migrated.length > 0 ? `migrated: ${migrated.join(", ")}` : "schema is current",
      };
    },
  },
};

const commands: Record<string, Command> = {
  ...jobCommands,
  ...queueCommands,
  ...scaleCommands,
  ...otherCommands,
  ...doctorCommands,
};

/** sysexits.h: the call was wrong. */
const exitUsage = 64;
/** sysexits.h: configuration error. */
const exitConfig = 78;

export interface Output {
  out: (text: string) => void;
  err: (text: string) => void;
}

/** Runs a command of `tcf`; returns its exit code: 0, 1 (a problem), 64 (a wrong call), 78 (wrong settings). */
export async function runCli(argv: readonly string[], context: CommandContext, { out, err }: Output): Promise<number> {
  const isJson = argv.includes("--json");
  try {
    if (argv.length === 0 || argv.includes("--help")) {
      out(help());
      return argv.length === 0 ? exitUsage : 0;
    }
    const { data, text, isBad }: Answer = await dispatch(argv, context);
    out(isJson ? JSON.stringify(data, null, 2) : text);
    return isBad ? 1 : 0;
  } catch (error) {
    if (!isOurs(error)) throw error;
    err(isJson ? JSON.stringify({ error: error.message }) : error.message);
    if (error instanceof UsageError) return exitUsage;
    return error instanceof StartUpError ? exitConfig : 1;
  }
}

function isOurs(error: unknown): error is Error {
  return error instanceof UsageError || error instanceof AppError || error instanceof StartUpError;
}

async function dispatch(given: readonly string[], context: CommandContext): Promise<Answer> {
  const { argv, as } = takeName(given);
  const words = argv.filter((word) => !word.startsWith("-"));
  const name = [words.slice(0, 2).join(" "), words[0] ?? ""].find((one) => Object.hasOwn(commands, one));
  const command = name === undefined ? undefined : commands[name];
  if (name === undefined || !command)
    throw new UsageError(`There is no command '${words.slice(0, 2).join(" ")}'\n${help()}`);
  const options: Options = { json: { type: "boolean" }, ...command.options };
  const { values, positionals } = parse(argv, options, name, command);
  const args = positionals.slice(name.split(" ").length);
  const minArgs = command.usage.startsWith("[") ? 0 : command.takes;
  if (args.length > command.takes || args.length < minArgs)
    throw new UsageError(`Call it as: tcf ${name} ${command.usage}`);
  return command.run(context, args, { ...values, ...(as !== undefined && { as }) });
}

/** `--as` may come before the command, so its value is separated from the command's name first. */
function takeName(given: readonly string[]) {
  const at = given.findIndex((word) => word === "--as" || word.startsWith("--as="));
  const word = given[at];
  if (word === undefined) return { argv: given, as: undefined };
  const isApart = word === "--as";
  const as = isApart ? (given[at + 1] ?? "") : word.slice("--as=".length);
  return { argv: given.toSpliced(at, isApart ? 2 : 1), as };
}

function parse(argv: readonly string[], options: Options, name: string, { usage }: Command) {
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
    return { values: values as Values, positionals };
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : error}. Call it as: tcf ${name} ${usage}`);
  }
}

function help() {
  const lines = Object.entries(commands).map(
    ([name, { usage, about }]) => `${`  tcf ${name} ${usage}`.trimEnd()}\n      ${about}`,
  );
  return ["tcf <command> [--json] [--as your@e-mail.address]", ...lines].join("\n");
}
