// Runs the tests of tests.js in Chromium against the server in SERVER_UNDER_TEST, and
// prints the results as TAP.
//
// The same tests pass against nats-server, the reference. They need the certificates of
// `clients/certificates FOLDER`; the variable CERTIFICATES is that folder.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";

import { bundle } from "./bundle.js";
import { Chromium } from "./chromium.js";
import { certificate, Partner } from "./partner.js";

/** Time limit of all tests in milliseconds. */
const RUN_LIMIT = 120_000;

const read = (name) => readFileSync(new URL(name, import.meta.url), "utf8");

const FILES = {
  "/": ["text/html", read("index.html")],
  "/tests.js": ["text/javascript", read("tests.js")],
  "/messages.js": ["text/javascript", read("messages.js")],
  "/connections.js": ["text/javascript", read("connections.js")],
  "/scene.js": ["text/javascript", read("scene.js")],
  "/clients.js": ["text/javascript", read("../javascript/clients.js")],
  "/inbox.js": ["text/javascript", read("../javascript/inbox.js")],
  "/soon.js": ["text/javascript", read("../javascript/soon.js")],
  "/nats-core.js": ["text/javascript", bundle("@nats-io/nats-core")],
};

let partner = new Partner();
let planned = 0;
let passed = 0;
let failed = 0;
let finish;
const finished = new Promise((resolve) => (finish = resolve));

/** Prints a TAP comment. */
const comment = (text) => console.log(text.trimEnd().replace(/^/gm, "# "));

/** The page's reports about its tests. */
const told = {
  planned: ({ count }) => {
    planned = count;
    console.log(`TAP version 13\n1..${count}`);
  },

  result: async ({ name, error }) => {
    const number = passed + failed + 1;
    const closing = partner;
    partner = new Partner();
    const log = await closing.close();
    if (error === undefined) {
      passed++;
      console.log(`ok ${number} - ${name}`);
    } else {
      failed++;
      console.log(`not ok ${number} - ${name}`);
      comment(`${error}\n--- the servers' stderr ---\n${log}---`);
    }
  },

  finished: () => finish(),

  broken: ({ error }) => finish(error),
};

async function body(request) {
  let text = "";
  for await (const part of request.setEncoding("utf8")) text += part;
  return JSON.parse(text);
}

const page = createServer(async (request, response) => {
  const { method, url } = request;
  if (method === "GET" && Object.hasOwn(FILES, url)) {
    const [type, text] = FILES[url];
    response.setHeader("Content-Type", `${type}; charset=utf-8`);
    response.end(text);
    return;
  }
  const name = url.slice(1);
  const may = [told, partner.asked].find((each) => Object.hasOwn(each, name));
  if (method !== "POST" || !may) {
    response.writeHead(404).end();
    return;
  }
  try {
    const answer = await may[name](await body(request));
    response.end(JSON.stringify({ answer }));
  } catch (error) {
    response.end(JSON.stringify({ error: `the runner: ${error.stack}` }));
  }
});
page.on("upgrade", (request, socket) => {
  const id = Number(/^\/server\/(\d+)$/.exec(request.url)?.[1]);
  partner.tunnel(id, request, socket).catch(() => socket.destroy());
});
await new Promise((resolve) => page.listen(0, "127.0.0.1", resolve));

const chromium = new Chromium(
  `http://127.0.0.1:${page.address().port}/`,
  certificate("server"),
);
const timer = setTimeout(
  () => finish(`the tests have not ended within ${RUN_LIMIT} ms`),
  RUN_LIMIT,
);
const broken = await Promise.race([finished, chromium.ended]);
clearTimeout(timer);
await chromium.close();
const log = await partner.close();
if (broken !== undefined) {
  comment(`${broken}\n--- the servers' stderr ---\n${log}---`);
  comment(`--- Chromium's stderr ---\n${chromium.log}---`);
}
// A test without a result has failed.
failed = Math.max(failed, planned - passed, broken === undefined ? 0 : 1);
console.log(`# pass ${passed}\n# fail ${failed}`);
page.close();
page.closeAllConnections();
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
