// Tests the official JavaScript client against the server in SERVER_UNDER_TEST.
//
// The same tests pass against nats-server, the reference. They need the certificates of
// `clients/certificates FOLDER`; the variable CERTIFICATES is that folder.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import {
  AuthorizationError,
  ClosedConnectionError,
  connect,
  headers,
  InvalidArgumentError,
  Match,
  NoRespondersError,
  RequestError,
  TimeoutError,
} from "@nats-io/transport-node";

import { Clients, greet } from "./clients.js";
import { Server } from "./server.js";
import { LIMIT, soon } from "./soon.js";

const MIB = 1024 * 1024;

/** The servers and clients of one test. */
class Scene extends Clients {
  servers = [];

  async serve(described = {}) {
    const server = new Server(described);
    this.servers.push(server);
    await server.start();
    return server;
  }

  open(server, options) {
    return connect({ port: server.port, ...options });
  }

  async close() {
    await super.close();
    for (const server of this.servers) await server.close();
  }
}

function check(name, body) {
  test(name, async () => {
    const scene = new Scene();
    try {
      await body(scene);
    } catch (error) {
      for (const { log } of scene.servers) {
        console.error(`--- ${name}: the server's stderr ---\n${log}---`);
      }
      throw error;
    } finally {
      await scene.close();
    }
  });
}

const numbers = (count) => Array.from({ length: count }, (_, n) => String(n));

const byNumber = (a, b) => Number(a) - Number(b);

/** Returns bytes whose period divides no buffer size. */
const pattern = (size) => Buffer.alloc(size, Buffer.from(numbers(251)));

function assertSame(received, sent) {
  assert.ok(Buffer.from(received).equals(sent), `${sent.length} bytes changed`);
}

const file = (name) => join(process.env.CERTIFICATES, `${name}.pem`);

const tls = (name = "server", clientsCa) => ({
  certificate: file(name),
  key: file(`${name}-key`),
  clientsCa: clientsCa && file(clientsCa),
});

const trusting = (authority, presenting) => ({
  caFile: file(authority),
  ...(presenting && {
    certFile: file(presenting),
    keyFile: file(`${presenting}-key`),
  }),
});

check("a message reaches each subscriber", async (scene) => {
  for (const message of await greet(scene)) {
    assert.equal(message.subject, "greetings");
    assert.equal(message.string(), "hello");
    assert.equal(message.reply, "answers.here");
    assert.equal(message.headers, undefined);
  }
});

check("the server sends its INFO", async (scene) => {
  const server = await scene.serve();
  const { info } = await scene.connect(server);
  assert.equal(info.port, server.port);
  assert.equal(info.max_payload, MIB);
  assert.equal(info.headers, true);
  assert.equal(info.client_ip, "127.0.0.1");
  assert.ok(info.proto >= 1 && info.server_id && info.version, info);
  assert.ok(!info.auth_required && !info.tls_required, info);
});

check("wildcards receive what they match", async (scene) => {
  const server = await scene.serve();
  const publisher = await scene.connect(server);
  const sent = "a b a.b a.c b.b a.b.c a.d.c a.b.d b.b.c a.b.c.d ab.c".split(" ");
  for (const [subject, taken, end] of [
    ["a.*", "a.b a.c", "a.end"],
    ["*", "a b", "end"],
    ["*.b", "a.b b.b", "end.b"],
    ["a.*.c", "a.b.c a.d.c", "a.end.c"],
    ["*.*.c", "a.b.c a.d.c b.b.c", "end.end.c"],
    ["a.>", "a.b a.c a.b.c a.d.c a.b.d a.b.c.d", "a.end"],
    ["a.*.>", "a.b.c a.d.c a.b.d a.b.c.d", "a.b.end"],
    [">", sent.join(" "), "end"],
  ]) {
    const inbox = await scene.subscribe(publisher, subject);
    for (const other of [...sent, end]) publisher.publish(other);
    const expected = [...taken.split(" "), end];
    const messages = await inbox.messages(expected.length);
    assert.deepEqual(messages.map((m) => m.subject), expected, subject);
    inbox.subscription.unsubscribe();
  }
});

