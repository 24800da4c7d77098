/** A module of the packages in this folder, which have to be installed: see `importTool` in scripts/side-packages.ts. */
export const load = async <T>(name: string): Promise<T> => (await import(name)) as T;
