import type { Language } from "../../../db/entities/accounts/user.ts";
import { formatRub } from "../format.ts";

/** The money of an order that belongs to its customer. */
export interface DueBack {
  /** As `dueBackRub` of the services computes it. */
  dueBackRub: number;
  /** On its way back at the card provider. */
  refundingRub: number;
  /** False of a guest, who has no balance to credit. */
  hasBalance: boolean;
}

export const exampleDueBack: DueBack = { dueBackRub: 4350, refundingRub: 1380, hasBalance: true };

/** What the shop does with money that it cannot keep. */
export const givenBack = (hasBalance: boolean, language: Language) =>
  ({
    ru: hasBalance
      ? "мы вернём эти деньги или зачислим их на ваш баланс и свяжемся с вами"
      : "мы вернём эти деньги и свяжемся с вами",
    en: hasBalance
      ? "we will give this money back or credit it to your balance, and will contact you"
      : "we will give this money back, and will contact you",
  })[language];

/** Sentences about the money of an order; none when nothing is due back. */
export function dueBackSentences({ dueBackRub, refundingRub, hasBalance }: DueBack, language: Language): string[] {
  const [due, refunding] = [formatRub(dueBackRub, language), formatRub(refundingRub, language)];
  const rest = givenBack(hasBalance, language);
  const sentences = {
    ru: [`Вам причитается возврат ${due}: ${rest}.`, `Возврат ${refunding} уже оформлен.`],
    en: [`${due} is due back to you: ${rest}.`, `A refund of ${refunding} is on its way.`],
  }[language];
  return sentences.filter((_sentence, index) => [dueBackRub, refundingRub][index] !== 0);
}