check("subjects are unicode", async (scene) => {
  const client = await scene.connect(await scene.serve());
  const inbox = await scene.subscribe(client, "日本.*");
  for (const subject of ["日本.ключ", "日.本", "Straße.ключ", "日本.🦀"]) {
    client.publish(subject);
  }
  const subjects = (await inbox.messages(2)).map((message) => message.subject);
  assert.deepEqual(subjects, ["日本.ключ", "日本.🦀"]);
});

check("one member of a queue group receives each message", async (scene) => {
  const server = await scene.serve();
  const publisher = await scene.connect(server);
  const members = [];
  const plain = [];
  for (let member = 0; member < 4; member++) {
    const client = await scene.connect(server);
    members.push(await scene.subscribe(client, "work", { queue: "workers" }));
    plain.push(await scene.subscribe(client, "work"));
  }
  for (const number of numbers(1000)) publisher.publish("work", number);
  for (const inbox of plain) {
    assert.deepEqual(await inbox.texts(1000), numbers(1000));
  }
  for (const { subscription } of members) {
    await soon("drain", subscription.drain());
  }
  const taken = members.map((member) => member.rest());
  assert.ok(taken.every((each) => each.length > 0), "a member is left out");
  assert.deepEqual(taken.flat().sort(byNumber), numbers(1000));
});

check("each queue group receives each message", async (scene) => {
  const client = await scene.connect(await scene.serve());
  const groups = [];
  for (const [subject, queue] of [
    ["w.x", "red"],
    ["w.x", "blue"],
    ["w.>", "green"],
  ]) {
    groups.push(await scene.subscribe(client, subject, { queue }));
  }
  for (const number of numbers(100)) client.publish("w.x", number);
  for (const group of groups) {
    assert.deepEqual(await group.texts(100), numbers(100));
  }
});

check("headers arrive as they were sent", async (scene) => {
  const server = await scene.serve();
  const publisher = await scene.connect(server);
  const inbox = await scene.subscribe(await scene.connect(server), "headers");
  const sent = headers();
  sent.set("X-One", "1");
  sent.append("X-Many", "first");
  sent.append("X-Many", "second: with a colon");
  sent.append("X-Many", "größer 🦀");
  sent.set("x-one", "names differ by case");
  for (const payload of ["payload", "", Buffer.from([0, 13, 10, 255])]) {
    publisher.publish("headers", payload, { headers: sent, reply: "answers" });
    const message = await inbox.message();
    assertSame(message.data, Buffer.from(payload));
    assert.equal(message.reply, "answers");
    assert.deepEqual([...message.headers], [...sent]);
    assert.equal(message.headers.values("X-Many", Match.Exact).length, 3);
  }
});

/** Answers each request with its own payload and headers. */
function answer(client, subject, options) {
  client.subscribe(subject, {
    ...options,
    callback: (_, request) =>
      request.respond(`echo: ${request.string()}`, { headers: request.headers }),
  });
  return soon("flush", client.flush());
}

check("a request is answered", async (scene) => {
  const server = await scene.serve();
  const asks = await scene.connect(server);
  await answer(await scene.connect(server), "echo");
  for (const noMux of [false, true]) {
    const sent = headers();
    sent.append("Trace", "1");
    sent.append("Trace", "2");
    const options = { timeout: LIMIT, noMux, headers: sent };
    const reply = await asks.request("echo", "?", options);
    assert.equal(reply.string(), "echo: ?");
    assert.deepEqual(reply.headers.values("Trace"), ["1", "2"]);
  }
});

check("concurrent requests each get their own reply", async (scene) => {
  const server = await scene.serve();
  for (let member = 0; member < 2; member++) {
    await answer(await scene.connect(server), "echo", { queue: "answerers" });
  }
  const asks = await scene.connect(server);
  const replies = numbers(2000).map((number) =>
    asks.request("echo", number, { timeout: LIMIT })
  );
  const received = (await Promise.all(replies)).map((reply) => reply.string());
  assert.deepEqual(received, numbers(2000).map((number) => `echo: ${number}`));
});

check("a request without responders fails at once", async (scene) => {
  const client = await scene.connect(await scene.serve());
  const started = Date.now();
  for (const noMux of [false, true]) {
    await assert.rejects(
      client.request("nobody", "?", { timeout: LIMIT, noMux }),
      (error) =>
        error instanceof RequestError &&
        error.cause instanceof NoRespondersError,
    );
  }
  assert.ok(Date.now() - started < LIMIT / 2);
});

