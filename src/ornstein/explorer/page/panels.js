// What all panels have in common: a sentence, a key, a formula line, a table, buttons that copy.

const BODY = `<p class="said"></p><div class="view"></div><p class="key"></p><p class="formula"></p>
  <details class="numbers"><summary>Numbers</summary><div></div></details>
  <div class="row tools"></div>`;

/** One panel of the page, under its title; `tools` are [label, (state) => text] of its copy buttons. */
export class Panel {
  constructor(name, tools) {
    this.section = document.getElementById(`panel-${name}`);
    this.section.insertAdjacentHTML("beforeend", BODY);
    this.view = this.section.querySelector(".view");
    this.said = this.section.querySelector(".said");
    this.key = this.section.querySelector(".key");
    this.formula = this.section.querySelector(".formula");
    this.details = this.section.querySelector("details");
    this.table = this.details.querySelector("div");
    this.visible = true;
    this.make_table = null;
    const title = this.section.querySelector("h2").textContent;
    // A table may be wider than the panel: then it is moved by keys, too.
    Object.assign(this.table, { tabIndex: 0, role: "region", ariaLabel: `Numbers: ${title}` });
    this.tools = tools;
    this.details.addEventListener("toggle", () => this.show_table());
    const row = this.section.querySelector(".tools");
    for (const [label, made] of tools) row.append(copy_button(label, () => made(this.state)));
  }

  /** Show a sentence (HTML), formula names, and a table, made when it is looked at. */
  tell(state, { said, formula, table }) {
    this.state = state;
    if (this.said.innerHTML !== said) this.said.innerHTML = said;
    if (this.formula.innerHTML !== formula) this.formula.innerHTML = formula;
    this.make_table = table;
    this.show_table();
  }

  show_table() {
    if (this.details.open && this.make_table) this.table.innerHTML = this.make_table();
  }
}

/** A button that copies a text, and says that it has. */
export function copy_button(label, text) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = label;
  button.addEventListener("click", async () => {
    const said = (await copied(text())) ? "Copied" : "Press Ctrl+C";
    button.textContent = said;
    setTimeout(() => (button.textContent = label), 1600);
  });
  return button;
}

/** Copy a text; where the browser does not let a page do it, select it for the reader. */
export async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.setAttribute("aria-label", "text to copy");
    area.style.cssText = "position:fixed;left:8px;right:8px;bottom:8px;height:120px;z-index:30";
    document.body.append(area);
    area.select();
    const done = document.execCommand?.("copy") ?? false;
    if (done) area.remove();
    else area.addEventListener("blur", () => area.remove());
    return done;
  }
}

/** A table of texts; rows with `now` are marked. */
export function table_html(caption, heads, rows) {
  const head = heads.map((text) => `<th scope="col">${text}</th>`).join("");
  const body = rows
    .map(({ cells, now }) => `<tr${now ? ' class="now"' : ""}>${cells.map((c) => `<td>${c}</td>`).join("")}</tr>`)
    .join("");
  return `<table><caption>${caption}</caption><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`;
}

const SAMPLES = {
  line: (role) => `<svg width="26" height="10" aria-hidden="true"><path class="line ${role}" d="M1 5H25"/></svg>`,
  points: (role) => `<svg width="14" height="12" aria-hidden="true"><g class="points ${role}"><line class="error" x1="7" x2="7" y1="0" y2="12"/>${role.includes("share") ? '<rect x="3.8" y="2.8" width="6.4" height="6.4"/>' : '<circle cx="7" cy="6" r="3.3"/>'}</g></svg>`,
  study: () => `<svg width="14" height="12" aria-hidden="true"><g class="points study"><path d="M7 1l5 5l-5 5l-5 -5z"/></g></svg>`,
  bars: (role) => `<svg width="16" height="12" aria-hidden="true"><g class="bars ${role}"><rect x="1" y="5" width="4" height="7"/><rect x="6" y="1" width="4" height="11"/><rect x="11" y="6" width="4" height="6"/></g></svg>`,
  ring: (role) => `<svg width="16" height="14" aria-hidden="true"><circle class="ring ${role}" cx="8" cy="7" r="5.5"/></svg>`,
  endless: () => `<svg width="22" height="12" aria-hidden="true"><rect class="endless" width="22" height="12"/></svg>`,
};

/** Entries [kind, role, text] of a key. */
export function key_html(entries) {
  return entries.map(([kind, role, text]) => `<span>${SAMPLES[kind](role)}${text}</span>`).join("");
}
