import { UnavailableError } from "../errors.ts";
import { tlsFault } from "./tls.ts";

/** Tells whether a mail has arrived: a provider's API, or a mailbox that gets a copy of everything. */
export interface DeliveryProbe {
  /**
   * Whether a message with this Message-ID has arrived; throws `UnavailableError` when that cannot be found out now.
   */
  has(messageId: string, signal: AbortSignal): Promise<boolean>;
}

const patienceMs = 5_000;

/** Asks a service that answers `GET <url>/api/has?message_id=` with `{"has": true}`, as the local mailbox does. */
export function createHttpProbe(url: string): DeliveryProbe {
  return {
    async has(messageId, signal) {
      const question = `${url}/api/has?message_id=${encodeURIComponent(messageId)}`;
      const answer = await ask(question, AbortSignal.any([signal, AbortSignal.timeout(patienceMs)])).catch((error) => {
        signal.throwIfAborted();
        const fault = tlsFault(error, "the service of MAIL_PROBE_URL");
        throw new UnavailableError(fault ?? `'${url}' cannot say whether ${messageId} has arrived`, { cause: error });
      });
      if (typeof answer.has === "boolean") return answer.has;
      throw new UnavailableError(`'${url}' does not say whether ${messageId} has arrived`);
    },
  };
}

async function ask(url: string, signal: AbortSignal) {
  const response = await fetch(url, { signal });
  if (!response.ok) throw new Error(`It answered ${response.status}`);
  return (await response.json()) as { has?: unknown };
}