check("a request without responders gets a 503 without payload", async (scene) => {
  const client = await scene.connect(await scene.serve());
  const inbox = await scene.subscribe(client, "replies");
  client.publish("nobody", "?", { reply: "replies" });
  const message = await inbox.message();
  assert.equal(message.headers.code, 503);
  assert.equal(message.headers.description, "");
  assert.deepEqual(message.headers.keys(), []);
  assert.equal(message.data.length, 0);
});

check("a subscriber that does not answer is waited for", async (scene) => {
  const server = await scene.serve();
  const asks = await scene.connect(server);
  const inbox = await scene.subscribe(await scene.connect(server), "silence");
  await assert.rejects(
    asks.request("silence", "?", { timeout: 200 }),
    TimeoutError,
  );
  assert.deepEqual(await inbox.texts(1), ["?"]);
});

check("a subscription ends after its limit of messages", async (scene) => {
  const client = await scene.connect(await scene.serve());
  for (const [subject, early] of [["early", true], ["late", false]]) {
    const options = early ? { max: 5 } : {};
    const inbox = await scene.subscribe(client, subject, options);
    if (!early) {
      client.publish(subject, "before");
      assert.deepEqual(await inbox.texts(1), ["before"]);
      // Messages delivered before count as well.
      inbox.subscription.unsubscribe(6);
    }
    const before = client.stats().inMsgs;
    for (const number of numbers(20)) client.publish(subject, number);
    await soon("flush", client.flush());
    // The client also stops by itself, so check what the server sent.
    assert.equal(client.stats().inMsgs - before, 5);
    assert.deepEqual(inbox.rest(), numbers(5));
    assert.ok(inbox.subscription.isClosed());
  }
});

check("unsubscribing ends a subscription", async (scene) => {
  const client = await scene.connect(await scene.serve());
  const inbox = await scene.subscribe(client, "u");
  client.publish("u", "before");
  assert.deepEqual(await inbox.texts(1), ["before"]);
  inbox.subscription.unsubscribe();
  client.publish("u", "after");
  await soon("flush", client.flush());
  assert.equal(client.stats().inMsgs, 1);
});

check("a drained subscription loses nothing", async (scene) => {
  const server = await scene.serve();
  const publisher = await scene.connect(server);
  const client = await scene.connect(server);
  const subscription = client.subscribe("d");
  await soon("flush", client.flush());
  for (const number of numbers(1000)) publisher.publish("d", number);
  await soon("flush", publisher.flush());
  const drained = subscription.drain();
  const received = [];
  for await (const message of subscription) received.push(message.string());
  await soon("drain", drained);
  publisher.publish("d", "late");
  await soon("flush", publisher.flush());
  await soon("flush", client.flush());
  assert.deepEqual(received, numbers(1000));
  assert.equal(client.stats().inMsgs, 1000);
});

check("a drained connection loses nothing", async (scene) => {
  const server = await scene.serve();
  const leaves = await scene.connect(server);
  const stays = await scene.connect(server);
  const received = await scene.subscribe(leaves, "received");
  const sent = await scene.subscribe(stays, "sent");
  for (const number of numbers(1000)) {
    stays.publish("received", number);
    leaves.publish("sent", number);
  }
  await soon("flush", stays.flush());
  await soon("drain", leaves.drain());
  assert.ok(leaves.isClosed());
  assert.deepEqual(received.rest(), numbers(1000));
  assert.deepEqual(await sent.texts(1000), numbers(1000));
  assert.throws(() => leaves.publish("sent", "late"), ClosedConnectionError);
});

check("payloads over the limit are an error", async (scene) => {
  const client = await scene.connect(await scene.serve({ maxPayload: 1000 }));
  assert.equal(client.info.max_payload, 1000);
  const inbox = await scene.subscribe(client, "limited");
  assert.throws(
    () => client.publish("limited", Buffer.alloc(1001)),
    InvalidArgumentError,
  );
  client.publish("limited", Buffer.alloc(1000));
  assertSame((await inbox.message()).data, Buffer.alloc(1000));
});

