// Bundles the client's package into one module for web browsers. The published files
// are CommonJS, which web browsers cannot load.

import { readFileSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";

/** Runs in the web browser: a loader for the functions in `modules`. */
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

/** Returns the source of an ES module with everything that a package exports. */
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
      // Node.js modules are required only outside web browsers.
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
