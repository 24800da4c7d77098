import { describe, expect, it } from "vitest";
import { slugify, slugOf } from "../../../src/services/catalogue/slug.ts";

const examples: [name: string, slug: string][] = [
  ["Щупы", "shchupy"],
  ["Бачок ГУР", "bachok-gur"],
  ["Автомобильный набор", "avtomobilnyi-nabor"],
  ["Скотч / Изолента", "skotch-izolenta"],
  ["Якорь (ротор) генератора", "iakor-rotor-generatora"],
  ["Контактное кольцо генератора", "kontaktnoe-koltso-generatora"],
  ["Толкатели,коромысла, гидрокомпенсаторы", "tolkateli-koromysla-gidrokompensatory"],
  ["Крылья / Накладки крыльев", "krylia-nakladki-krylev"],
  ["Стеклоподъемник", "steklopodemnik"],
  ["Стёкла кузова", "stekla-kuzova"],
  ["Разъемы", "razemy"],
  ["К-т ремней ГРМ с роликами", "k-t-remnei-grm-s-rolikami"],
  ["Помпа г/у руля", "pompa-g-u-rulia"],
  ["Центральный подшипник карданного вала", "tsentralnyi-podshipnik-kardannogo-vala"],
  ["Фильтр салона_", "filtr-salona"],
  ["Датчики и др.устр-ва тормозной системы", "datchiki-i-dr-ustr-va-tormoznoi-sistemy"],
  ["Эмблемы и надписи", "emblemy-i-nadpisi"],
  ["Свечи зажигания", "svechi-zazhiganiia"],
  ["Насос кондиционера / комплектующие", "nasos-konditsionera-komplektuiushchie"],
  ["Клапан / охладители EGR", "klapan-okhladiteli-egr"],
  ["1.0 ECOBOOST", "1-0-ecoboost"],
  ["Объём двигателя", "obem-dvigatelia"],
  ["1,5 л", "15-l"],
  ["Тормозной диск №2", "tormoznoi-disk-no2"],
  ["5 л. — 4×4", "5-l-4x4"],
  ["Mondeo III (2001–2006)", "mondeo-iii-2001-2006"],
  ["Свечи&nbsp;NGK", "svechi-ngk"],
  ["It's", "it-s"],
  ["a__b", "a-b"],
  ["Rıhtım Şişe", "rihtim-sise"],
  ["10°", "10deg"],
  ["!!!", ""],
  ["😀", ""],
  ["Сцепление", "stseplenie"],
  ["Система охлаждения", "sistema-okhlazhdeniia"],
  ["Карданный вал", "kardannyi-val"],
  ["Свечи", "svechi"],
];

const details: [rule: string, name: string, slug: string][] = [
  ["an apostrophe parts, a soft sign does not", "l'huile соль", "l-huile-sol"],
  ["a curly apostrophe vanishes", "D’Arc", "darc"],
  ["composed and decomposed ё and й are the same", "Е\u0308лка и\u0306од", "elka-iod"],
  ["capitals", "ПОДЪЁМНИК ЩЁТКИ Юла Яма", "podemnik-shchetki-iula-iama"],
  ["Ukrainian and Belarusian letters", "Її Ґанок єм ўся", "ii-ganok-iem-usia"],
  ["Turkish and German letters", "Ağır Çöl ÜŞ Straße STRAẞE", "agir-col-us-strasse-strasse"],
  ["letters with a stroke", "Øl Łódź Ærø", "ol-lodz-aero"],
  ["signs", "5 € ±2 № 7 ½ 4×4 90°", "5-eur-2-no-7-1-2-4x4-90deg"],
  ["comma between digits, and elsewhere", "1,5,25 л, 2 ,3", "1525-l-2-3"],
  ["named entities", "Винт&nbsp;М6&amp;М8 &laquo;X&raquo; &frac12; &sup2;", "vint-m6-m8-x-1-2-2"],
  ["a letter that an entity names loses its mark, and the mark parts", "caf&eacute;s", "cafe-s"],
  ["decimal and hexadecimal entities", "&#65;&#x42;&#x43;", "abc"],
  ["entities inside entities", "&amp;#65; &#38;#x42;", "a-b"],
  ["an unknown name is no entity", "a&foo;b&Amp;c", "a-foo-b-amp-c"],
  ["a number that is no character leaves its kind as it is", "&#1114112;&#65;&#x41;", "1114112-65-a"],
  ["fullwidth letters", "ＡＢ－１２", "ab-12"],
  ["invisible characters vanish", "за\u00adмок\u200b", "zamok"],
  ["only signs", " — / … ", ""],
  ["nothing", "", ""],
];

