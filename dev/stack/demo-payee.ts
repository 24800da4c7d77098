/** An account without an owner: the demo shop takes no money. */
export const demoPayee = {
  name: "ИП Пример П. П.",
  inn: "920350043006",
  account: "40802810700000012345",
  bank: "АО «Банк Пример»",
  bic: "043510123",
  correspondentAccount: "30101810335100000123",
};
