// What the tests in the page have at hand: servers, connections by WebSocket, payloads,
// and assertions.

import { wsconnect } from "@nats-io/nats-core";

import { Inbox } from "/inbox.js";
import { LIMIT, soon } from "/soon.js";

/** Tells or asks the runner something. */
export async function ask(name, asked = {}) {
  const options = { method: "POST", body: JSON.stringify(asked) };
  const { answer, error } = await (await fetch(`/${name}`, options)).json();
  if (error !== undefined) throw new Error(error);
  return answer;
}

/** A server, which the runner holds. */
class Server {
  constructor({ id, url }) {
    this.id = id;
    this.url = url;
    /** The same server by way of the port that the page itself is from. */
    this.tunnelled = `ws://${location.host}/server/${id}`;
  }

  ask(name, asked) {
    return ask(name, { id: this.id, ...asked });
  }

  /** Publishes by TCP. */
  publish(subject, payload, asked) {
    return this.ask("publish", { subject, data: [...bytes(payload)], ...asked });
  }

  /** Requests by TCP. */
  request(subject, payload, asked) {
    return this.ask("request", { subject, data: [...bytes(payload)], ...asked });
  }

  /** Subscribes by TCP; the result resolves with so many messages, when called. */
  async subscribe(subject) {
    const inbox = await this.ask("subscribe", { subject });
    return (count) => ask("messages", { inbox, count });
  }
}

/** Connections of one test, ended with it. */
class Scene {
  #clients = [];

  async serve(described) {
    return new Server(await ask("serve", described));
  }

  async connect(server, options = {}) {
    const client = await soon(
      "connect",
      wsconnect({
        servers: server.url,
        maxReconnectAttempts: -1,
        reconnectJitter: 0,
        reconnectJitterTLS: 0,
        reconnectTimeWait: 20,
        timeout: LIMIT,
        ...options,
      }),
    );
    this.#clients.push(client);
    return client;
  }

  /** The error with which the server, or the web browser, refuses to connect. */
  async refused(server, options) {
    try {
      await this.connect(server, { reconnect: false, ...options });
    } catch (error) {
      return error;
    }
    throw new Error("connected all the same");
  }

  /** Subscribes and resolves when the server knows it. */
  async subscribe(client, subject, options) {
    const inbox = new Inbox(client, subject, options);
    await soon("flush", client.flush());
    return inbox;
  }

  async close() {
    for (const client of this.#clients) {
      await soon("the end of a connection", client.close());
    }
  }
}

const checks = [];

/** A test, with a scene of its own. */
export function check(name, body) {
  checks.push({ name, body });
}

/** Runs the tests, one after the other. */
export async function run() {
  await ask("planned", { count: checks.length });
  for (const { name, body } of checks) {
    const scene = new Scene();
    let failure;
    try {
      await body(scene);
    } catch (error) {
      failure = error;
    }
    try {
      await scene.close();
    } catch (error) {
      failure ??= error;
    }
    const error = failure && `${failure}\n${failure.stack}`;
    await ask("result", { name, error });
  }
  await ask("finished");
}

export const MIB = 1024 * 1024;

export const numbers = (count) => Array.from({ length: count }, (_, n) => String(n));

/** Bytes with a period that no buffer's size is a multiple of. */
export const pattern = (size) => Uint8Array.from({ length: size }, (_, at) => at % 251);

export const bytes = (payload) =>
  typeof payload === "string" ? new TextEncoder().encode(payload) : payload;

export function assert(holds, what) {
  if (!holds) throw new Error(what);
}

/** Both are the same as JSON. */
export function assertEqual(actual, expected, what = "it") {
  const [is, should] = [actual, expected].map((each) => JSON.stringify(each));
  assert(is === should, `${what} is ${is}, not ${should}`);
}

export function assertSame(received, sent) {
  const same = received.length === sent.length &&
    sent.every((byte, at) => received[at] === byte);
  assert(same, `${sent.length} bytes changed`);
}

/** What was thrown, which is of this class. */
export async function assertThrows(type, body) {
  try {
    await body();
  } catch (error) {
    assert(error instanceof type, `${error}, not ${type.name}`);
    return error;
  }
  throw new Error(`no ${type.name}`);
}

/** Each payload arrives unchanged at a client by TCP, and from there in the page. */
export async function assertPasses(scene, server, client, payloads) {
  const inbox = await scene.subscribe(client, "to.page");
  const received = await server.subscribe("from.page");
  for (const payload of payloads) {
    client.publish("from.page", payload);
    const [{ data }] = await received(1);
    assertSame(data, payload);
    await server.publish("to.page", payload);
    assertSame((await inbox.message()).data, payload);
  }
}

/** A client connects, and hears what it publishes. */
export async function assertWelcome(scene, server, options) {
  const client = await scene.connect(server, options);
  const inbox = await scene.subscribe(client, "in");
  client.publish("in", "welcome");
  assertEqual(await inbox.texts(1), ["welcome"]);
}