/** 100,000 bytes each. */
const hostile: [what: string, name: string][] = [
  ["quotes", "'"],
  ["dashes", "-"],
  ["blanks", " "],
  ["ampersands", "&"],
  ["beginnings of entities", "&a"],
  ["one endless number", "9"],
  ["entities", "&#65;"],
  ["entities of marks in the wrong order", "&#769;&#790;"],
  ["marks in the wrong order", "\u0301\u0316"],
  ["Cyrillic", "Щ"],
  ["fractions", "½"],
  ["a ligature of eighteen letters", "\ufdfa"],
  ["a sign of four apostrophes", "⁗"],
  ["Hangul", "각"],
  ["emoji", "😀"],
  ["half an emoji", "\ud83d"],
  ["digits and commas", "1,"],
  ["null bytes", "\0"],
].map(([what = "", unit = ""]) => [what, unit.repeat(Math.ceil(100_000 / Buffer.byteLength(unit)))]);

describe("slugify", () => {
  it.each(examples)("makes of '%s' '%s'", (name, slug) => {
    expect(slugify(name)).toBe(slug);
  });

  it.each(details)("%s: '%s'", (_, name, slug) => {
    expect(slugify(name)).toBe(slug);
  });

  it.each(examples)("leaves what it made of '%s' as it is", (_, slug) => {
    expect(slugify(slug)).toBe(slug);
  });

  /** Linear work takes some milliseconds; quadratic work on so much text takes a minute. */
  const bearable = 500;

  it.each(hostile)("is not slowed down by 100 kB of %s", (_, name) => {
    expect(cpuMilliseconds(name)).toBeLessThan(bearable);
  });

  it("is not slowed down by an entity that never ends", () => {
    for (const start of ["&#", "&#x", "&", "a&#1"]) {
      expect(cpuMilliseconds(start + "9".repeat(100_000))).toBeLessThan(bearable);
    }
  });

  it("answers with nothing but a-z, 0-9 and single inner dashes", () => {
    for (const [, name] of [...hostile, ...examples]) expect(slugify(name)).toMatch(/^([a-z0-9]+(-[a-z0-9]+)*)?$/);
  });
});

const id = "0197f3a2-0000-7000-8000-000000000001";

describe("slugOf", () => {
  it.each([
    ["汽车刹车片", id],
    ["საჭე ღერძი", id],
    ["Արգելակ", id],
    ["ไทย", id],
    ["ब्रेक पैड", id],
    ["فرامل", id],
    ["٣", id],
    ["汽车刹车片 Ford 3", `ford-3-${id}`],
    ["Колодка", "kolodka"],
    ["Резистор 5 Ω", "rezistor-5"],
    ["№ 5 ½", "no-5-1-2"],
  ])("gives '%s' the slug '%s'", (name, slug) => {
    expect(slugOf(name, id)).toBe(slug);
  });

  it.each(["", "—", "🚗", "…!"])("refuses '%s', which has no letter or digit", (name) => {
    expect(() => slugOf(name, id)).toThrow("needs at least one letter or digit");
  });
});

/** Of this process, so that others do not count. */
function cpuMilliseconds(name: string) {
  const before = process.cpuUsage();
  slugify(name);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
