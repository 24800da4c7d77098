/** An element of a parsed XML document. */
export interface XmlElement {
  name: string;
  attributes: Record<string, string>;
  children: (XmlElement | string)[];
}

const nameCharacters = "[A-Za-z_:][\\w:.-]*";
const markup = new RegExp(
  [
    "(?<cdata><!\\[CDATA\\[(?<section>[\\s\\S]*?)\\]\\]>)",
    `(?<close></(?<closed>${nameCharacters})\\s*>)`,
    `(?<open><(?<opened>${nameCharacters})(?<attributes>(?:\\s+${nameCharacters}\\s*=\\s*(?:"[^"<]*"|'[^'<]*'))*)\\s*(?<empty>/?)>)`,
    "(?<text>[^<]+)",
  ].join("|"),
  "y",
);
const forbidden = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u;

/** Parses a document without DTD or comments; throws, with the place, unless it is well-formed XML 1.0. */
export function parseXml(source: string): XmlElement {
  const illegal = forbidden.exec(source);
  if (illegal) throw new Error(`Character U+${illegal[0].codePointAt(0)?.toString(16)} at ${illegal.index}`);
  const root: XmlElement = { name: "", attributes: {}, children: [] };
  const open = [root];
  markup.lastIndex = /^(?:<\?xml [^>]*\?>)?\s*/.exec(source)?.[0].length ?? 0;
  for (let at = markup.lastIndex; at < source.length; at = markup.lastIndex) {
    const { groups } = markup.exec(source) ?? {};
    if (!groups) throw new Error(`Not well-formed at ${at}: ${source.slice(at, at + 80)}`);
    take(groups, open);
  }
  const [only, ...others] = root.children.filter((child) => typeof child !== "string");
  if (open.length !== 1 || !only || others.length > 0) throw new Error("It has no end, or not one root");
  return only;
}

/** Puts one piece of markup or text into the innermost element that is open. */
function take(found: Record<string, string | undefined>, open: XmlElement[]) {
  const children = open.at(-1)?.children ?? [];
  if (found.cdata !== undefined) children.push(found.section ?? "");
  else if (found.text !== undefined) children.push(decode(found.text));
  else if (found.close !== undefined) {
    const name = open.pop()?.name;
    if (name !== found.closed) throw new Error(`<${name}> is closed as </${found.closed}>`);
  } else {
    const element = { name: String(found.opened), attributes: attributesOf(found.attributes ?? ""), children: [] };
    children.push(element);
    if (!found.empty) open.push(element);
  }
}

/** All elements of a name below one, in order. */
export function elementsOf(element: XmlElement, name: string): XmlElement[] {
  return element.children.flatMap((child) => {
    if (typeof child === "string") return [];
    return [...(child.name === name ? [child] : []), ...elementsOf(child, name)];
  });
}

/** The text of an element and everything in it. */
export function textOf(element: XmlElement | undefined): string {
  return (element?.children ?? []).map((child) => (typeof child === "string" ? child : textOf(child))).join("");
}

function attributesOf(text: string) {
  const pairs = text.matchAll(/([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g);
  return Object.fromEntries(Array.from(pairs, ([, name, double, single]) => [name, decode(double ?? single ?? "")]));
}

const named: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function decode(text: string) {
  return text.replace(/&(#x[0-9a-f]+|#\d+|\w+)?(;?)/gi, (found, reference = "", semicolon) => {
    const character = reference.startsWith("#x")
      ? String.fromCodePoint(Number.parseInt(reference.slice(2), 16))
      : reference.startsWith("#")
        ? String.fromCodePoint(Number(reference.slice(1)))
        : named[reference];
    if (!semicolon || character === undefined) throw new Error(`'${found}' is no reference`);
    return character;
  });
}
