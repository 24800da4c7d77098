import { UnavailableError } from "../../../src/errors.ts";

/** Asks the sink whether it has a message; throws `UnavailableError` when it cannot say. */
export function askSink(url: string) {
  return async (messageId: string, signal: AbortSignal): Promise<boolean> => {
    try {
      const response = await fetch(`${url}/api/has?message_id=${encodeURIComponent(messageId)}`, { signal });
      return ((await response.json()) as { has: boolean }).has;
    } catch (error) {
      throw new UnavailableError("The sink cannot say whether it has the message", { cause: error });
    }
  };
}
