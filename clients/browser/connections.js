// WebSocket connections: access, encryption, compression, and reconnection.

import { AuthorizationError, ConnectionError } from "@nats-io/nats-core";

import {
  assert,
  assertEqual,
  assertPasses,
  assertWelcome,
  check,
  MIB,
  numbers,
  pattern,
} from "/scene.js";
import { soon } from "/soon.js";

/** An origin of no page here. */
const ELSEWHERE = "http://elsewhere.test";

/** Returns incompressible bytes. */
function noise(size) {
  const made = new Uint8Array(size);
  // getRandomValues fills at most 65 536 bytes at a time.
  for (let at = 0; at < size; at += 65_536) {
    crypto.getRandomValues(made.subarray(at, at + 65_536));
  }
  return made;
}

/** Resolves when the client reports a connection status of this type. */
function told(client, type) {
  const statuses = client.status();
  const found = async () => {
    for await (const status of statuses) if (status.type === type) return;
    throw new Error("the client has ended");
  };
  return soon(type, found());
}

async function assertResumes(scene, signal) {
  const server = await scene.serve();
  const publisher = await scene.connect(server);
  const subscriber = await scene.connect(server);
  const inboxes = [
    await scene.subscribe(subscriber, "r.plain"),
    await scene.subscribe(subscriber, "r.>", { queue: "group" }),
  ];
  const both = (type) =>
    Promise.all([told(publisher, type), told(subscriber, type)]);
  for (const payload of ["before", "after"]) {
    publisher.publish("r.plain", payload);
    for (const inbox of inboxes) assertEqual(await inbox.texts(1), [payload]);
    if (payload === "after") break;
    const gone = both("disconnect");
    const back = both("reconnect");
    await server.ask("end", { signal });
    await gone;
    await server.ask("start");
    await back;
    await soon("flush", subscriber.flush());
  }
}

check("subscriptions resume after a crash", (scene) =>
  assertResumes(scene, "SIGKILL"));

check("subscriptions resume after an orderly end", (scene) =>
  assertResumes(scene, "SIGTERM"));

check("user and password are required", async (scene) => {
  const [user, password] = ["ann", "s3cret pässword"];
  const server = await scene.serve({ user, password });
  await assertWelcome(scene, server, { user, pass: password });
  for (const options of [
    { user, pass: "s3cret" },
    { user: "anna", pass: password },
    { token: password },
    {},
  ]) {
    const error = await scene.refused(server, options);
    assert(error instanceof AuthorizationError, `refused by ${error}`);
  }
});

check("a certificate that the web browser trusts is accepted", async (scene) => {
  const server = await scene.serve({ websocket: { tls: "server" } });
  const client = await scene.connect(server);
  assertEqual(client.info.tls_required, true);
  const sizes = [0, 1, 16_384, 16_385, 256 * 1024];
  await assertPasses(scene, server, client, sizes.map(pattern));
  const unencrypted = { url: server.url.replace("wss://", "ws://") };
  const error = await scene.refused(unencrypted);
  assert(error instanceof ConnectionError, `refused by ${error}`);
});

check("a certificate that the web browser does not trust is refused", async (scene) => {
  const server = await scene.serve({ websocket: { tls: "elsewhere" } });
  const error = await scene.refused(server);
  assert(error instanceof ConnectionError, `refused by ${error}`);
});

/** Connects, and resolves with the client and the extensions that the server accepted. */
async function extensions(scene, server) {
  let socket;
  const wsFactory = (url) => {
    socket = new WebSocket(url);
    return { socket, encrypted: false };
  };
  const client = await scene.connect(server, { wsFactory });
  return [client, socket.extensions];
}

check("without compression nothing is compressed", async (scene) => {
  const server = await scene.serve();
  const tunnelled = { url: server.tunnelled };
  const [client, agreed] = await extensions(scene, tunnelled);
  assertEqual(agreed, "");
  await assertPasses(scene, server, client, [pattern(256 * 1024)]);
  const { sent, received } = await server.ask("traffic");
  assert(sent > 256 * 1024, `received ${sent} bytes`);
  assert(received > 256 * 1024, `sent ${received} bytes`);
});

check("compressed messages arrive as they were sent", async (scene) => {
  const server = await scene.serve({ websocket: { compression: true } });
  const tunnelled = { url: server.tunnelled };
  const [client, agreed] = await extensions(scene, tunnelled);
  assert(agreed.startsWith("permessage-deflate"), `the extensions are "${agreed}"`);
  await assertPasses(scene, server, client, [pattern(256 * 1024)]);
  const { sent, received } = await server.ask("traffic");
  assert(sent < 64 * 1024, `received ${sent} bytes`);
  assert(received < 64 * 1024, `sent ${received} bytes`);
  const payloads = [0, 1, 63, 64, 1000, 65_536, MIB].map(noise);
  await assertPasses(scene, server, client, payloads);
});

check("many small messages are compressed in order", async (scene) => {
  const server = await scene.serve({ websocket: { compression: true } });
  const publisher = await scene.connect(server);
  const inbox = await scene.subscribe(await scene.connect(server), "numbers");
  for (const number of numbers(5000)) publisher.publish("numbers", number);
  assertEqual(await inbox.texts(5000), numbers(5000));
});

check("a page of an allowed origin may connect", async (scene) => {
  const allowedOrigins = [ELSEWHERE, location.origin];
  const server = await scene.serve({ websocket: { allowedOrigins } });
  await assertWelcome(scene, server);
});

check("a page of another origin than those allowed is refused", async (scene) => {
  const allowedOrigins = [ELSEWHERE, location.origin.replace("http", "https")];
  const server = await scene.serve({ websocket: { allowedOrigins } });
  const error = await scene.refused(server);
  assert(error instanceof ConnectionError, `refused by ${error}`);
  const { origin } = location;
  assertEqual(await server.ask("upgrade", { origin }), 403);
  assertEqual(await server.ask("upgrade", { origin: ELSEWHERE }), 101);
});

check("a page of the same origin may connect", async (scene) => {
  const server = await scene.serve({ websocket: { sameOrigin: true } });
  await assertWelcome(scene, { url: server.tunnelled });
});

check("a page of another origin than the server's is refused", async (scene) => {
  const server = await scene.serve({ websocket: { sameOrigin: true } });
  const error = await scene.refused(server);
  assert(error instanceof ConnectionError, `refused by ${error}`);
  const { origin } = location;
  assertEqual(await server.ask("upgrade", { origin }), 403);
  const own = server.url.replace("ws://", "http://");
  assertEqual(await server.ask("upgrade", { origin: own }), 101);
});
