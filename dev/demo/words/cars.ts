/** Cars that were never built; the years are those of each generation. */
export const cars: readonly string[] = [
  "Tarvona I (1998–2004)",
  "Tarvona II (2004–2011)",
  "Tarvona III (2011–2018)",
  "Tarvona IV (2018–…)",
  "Luvireo I (2001–2008)",
  "Luvireo II (2008–2015)",
  "Luvireo II рест. (2012–2015)",
  "Luvireo III (2015–…)",
  "Drakmoor (2006–2012)",
  "Drakmoor Kombi (2007–2013)",
  "Drakmoor 2 (2013–2020)",
  "Polvento (1994–2000)",
  "Polvento 1.2t (2000–2006)",
  "Sarvelle Coupé (2003–2010)",
  "Sarvelle Sedan (2003–2011)",
  "Velmiro, фургон (2000–2006)",
  "Velmiro, фургон (2006–2014)",
  "Velmiro, фургон (2014–…)",
  "Velmiro, автобус (2006–2014)",
  "Ombrelis 4×4 (2008–2012)",
  "Ombrelis 4×4 (2013–2019)",
  "Ombrelis 2WD (2013–2019)",
  "Kestoran пикап (1999–2006)",
  "Kestoran пикап (2006–2011)",
  "Kestoran пикап (2011–…)",
  "Jasmiro (1996–2002)",
  "Jasmiro Plus (2002–2008)",
  "Jasmiro 5D (2008–2017)",
  "Норвежин (2005–2010)",
  "Норвежин L (2010–2016)",
  "Подъёлок мини (2012–2019)",
  "Белозёр 7 мест (2006–2015)",
];

/** Engines, written as carelessly as price lists write them. */
export const engines: readonly string[] = [
  "1.0",
  "1.0 турбо",
  "1,25",
  "1.4",
  "1.4 дизель",
  "1,5 турбо",
  "1.6",
  "1,6 16V",
  "1.8",
  "1.8 дизель",
  "2.0",
  "2,0 турбо",
  "2.0 дизель",
  "2.2 дизель",
  "2.3",
  "2.4 дизель",
  "2,5 / 3,0 V6",
];

/** What follows the car now and then. */
export const remarks: readonly string[] = [
  "до 03.2011 г. в.",
  "после рестайлинга",
  "кроме а/м с АКПП",
  "под круиз-контроль",
  "с датчиком",
  "без датчика",
  "(усиленный)",
  "(аналог)",
  "[универсал]",
  "объём 60 л",
  "левый руль",
  "Ø 22 мм",
  "угол 90°",
  "съёмный",
  "дубль №2",
];

/** Tells apart what fits every car. */
export const series: readonly string[] = [
  "Норд",
  "Профи",
  "Ультра",
  "Стандарт",
  "Эконом",
  "Подъём",
  "Форсаж",
  "Гараж+",
  "X-Line",
  "Мастер",
];

/** Sizes of containers. */
export const volumes: readonly string[] = ["0,5 л", "1 л", "1,5 л", "4 л", "5 л", "10 л", "20 л", "60 л", "208 л"];

/** Viscosities of oils. */
export const viscosities: readonly string[] = ["0W-20", "0W-30", "5W-20", "5W-30", "5W-40", "10W-40", "75W-90", "80W"];

/** Lamps. */
export const lamps: readonly string[] = ["H1", "H3", "H4", "H7", "H11", "W5W", "P21W", "C5W", "D2", "T10"];

/** Tyres. */
export const tyreSizes: readonly string[] = [
  "175/65 R14",
  "185/60 R15",
  "195/65 R15",
  "205/55 R16",
  "205/60 R16",
  "215/50 R17",
  "215/65 R16C",
  "225/45 R18",
  "235/55 R17",
  "235/65 R16C",
];
