type Forms = readonly [one: string, few: string, many: string];

interface Scale {
  forms: Forms;
  isFeminine: boolean;
}

const hundreds = "сто двести триста четыреста пятьсот шестьсот семьсот восемьсот девятьсот".split(" ");
const tens = "двадцать тридцать сорок пятьдесят шестьдесят семьдесят восемьдесят девяносто".split(" ");
const units =
  "один два три четыре пять шесть семь восемь девять десять одиннадцать двенадцать тринадцать четырнадцать пятнадцать шестнадцать семнадцать восемнадцать девятнадцать".split(
    " ",
  );
const feminine = ["одна", "две"];
const roubleForms: Forms = ["рубль", "рубля", "рублей"];
const scales: readonly Scale[] = [
  { forms: ["триллион", "триллиона", "триллионов"], isFeminine: false },
  { forms: ["миллиард", "миллиарда", "миллиардов"], isFeminine: false },
  { forms: ["миллион", "миллиона", "миллионов"], isFeminine: false },
  { forms: ["тысяча", "тысячи", "тысяч"], isFeminine: true },
];

/** `Две тысячи сто один рубль 00 копеек`; throws `RangeError` unless `amount` is whole and from 0 to 10^15 - 1. */
export function amountInWords(amount: number): string {
  if (!Number.isInteger(amount) || amount < 0 || amount >= 1e15)
    throw new RangeError(`'${amount}' roubles cannot be written in words`);
  const words = scales.flatMap(({ forms, isFeminine }, n) => {
    const group = Math.floor(amount / 1_000 ** (scales.length - n)) % 1_000;
    return group === 0 ? [] : [...groupInWords(group, isFeminine), declined(group, forms)];
  });
  words.push(...groupInWords(amount % 1_000, false));
  if (words.length === 0) words.push("ноль");
  const text = [...words, declined(amount, roubleForms), "00 копеек"].join(" ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The form of a Russian noun after a number. */
export function declined(count: number, [one, few, many]: Forms): string {
  const [last, lastTwo] = [count % 10, count % 100];
  if (lastTwo >= 11 && lastTwo <= 14) return many;
  if (last === 1) return one;
  return last >= 2 && last <= 4 ? few : many;
}

function groupInWords(group: number, isFeminine: boolean): string[] {
  const rest = group % 100;
  const [ten, unit] = rest < 20 ? [0, rest] : [Math.floor(rest / 10), rest % 10];
  const unitWord = (isFeminine ? feminine[unit - 1] : undefined) ?? units[unit - 1];
  return [hundreds[Math.floor(group / 100) - 1], tens[ten - 2], unitWord].filter((word) => word !== undefined);
}
