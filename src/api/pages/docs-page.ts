import { escapeHtml } from "../../platform/escape-html.ts";
import { exampleOfferId, exampleProductId } from "../http/examples.ts";
import { htmlPage } from "./html-page.ts";

/** The reference page of an API under the path `base`; `demoTokensUrl` is where it gets the people to choose from. */
export function page(base: string, demoTokensUrl: string | undefined) {
  const docs = `${escapeHtml(base)}/docs`;
  const source = demoTokensUrl === undefined ? "" : ` data-demo-tokens="${encodeURI(demoTokensUrl)}"`;
  return htmlPage({
    lang: "en",
    title: "TCF back end: API reference",
    head: `<link rel="stylesheet" href="${docs}/swagger-ui.css">
<link rel="icon" href="${docs}/favicon-32x32.png">`,
    isIndexed: true,
    style: `  body { margin: 0; }
  #who { position: sticky; top: 0; z-index: 10; display: flex; gap: .75rem; align-items: center; flex-wrap: wrap;
         padding: .6rem 1.25rem; background: #1b2430; color: #fff; font: 15px/1.4 system-ui, sans-serif; }
  #who[hidden] { display: none; }
  #who select { font: inherit; padding: .3rem .5rem; border-radius: 6px; border: 0; max-width: 100%; }
  #who output { color: #b9c4d0; }`,
    body: `<form id="who" hidden>
  <label for="person">Try it as</label>
  <select id="person"></select>
  <output id="hint" for="person"></output>
</form>
<div id="swagger-ui"></div>
<script src="${docs}/swagger-ui-bundle.js"></script>
<script src="${docs}/start.js" data-base="${escapeHtml(base)}"${source}></script>`,
  });
}

/** What the page does in the browser. */
export const script = `const { demoTokens: tokensUrl, base } = document.currentScript.dataset;
const hints = {
  "": "Guests look around and order.",
  USER: "A customer sees his own orders, cart and balance.",
  EMPLOYEE: "Employees keep the catalogue, orders and waybills.",
  ADMIN: "Admins may also delete, and change roles and balances.",
};

start();

async function start() {
  const [spec, offer] = await Promise.all([get(base + "/openapi.json"), anOfferInStock()]);
  const text = JSON.stringify(spec);
  const ui = SwaggerUIBundle({
    spec: JSON.parse(offer ? withIdsOf(offer, text) : text),
    dom_id: "#swagger-ui",
    deepLinking: true,
    displayRequestDuration: true,
    docExpansion: "list",
    filter: true,
    persistAuthorization: false,
    tryItOutEnabled: true,
    validatorUrl: null,
  });
  if (tokensUrl) offerPeople(ui, await get(tokensUrl));
}

async function get(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(url + " answered " + answer.status);
  return answer.json();
}

async function anOfferInStock() {
  const { items } = await get(base + "/offers?size=50").catch(() => ({ items: [] }));
  return items.find(({ quantity }) => quantity > 0);
}

function withIdsOf({ id, product_id }, text) {
  return text.replaceAll("${exampleOfferId}", id).replaceAll("${exampleProductId}", product_id);
}

function offerPeople(ui, people) {
  const select = document.getElementById("person");
  select.add(new Option("a guest, without a token", ""));
  for (const [index, { name, role, customer_type }] of people.entries()) {
    const kind = role === "USER" ? customer_type.replace("USER_", "").replaceAll("_", " ").toLowerCase() : role.toLowerCase();
    select.add(new Option(name + ", " + kind, String(index)));
  }
  let isLoggedIn = false;
  const choose = () => {
    const person = people[Number(select.value || NaN)];
    document.getElementById("hint").value = hints[person?.role ?? ""];
    // Swagger UI fails at a logout without a login.
    if (isLoggedIn) ui.authActions.logout(["bearer"]);
    isLoggedIn = person !== undefined;
    if (!isLoggedIn) return;
    const schema = { type: "http", scheme: "bearer", bearerFormat: "JWT" };
    ui.authActions.authorize({ bearer: { name: "bearer", schema, value: person.token } });
  };
  select.addEventListener("change", choose);
  document.getElementById("who").hidden = false;
  choose();
}
`;
