import { describe, expect, test } from "vitest";
import { paymentCode } from "../../../../src/services/documents/kinds/invoice.ts";
import { matrixOf, matrixToPng } from "../../../../src/workers/documents/writers/matrix.ts";
import { readCode } from "../../../support/office.ts";
import { payee } from "../../../support/printouts.ts";

const fieldsOf = (code: string) => {
  const [version, ...fields] = code.split("|");
  return { version, fields: fields.map((field) => field.split("=", 2)) };
};

describe("the code of a payment", () => {
  test("names its version, the account with the five required fields first, and the sum in copecks", () => {
    const { version, fields } = fieldsOf(paymentCode(payee, "Оплата заказа № 1", 2_151));
    expect(version).toBe("ST00012");
    expect(fields).toEqual([
      ["Name", payee.name],
      ["PersonalAcc", payee.account],
      ["BankName", payee.bank],
      ["BIC", payee.bic],
      ["CorrespAcc", payee.correspondentAccount],
      ["PayeeINN", payee.inn],
      ["Purpose", "Оплата заказа № 1"],
      ["Sum", "215100"],
    ]);
    expect(paymentCode({ ...payee, kpp: "920301001" }, "x", 1)).toContain("|KPP=920301001|");
  });

  test("lets no value begin another field", () => {
    const { fields } = fieldsOf(paymentCode({ ...payee, name: "ИП|Sum=1\nX" }, "a|PersonalAcc=1", 100));
    expect(fields.map(([name]) => name)).toHaveLength(8);
    expect(fields[0]).toEqual(["Name", "ИП Sum"]);
  });

  test.each([0, -5, 1.5, Number.NaN])("is not made of %d roubles", (sum) => {
    expect(() => paymentCode(payee, "x", sum)).toThrow(`'${sum}' roubles cannot be paid`);
  });

  test("is read from its picture by another program", async () => {
    const code = paymentCode(payee, "Оплата заказа № 6f0d1c52-8a4b-4d1e-8f77-5b9c2a1e4d01 от 25.11.2026", 2_151);
    expect(await readCode(matrixToPng(matrixOf(code)))).toBe(code);
  });
});
