// The client's package as one module that a web browser can load. Its files in the
// registry are CommonJS, which web browsers have no loader for.

import { readFileSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";

/** What runs in the web browser: a loader for the functions in `modules`. */
const LOADER = `
const loaded = {};
function load(name) {
  if (!(name in loaded)) {
    const module = (loaded[name] = { exports: {} });
    const [body, names] = modules[name];
    body(module, module.exports, (required) => load(names[required]));
  }
  return loaded[name].exports;
}
`;

/** The source of an ES module with all that a package exports. */
export function bundle(name) {
  const here = createRequire(import.meta.url);
  const modules = {};
  const add = (file) => {
    if (Object.hasOwn(modules, file)) return;
    const source = readFileSync(file, "utf8");
    const names = {};
    modules[file] = { source, names };
    const { resolve } = createRequire(file);
    for (const [, required] of source.matchAll(/\brequire\(["']([^"']+)["']\)/g)) {
      // What only Node.js has is required where there is no web browser.
      if (isBuiltin(required)) continue;
      names[required] = resolve(required);
      add(names[required]);
    }
  };
  const entry = here.resolve(name);
  add(entry);
  const bodies = Object.entries(modules).map(
    ([file, { source, names }]) =>
      `${JSON.stringify(file)}: [function (module, exports, require) {` +
      `${source}\n}, ${JSON.stringify(names)}],\n`,
  );
  return (
    `const modules = {\n${bodies.join("")}};\n${LOADER}` +
    `export const { ${Object.keys(here(name)).join(", ")} } = ` +
    `load(${JSON.stringify(entry)});\n`
  );
}