check("the server refuses payloads over the limit", async (scene) => {
  // Small enough that the server reads everything at once: with unread bytes, closing
  // the connection would discard its error.
  const server = await scene.serve({ maxPayload: 100 });
  const client = await scene.connect(server, { reconnect: false });
  const other = await scene.connect(server);
  const inbox = await scene.subscribe(other, "limited");
  // Without this, the client itself would refuse the payload.
  client.info.max_payload = 200;
  client.publish("limited", Buffer.alloc(101));
  const error = await soon("the end", client.closed());
  assert.match(String(error), /maximum payload violation/i);
  other.publish("limited", "unharmed");
  assert.deepEqual(await inbox.texts(1), ["unharmed"]);
});

check("payloads up to the limit pass", async (scene) => {
  const server = await scene.serve();
  const publisher = await scene.connect(server);
  const inbox = await scene.subscribe(await scene.connect(server), "large");
  for (const size of [65_535, 65_536, MIB - 1, MIB]) {
    publisher.publish("large", pattern(size));
    assertSame((await inbox.message()).data, pattern(size));
  }
});

check("payloads are bytes", async (scene) => {
  const server = await scene.serve();
  const publisher = await scene.connect(server);
  const inbox = await scene.subscribe(await scene.connect(server), "bytes");
  const payloads = [
    Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
    Buffer.alloc(0),
    Buffer.alloc(100),
    Buffer.from("\r\n"),
    Buffer.from("\r\nMSG bytes 1 5\r\nPING\r\n"),
    Buffer.from([0xff, 0xfe, 0xc3, 0x28]),
  ];
  for (const payload of payloads) publisher.publish("bytes", payload);
  for (const payload of payloads) {
    assertSame((await inbox.message()).data, payload);
  }
});

check("thousands of messages arrive in order", async (scene) => {
  const server = await scene.serve();
  const publisher = await scene.connect(server);
  const inbox = await scene.subscribe(await scene.connect(server), "numbers");
  for (const number of numbers(20_000)) publisher.publish("numbers", number);
  assert.deepEqual(await inbox.texts(20_000), numbers(20_000));
});

check("concurrent publishers keep their own order", async (scene) => {
  const server = await scene.serve();
  const inbox = await scene.subscribe(await scene.connect(server), "from.*");
  const publishers = [];
  for (let publisher = 0; publisher < 8; publisher++) {
    publishers.push(await scene.connect(server));
  }
  await Promise.all(publishers.map(async (client, publisher) => {
    for (const number of numbers(500)) {
      client.publish(`from.${publisher}`, number);
      if (number % 50 === 0) await soon("flush", client.flush());
    }
  }));
  const received = {};
  for (const message of await inbox.messages(8 * 500)) {
    (received[message.subject] ??= []).push(message.string());
  }
  assert.equal(Object.keys(received).length, 8);
  for (const each of Object.values(received)) {
    assert.deepEqual(each, numbers(500));
  }
});

check("without echo a client does not hear itself", async (scene) => {
  const server = await scene.serve();
  const silent = await scene.connect(server, { noEcho: true });
  const other = await scene.connect(server);
  const own = await scene.subscribe(silent, "said");
  silent.publish("said", "by itself");
  await soon("flush", silent.flush());
  other.publish("said", "by another");
  assert.deepEqual(await own.texts(1), ["by another"]);
});

check("flush resolves after everything was delivered", async (scene) => {
  const client = await scene.connect(await scene.serve());
  const inbox = await scene.subscribe(client, "flushed");
  for (const number of numbers(100)) client.publish("flushed", number);
  await soon("flush", client.flush());
  // Everything that the server sent before its PONG has arrived.
  assert.deepEqual(inbox.rest(), numbers(100));
});

check("verbose and pedantic clients are served", async (scene) => {
  const server = await scene.serve();
  const options = { verbose: true, pedantic: true };
  const client = await scene.connect(server, options);
  const inbox = await scene.subscribe(client, "words");
  client.publish("words", "many");
  assert.deepEqual(await inbox.texts(1), ["many"]);
});

/** Resolves when the client reports a connection status of this type. */
function told(client, type) {
  const statuses = client.status();
  const found = async () => {
    for await (const status of statuses) if (status.type === type) return;
    assert.fail("the client has ended");
  };
  return soon(type, found());
}

