// Messages over WebSocket, between the page's connections and with TCP clients.

import {
  ClosedConnectionError,
  headers,
  InvalidArgumentError,
  NoRespondersError,
  RequestError,
} from "@nats-io/nats-core";

import { greet } from "/clients.js";
import {
  assert,
  assertEqual,
  assertPasses,
  assertSame,
  assertThrows,
  bytes,
  check,
  MIB,
  numbers,
  pattern,
} from "/scene.js";
import { LIMIT, soon } from "/soon.js";

const byNumber = (a, b) => Number(a) - Number(b);

check("the server sends its INFO", async (scene) => {
  const server = await scene.serve();
  const client = await scene.connect(server);
  const { info } = client;
  assertEqual(`ws://${client.getServer()}`, server.url);
  assertEqual(`ws://${info.host}:${info.port}`, server.url);
  assertEqual(info.max_payload, MIB);
  assertEqual(info.headers, true);
  assertEqual(info.client_ip, "127.0.0.1");
  assert(info.proto >= 1 && info.server_id && info.version, "no version");
  assert(!info.auth_required && !info.tls_required, "more is required");
});

check("a message reaches each subscriber", async (scene) => {
  for (const message of await greet(scene)) {
    assertEqual(message.subject, "greetings");
    assertEqual(message.string(), "hello");
    assertEqual(message.reply, "answers.here");
    assertEqual(message.headers, undefined);
  }
});

check("a message from a TCP client arrives", async (scene) => {
  const server = await scene.serve();
  const inbox = await scene.subscribe(await scene.connect(server), "down.*");
  await server.publish("down.here", "größer 🦀");
  const message = await inbox.message();
  assertEqual(message.subject, "down.here");
  assertEqual(message.string(), "größer 🦀");
});

check("a message to a TCP client arrives", async (scene) => {
  const server = await scene.serve();
  const client = await scene.connect(server);
  const received = await server.subscribe("up.*");
  client.publish("up.there", "größer 🦀");
  const [{ subject, data }] = await received(1);
  assertEqual(subject, "up.there");
  assertSame(data, bytes("größer 🦀"));
});

check("wildcards receive what they match", async (scene) => {
  const client = await scene.connect(await scene.serve());
  const sent = "a b a.b a.c b.b a.b.c a.d.c a.b.d a.b.c.d ab.c".split(" ");
  for (const [subject, taken, end] of [
    ["a.*", "a.b a.c", "a.end"],
    ["*.b", "a.b b.b", "end.b"],
    ["a.*.c", "a.b.c a.d.c", "a.end.c"],
    ["a.>", "a.b a.c a.b.c a.d.c a.b.d a.b.c.d", "a.end"],
    [">", sent.join(" "), "end"],
  ]) {
    const inbox = await scene.subscribe(client, subject);
    for (const other of [...sent, end]) client.publish(other);
    const expected = [...taken.split(" "), end];
    const messages = await inbox.messages(expected.length);
    assertEqual(messages.map((m) => m.subject), expected, subject);
    inbox.subscription.unsubscribe();
  }
});

check("unsubscribing ends a subscription", async (scene) => {
  const client = await scene.connect(await scene.serve());
  const inbox = await scene.subscribe(client, "u");
  client.publish("u", "before");
  assertEqual(await inbox.texts(1), ["before"]);
  inbox.subscription.unsubscribe();
  client.publish("u", "after");
  await soon("flush", client.flush());
  assertEqual(client.stats().inMsgs, 1);
});

check("one member of a queue group receives each message", async (scene) => {
  const server = await scene.serve();
  const publisher = await scene.connect(server);
  const members = [];
  for (let member = 0; member < 2; member++) {
    const client = await scene.connect(server);
    members.push(await scene.subscribe(client, "work", { queue: "workers" }));
  }
  for (const number of numbers(200)) publisher.publish("work", number);
  await soon("flush", publisher.flush());
  for (const { subscription } of members) {
    await soon("drain", subscription.drain());
  }
  const taken = members.map((member) => member.rest());
  assert(taken.every((each) => each.length > 0), "a member is left out");
  assertEqual(taken.flat().sort(byNumber), numbers(200));
});

