// Draws a pull request as GitHub shows it, in Chromium: see README.md.
//
//   node shot.mjs PAGE OUT.png --width=860 --height=1000 [--dark]
//
// PAGE is a folder that main.go wrote. Around the description stands as much of
// GitHub's page as a reader needs to know where they are.
import { execFileSync } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { marked } from "marked";

const [page, out, ...flags] = process.argv.slice(2);
const flag = (name, or) => (flags.find((f) => f === `--${name}` || f.startsWith(`--${name}=`)) ?? `--${name}=${or}`).split("=")[1];
const dark = flags.includes("--dark");
const at = createRequire(import.meta.url).resolve;
const text = (name) => readFileSync(join(page, name), "utf8");
const escape = (s) => s.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

// GitHub draws fences of Mermaid, and shows all others as code.
const renderer = { code: ({ text, lang }) => (lang === "mermaid" ? `<pre class="mermaid">${escape(text)}</pre>` : false) };
const body = marked.use({ gfm: true, renderer }).parse(text("body.md"));

const look = `
body { margin: 0; background: var(--bgColor-default); }
.page { max-width: 980px; margin: 0 auto; padding: 16px; }
.page h1.title { border: 0; font-size: 26px; font-weight: 400; margin: 0 0 8px; padding: 0; }
.state { background: ${dark ? "#238636" : "#1f883d"}; color: #fff; border-radius: 2em; padding: 5px 12px; font-weight: 500; margin-right: 8px; display: inline-block; }
.muted { color: var(--fgColor-muted); font-size: 14px; }
.box { border: 1px solid var(--borderColor-default); border-radius: 6px; margin-top: 16px; }
.box > header { background: var(--bgColor-muted); border-bottom: 1px solid var(--borderColor-default); border-radius: 6px 6px 0 0; padding: 8px 16px; font-size: 14px; }
.box > div { padding: 16px; }
.markdown-body h2 { margin-top: 24px; }
pre.mermaid { background: none; padding: 0; text-align: center; }
@media (max-width: 600px) { .page { padding: 8px; } .page h1.title { font-size: 22px; } .box > div { padding: 12px; } }
`;
const css = readFileSync(at("github-markdown-css/github-markdown.css"), "utf8");
cpSync(at("mermaid/dist/mermaid.min.js"), join(page, "mermaid.min.js"));
writeFileSync(join(page, "page.html"), `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><style>${css}${look}</style><body class="markdown-body"><main class="page">
<h1 class="title">${escape(text("title.txt"))} <span class="muted" style="font-size:inherit">#7</span></h1>
<div class="muted"><span class="state">Open</span><b>ringmaster</b> wants to merge 1 commit into <code>main</code> from <code>ringmaster/${escape(text("id.txt"))}</code></div>
<div class="box"><header class="muted"><b>ringmaster</b> commented</header><div>${body}</div></div>
</main><script src="mermaid.min.js"></script><script>
mermaid.initialize({ startOnLoad: false, securityLevel: "strict", theme: "${dark ? "dark" : "default"}" });
addEventListener("load", async () => {
  const wrong = [];
  await mermaid.run().catch((e) => wrong.push("the chart: " + e.message));
  if (!document.querySelector("pre.mermaid svg")) wrong.push("there is no chart");
  for (const i of document.images) if (!i.naturalWidth) wrong.push("a picture is not found: " + i.getAttribute("src"));
  document.documentElement.dataset.wrong = wrong.join("; ");
});
</script>`);

const chromium = (...args) => execFileSync(process.env.CHROMIUM ?? "chromium", [
  "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-lcd-text", "--allow-file-access-from-files", "--virtual-time-budget=20000",
  `--blink-settings=preferredColorScheme=${dark ? 0 : 1}`, `--window-size=${flag("width", 860)},${flag("height", 1000)}`, ...args, "file://" + resolve(page, "page.html"),
], { stdio: ["ignore", "pipe", "ignore"], maxBuffer: 1 << 26 }).toString();

// What is wrong is said in words by the page itself, once everything is drawn.
const drawn = chromium("--dump-dom").match(/<html[^>]*data-wrong="([^"]*)"/);
if (!drawn || drawn[1] !== "") {
  console.error(`${page}: ${drawn ? drawn[1] : "the page was not drawn"}`);
  process.exit(1);
}
chromium(`--screenshot=${resolve(out)}`);
