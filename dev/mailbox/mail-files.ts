import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Where raw mails are kept, by id. */
export interface MailFiles {
  /** Returns all ids, oldest first. */
  list(): Promise<string[]>;
  /** Throws when there is no such mail. */
  read(id: string): Promise<Buffer>;
  write(id: string, mail: Buffer): Promise<void>;
  remove(id: string): Promise<void>;
}

const extension = ".eml";

/** Keeps mails as .eml files in a directory, which is made if it is missing; a mail is there whole or not at all. */
export function keepOnDisk(directory: string): MailFiles {
  const fileOf = (id: string): string => join(directory, `${id}${extension}`);
  return {
    list: async () => {
      await mkdir(directory, { recursive: true });
      const names = (await readdir(directory)).filter((name) => name.endsWith(extension));
      return names.map((name) => name.slice(0, -extension.length)).sort();
    },
    read: (id) => readFile(fileOf(id)),
    write: async (id, mail) => {
      const unfinished = `${fileOf(id)}.part`;
      await writeFile(unfinished, mail);
      await rename(unfinished, fileOf(id));
    },
    remove: (id) => rm(fileOf(id), { force: true }),
  };
}

/** Keeps mails for as long as the process lives. */
export function keepInMemory(): MailFiles {
  const mails = new Map<string, Buffer>();
  return {
    list: async () => [...mails.keys()],
    read: async (id) => {
      const mail = mails.get(id);
      if (mail === undefined) {
        throw new Error(`There is no mail "${id}".`);
      }
      return mail;
    },
    write: async (id, mail) => {
      mails.set(id, mail);
    },
    remove: async (id) => {
      mails.delete(id);
    },
  };
}
