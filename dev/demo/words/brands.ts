/** Makers that do not exist. */
export const brandNames: readonly string[] = [
  ..."Vexmoor Dromlund Kartavel Ostrenik Belmarok Tolvarn Grimstahl Norvexa Simbrolt Halvorik Quorvane".split(" "),
  ..."Marduvo Steltora Pravodin Lindgrav Ravoltek Jorvento Akimoku Hinodera Sankovar Kyongra Milvetti".split(" "),
  ..."Corvasso Fratuzzo Lombarex Renvoise Bouvrac Ardenelle Wexbrigg Hartmole Pennifer Gdyrex Polmarsz".split(" "),
  ..."Zawirex Hradomil Moravent Anadolux Bozkurek Şandıkol Größtal Ødvarg Łukomor Živarna Çelimak".split(" "),
  ..."Ветрогон Подъёмов Звездар Уралик Тяжград Ёлкино Щитмаш Северко Пружинин Болтогор Искромёт".split(" "),
  "Tarn & Vole",
  "H.O.L.M.",
  "Van Draak",
  "St. Orlo",
  "Nord-Öst",
  "A/B Krell",
  "К-Деталь",
  "Два Колеса",
];

/** Second words that make further makers out of the first ones. */
export const brandSuffixes: readonly string[] = ["Parts", "Pro", "OE", "Tech", "Classic", "Truck", "Motor", "Eco"];

/** What people in the warehouse note at an offer. */
export const notes: readonly string[] = [
  "сверить по VIN",
  "без упаковки",
  "мятая коробка, цена снижена",
  "аналог, подходит без доработки",
  "под заказ 3–5 дней",
  "остаток уточнять; последняя проверка 12.05",
  "тяжёлый, только транспортной компанией",
  "продаём парой",
  "возврат от клиента, не установлен",
  'в каталоге ошибка: "лев." = прав.',
];
