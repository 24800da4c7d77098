/** Customers who do not exist. */
export const customerNames: readonly string[] = [
  ..."Анна Лугова,Борис Ткач,Виктор Озеров,Галина Снежко,Денис Пахомчук,Ева Рябинина,Жанна Колесник".split(","),
  ..."Захар Мостовой,Игорь Вересов,Кира Полынина,Лев Журавский,Марина Стрижова,Назар Каменюк".split(","),
  ..."Оксана Берёзкина,Павел Щербина,Римма Южакова,Семён Дубравин,Тамара Ключева,Ульяна Чайкина".split(","),
  ..."Фёдор Ясенев,Харитон Бойченко,Эльвира Горецкая,Юлия Ковыльная,Яков Степной,Алла Цветаева-Ли".split(","),
  ..."Артём Подъячев,Вадим Хвойный,Дарья Ручьёва,Егор Шиповник,Зоя Калинич,Мирон Ольховский".split(","),
];

/** People who order without an account. */
export const guestNames: readonly string[] = [
  ..."Олег Пристанский,Нина Тополева,Руслан Айвазян,Вера Синицкая,Антон Крутов,Софья Маслова".split(","),
];

interface City {
  name: string;
  postalCode: string;
}

/** Where customers live. */
export const cities: readonly City[] = [
  { name: "Севастополь", postalCode: "299011" },
  { name: "Симферополь", postalCode: "295000" },
  { name: "Ялта", postalCode: "298600" },
  { name: "Феодосия", postalCode: "298100" },
  { name: "Евпатория", postalCode: "297400" },
  { name: "Керчь", postalCode: "298300" },
  { name: "Бахчисарай", postalCode: "298400" },
];

/** Countries that the storefront ships to, with a city in each. */
export const destinations: readonly { country: string; city: string }[] = [
  { country: "RUS", city: "Севастополь" },
  { country: "RUS", city: "Симферополь" },
  { country: "RUS", city: "Краснодар" },
  { country: "BLR", city: "Минск" },
  { country: "KAZ", city: "Алматы" },
  { country: "ARM", city: "Ереван" },
];

export const streets: readonly string[] = [
  "ул. Садовая",
  "ул. Лесная",
  "ул. Приморская",
  "ул. Подъёмная",
  "пр. Мира",
  "пер. Школьный",
  "наб. Тихая",
  "ш. Южное",
];

export const houses: readonly string[] = ["1", "4а", "12", "17/2", "28", "35", "61б", "74Ж", "108"];

/** What customers write beside an order. */
export const orderNotes: readonly string[] = [
  "Позвоните перед отправкой",
  "Нужен чек на организацию",
  "Сверьте, пожалуйста, по VIN",
  "Заберу в субботу",
  "Если чего-то нет, отправьте остальное",
];