async function assertResumes(scene, described, options, signal) {
  const server = await scene.serve(described);
  const publisher = await scene.connect(server, options);
  const subscriber = await scene.connect(server, options);
  const inboxes = [
    await scene.subscribe(subscriber, "r.plain"),
    await scene.subscribe(subscriber, "r.*"),
    await scene.subscribe(subscriber, "r.>", { queue: "group" }),
  ];
  const both = (type) =>
    Promise.all([told(publisher, type), told(subscriber, type)]);
  for (const payload of ["first", "second", "third"]) {
    publisher.publish("r.plain", payload);
    for (const inbox of inboxes) {
      assert.deepEqual(await inbox.texts(1), [payload]);
    }
    if (payload === "third") break;
    const gone = both("disconnect");
    const back = both("reconnect");
    await server.end(signal);
    await gone;
    await server.start();
    await back;
    await soon("flush", subscriber.flush());
  }
}

check("subscriptions resume after a crash", (scene) =>
  assertResumes(scene, {}, {}, "SIGKILL"));

check("subscriptions resume after an orderly end", (scene) =>
  assertResumes(scene, {}, {}, "SIGTERM"));

check("subscriptions resume with authentication and TLS", (scene) =>
  assertResumes(
    scene,
    { user: "ann", password: "secret", tls: tls() },
    { user: "ann", pass: "secret", tls: trusting("servers") },
    "SIGKILL",
  ));

async function assertWelcome(scene, server, options) {
  const client = await scene.connect(server, options);
  const inbox = await scene.subscribe(client, "in");
  client.publish("in", "welcome");
  assert.deepEqual(await inbox.texts(1), ["welcome"]);
}

check("user and password are required", async (scene) => {
  const [user, password] = ["ann", "s3cret pässword"];
  const server = await scene.serve({ user, password });
  await assertWelcome(scene, server, { user, pass: password });
  for (const options of [
    { user, pass: "s3cret" },
    { user, pass: "" },
    { user: "anna", pass: password },
    { token: password },
    {},
  ]) {
    const error = await scene.refused(server, options);
    assert.ok(error instanceof AuthorizationError, error);
  }
});

check("a token is required", async (scene) => {
  const token = "t0ken-of-the-test";
  const server = await scene.serve({ token });
  await assertWelcome(scene, server, { token });
  for (const options of [
    { token: "t0ken" },
    { token: "T0ken-of-the-test" },
    { user: "ann", pass: token },
    {},
  ]) {
    const error = await scene.refused(server, options);
    assert.ok(error instanceof AuthorizationError, error);
  }
});

check("a certificate of the trusted authority is accepted", async (scene) => {
  const server = await scene.serve({ tls: tls() });
  const client = await scene.connect(server, { tls: trusting("servers") });
  assert.equal(client.info.tls_required, true);
  const inbox = await scene.subscribe(client, "secret");
  for (const size of [0, 1, 16_384, 16_385, MIB]) {
    client.publish("secret", pattern(size));
    assertSame((await inbox.message()).data, pattern(size));
  }
  for (const number of numbers(2000)) client.publish("secret", number);
  assert.deepEqual(await inbox.texts(2000), numbers(2000));
});

check("a certificate of another authority is refused", async (scene) => {
  const server = await scene.serve({ tls: tls() });
  const error = await scene.refused(server, { tls: trusting("clients") });
  assert.match(error.message, /certificate/);
  await scene.connect(server, { tls: trusting("servers") });
});

check("a certificate for another host is refused", async (scene) => {
  const server = await scene.serve({ tls: tls("elsewhere") });
  const error = await scene.refused(server, { tls: trusting("servers") });
  assert.match(error.message, /altnames/);
});

check("a client certificate is required", async (scene) => {
  const server = await scene.serve({ tls: tls("server", "clients") });
  const options = { tls: trusting("servers", "client") };
  await assertWelcome(scene, server, options);
  await scene.refused(server, { tls: trusting("servers") });
  await scene.refused(server, { tls: trusting("servers", "stranger") });
});

check("a password is required within TLS", async (scene) => {
  const described = { user: "ann", password: "secret", tls: tls() };
  const server = await scene.serve(described);
  const options = { user: "ann", tls: trusting("servers") };
  await assertWelcome(scene, server, { ...options, pass: "secret" });
  const error = await scene.refused(server, { ...options, pass: "wrong" });
  assert.ok(error instanceof AuthorizationError, error);
});