check("headers arrive as they were sent", async (scene) => {
  const server = await scene.serve();
  const client = await scene.connect(server);
  const inbox = await scene.subscribe(client, "headers");
  const received = await server.subscribe("headers");
  const sent = headers();
  sent.set("X-One", "1");
  sent.append("X-Many", "first");
  sent.append("X-Many", "second: with a colon");
  sent.append("X-Many", "größer 🦀");
  sent.set("x-one", "names differ by case");
  for (const payload of ["payload", "", Uint8Array.of(0, 13, 10, 255)]) {
    client.publish("headers", payload, { headers: sent });
    await server.publish("headers", payload, { headers: [...sent] });
    for (const message of [...(await inbox.messages(2)), ...(await received(2))]) {
      assertSame(message.data, bytes(payload));
      assertEqual([...message.headers], [...sent]);
    }
  }
});

check("the page answers a request from a TCP client", async (scene) => {
  const server = await scene.serve();
  const client = await scene.connect(server);
  client.subscribe("echo", {
    callback: (_, request) =>
      request.respond(`echo: ${request.string()}`, { headers: request.headers }),
  });
  await soon("flush", client.flush());
  const sent = [["Trace", ["1", "2"]]];
  const reply = await server.request("echo", "?", { headers: sent });
  assertSame(reply.data, bytes("echo: ?"));
  assertEqual(reply.headers, sent);
});

check("a request from the page is answered", async (scene) => {
  const server = await scene.serve();
  const asks = await scene.connect(server);
  const answers = await scene.connect(server);
  answers.subscribe("echo", {
    callback: (_, request) => request.respond(`echo: ${request.string()}`),
  });
  await soon("flush", answers.flush());
  const replies = await Promise.all(
    numbers(200).map((number) =>
      asks.request("echo", number, { timeout: LIMIT })
    ),
  );
  assertEqual(
    replies.map((reply) => reply.string()),
    numbers(200).map((number) => `echo: ${number}`),
  );
});

check("a request without responders fails at once", async (scene) => {
  const client = await scene.connect(await scene.serve());
  const started = Date.now();
  const error = await assertThrows(
    RequestError,
    () => client.request("nobody", "?", { timeout: LIMIT }),
  );
  assert(error.cause instanceof NoRespondersError, `by ${error.cause}`);
  assert(Date.now() - started < LIMIT / 2, "not at once");
});

check("large payloads pass both ways", async (scene) => {
  const server = await scene.serve();
  const client = await scene.connect(server);
  // From 126 and from 65 536 bytes on, the length field of a frame is longer.
  const sizes = [0, 125, 126, 65_535, 65_536, 256 * 1024];
  await assertPasses(scene, server, client, sizes.map(pattern));
});

check("payloads are limited to 1 MiB", async (scene) => {
  const server = await scene.serve();
  const client = await scene.connect(server);
  await assertPasses(scene, server, client, [pattern(MIB)]);
  await assertThrows(
    InvalidArgumentError,
    () => client.publish("limited", pattern(MIB + 1)),
  );
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
  client.publish("limited", pattern(101));
  const error = await soon("the end", client.closed());
  // The protocol error, or the reason in the close frame.
  const words = /Maximum (Payload Violation|Message Payload Exceeded)/i;
  assert(words.test(String(error)), `ended by ${error}`);
  other.publish("limited", "unharmed");
  assertEqual(await inbox.texts(1), ["unharmed"]);
});

check("thousands of messages arrive in order", async (scene) => {
  const server = await scene.serve();
  const publisher = await scene.connect(server);
  const inbox = await scene.subscribe(await scene.connect(server), "numbers");
  for (const number of numbers(5000)) publisher.publish("numbers", number);
  assertEqual(await inbox.texts(5000), numbers(5000));
});

check("a drained subscription loses nothing", async (scene) => {
  const server = await scene.serve();
  const publisher = await scene.connect(server);
  const client = await scene.connect(server);
  const inbox = await scene.subscribe(client, "d");
  for (const number of numbers(1000)) publisher.publish("d", number);
  await soon("flush", publisher.flush());
  await soon("drain", inbox.subscription.drain());
  assertEqual(inbox.rest(), numbers(1000));
  publisher.publish("d", "late");
  await soon("flush", publisher.flush());
  await soon("flush", client.flush());
  assertEqual(client.stats().inMsgs, 1000);
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
  assert(leaves.isClosed(), "it is open");
  assertEqual(received.rest(), numbers(1000));
  assertEqual(await sent.texts(1000), numbers(1000));
  await assertThrows(
    ClosedConnectionError,
    () => leaves.publish("sent", "late"),
  );
});
