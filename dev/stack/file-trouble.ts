import { directory } from "./paths.ts";
import { Refusal } from "./refusal.ts";

const elsewhere = "keep everything elsewhere: STACK_DIRECTORY=/a/folder npm start";
const full = `There is no space left for ${directory}; a first start writes about 300 MB. Make room, or ${elsewhere}`;
const tooMany = "Too many files are open. Allow more, as with `ulimit -n 4096`, and start again.";

type Sentence = (path: string) => string;

const notAllowed: Sentence = (path) =>
  `This user may not use ${path}. If another user has made it, let that user run \`npm run reset\`; or ${elsewhere}`;
const noFolder: Sentence = (path) => `A folder of ${path} is none, but a file. Move that file away, or ${elsewhere}`;

/** What a person can put right, by the code of the error. */
const sentences: Record<string, Sentence> = {
  EACCES: notAllowed,
  EPERM: notAllowed,
  EROFS: (path) => `${path} cannot be written: its file system is read-only. Make it writable, or ${elsewhere}`,
  ENOTDIR: noFolder,
  EEXIST: noFolder,
  ENOENT: (path) => `${path} cannot be made there: the folder above it takes no new ones. Please ${elsewhere}`,
  ELOOP: noFolder,
  ENOSPC: () => full,
  EDQUOT: () => full,
  EMFILE: () => tooMany,
  ENFILE: () => tooMany,
};

/**
 * Gives a refusal that says what is wrong with a file or the disk and what to do; any other error is given back. What a
 * program of the stack wrote before it ended is read as well.
 */
export function inWords(error: unknown): unknown {
  if (error instanceof Refusal || !(error instanceof Error)) return error;
  const { code = "", path, message, syscall } = error as NodeJS.ErrnoException;
  const sentence = code === "ENOENT" && syscall !== "mkdir" ? undefined : sentences[code];
  if (sentence && (path || syscall === "write" || code.endsWith("FILE")))
    return new Refusal(`${sentence(path ?? directory)}\n(${message})`);
  if (/ENOSPC|EDQUOT|no space left on device|check free disk space|disk quota exceeded/i.test(message))
    return new Refusal(`${full}\n${message}`);
  return error;
}
