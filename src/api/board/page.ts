import { htmlPage } from "../pages/html-page.ts";
import type { Messages } from "./messages.ts";

const style = `  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif;
          --muted: light-dark(#566270, #9aa7b5); --line: light-dark(#dde3ea, #2c3542); }
  body { margin: 0; background: light-dark(#eef1f5, #14181f); color: light-dark(#18202a, #e4e9ef); }
  main { box-sizing: border-box; max-width: 62rem; margin: 1.5rem auto; padding: 1.5rem 2rem 2rem; border-radius: 12px;
         background: light-dark(#fff, #1e242d); box-shadow: 0 8px 30px rgb(0 0 0 / 8%); }
  a { color: light-dark(#1d4fd7, #8ab0ff); }
  h1 { display: flex; flex-wrap: wrap; align-items: center; gap: .35rem .75rem; margin: .75rem 0 0; font-size: 1.5rem; line-height: 1.25; }
  h2 { margin: 2rem 0 .5rem; font-size: 1.1rem; }
  p { margin: .5rem 0; }
  code { font-size: .9em; overflow-wrap: anywhere; }
  small { color: var(--muted); }
  .status { padding: .1rem .65rem; border-radius: 999px; font-size: .85rem; font-weight: 600; line-height: 1.6; color: #fff; background: #5b6675; }
  .succeeded { background: #15803d; } .failed, .unknown { background: #b91c1c; } .running, .waiting { background: #1d4ed8; }
  .problem { padding: .6rem .8rem; border-radius: 8px; color: light-dark(#8a1f11, #ffb4a8); background: light-dark(#fdebe8, #41201b); }
  dl { margin: 1.25rem 0; }
  dl > div { display: grid; grid-template-columns: 9rem 1fr; gap: 1rem; padding: .4rem 0; border-top: 1px solid var(--line); }
  dt { color: var(--muted); } dd { margin: 0; overflow-wrap: anywhere; }
  progress { width: 10rem; max-width: 100%; vertical-align: middle; accent-color: #2563eb; }
  form { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem .75rem; margin: 1rem 0; }
  input { flex: 1 1 12rem; padding: .55rem .7rem; border: 1px solid light-dark(#c5cdd6, #3a4552); border-radius: 8px; font: inherit;
          background: transparent; color: inherit; }
  button { padding: .55rem 1.1rem; border: 0; border-radius: 8px; font: inherit; font-weight: 600; color: #fff; background: #2563eb; cursor: pointer; }
  button:hover { background: #1d4fd7; } .danger { background: #b91c1c; } .danger:hover { background: #991b1b; }
  table { width: 100%; border-collapse: collapse; font-size: .92rem; }
  th, td { padding: .4rem 1rem .4rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
  th { color: var(--muted); font-weight: 500; } td:last-child { overflow-wrap: anywhere; }
  time { white-space: nowrap; }
  @media (max-width: 40rem) {
    main { margin: 0; padding: 1rem; border-radius: 0; box-shadow: none; min-height: 100vh; }
    dl > div { grid-template-columns: 1fr; gap: 0; }
    button { flex: 1 1 100%; }
    table, tbody, tr, td { display: block; width: auto; } th { display: none; } tr:first-child { display: none; }
    tr { padding: .5rem 0; border-bottom: 1px solid var(--line); }
    td { display: grid; grid-template-columns: 5rem 1fr; padding: .1rem 0; border: 0; } td:empty { display: none; }
    td::before { content: attr(data-name); color: var(--muted); } td .status { justify-self: start; }
  }`;

/** One of the board's own pages; `body` is HTML. */
export function document({ lang }: Messages, title: string, body: string) {
  return htmlPage({ lang, title, style, body: `<main>\n${body}\n</main>` });
}
