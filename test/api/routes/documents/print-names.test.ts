import { describe, expect, test } from "vitest";
import { useApi, useWorker } from "../../../support/api.ts";
import { addOffer, addOrder } from "../../../support/goods.ts";
import { hostileNames } from "../../../support/hostile-names.ts";
import { pdfText, readers, useFolder } from "../../../support/readers.ts";

const squeezed = (text: string) => text.replaceAll(/[\s\u202a-\u202e]/g, "");

describe.runIf(readers.pdftotext)("a printed order with a name that has (skipped without poppler)", () => {
  const api = useApi({ printers: ["127.0.0.0/8"] });
  useWorker(api);
  const folder = useFolder();

  // Postgres takes no half surrogate pairs.
  test.each(hostileNames.filter(([, name]) => name.isWellFormed()))(
    "%s says the same of all else",
    async (what, name) => {
      const { offer } = await addOffer(api.db, { product: { name } });
      const order = await addOrder(api.db, [{ offer, quantity: 2, priceRub: 717 }], {
        ...{ firstName: "Анна", lastName: name, city: "Керчь", note: `Для ${name}, 1200 руб.` },
      });
      const answer = await fetch(`${api.url}/print/orders/${order.id}?format=pdf`);
      expect(answer.status, what).toBe(200);
      const [path = ""] = await folder.put({ "order.pdf": Buffer.from(await answer.arrayBuffer()) });
      const text = squeezed(await pdfText(path, "layout"));
      for (const said of [`Заказ № ${order.id}`, "Город Керчь", "717 руб.", "1434 руб.", "1200"])
        expect(text).toContain(squeezed(said));
    },
  );
});
