// Servers, WebSocket connections, payloads and assertions for the tests in the page.

import { wsconnect } from "@nats-io/nats-core";

import { Clients } from "/clients.js";

/** Sends a report or a request to the runner. */
export async function ask(name, asked = {}) {
  const options = { method: "POST", body: JSON.stringify(asked) };
  const { answer, error } = await (await fetch(`/${name}`, options)).json();
  if (error !== undefined) throw new Error(error);
  return answer;
}

/** A server, which runs in the runner. */
class Server {
  constructor({ id, url }) {
    this.id = id;
    this.url = url;
    /** The same server through the page's own port. */
    this.tunnelled = `ws://${location.host}/server/${id}`;
  }

  ask(name, asked) {
    return ask(name, { id: this.id, ...asked });
  }

  /** Publishes over TCP. */
  publish(subject, payload, asked) {
    return this.ask("publish", { subject, data: [...bytes(payload)], ...asked });
  }

  /** Sends a request over TCP. */
  request(subject, payload, asked) {
    return this.ask("request", { subject, data: [...bytes(payload)], ...asked });
  }

  /** Subscribes over TCP; returns a function that resolves with `count` messages. */
  async subscribe(subject) {
    const inbox = await this.ask("subscribe", { subject });
    return (count) => ask("messages", { inbox, count });
  }
}

/** The servers and connections of one test. */
class Scene extends Clients {
  async serve(described) {
    return new Server(await ask("serve", described));
  }

  open(server, options) {
    return wsconnect({ servers: server.url, ...options });
  }
}

const checks = [];

/** Adds a test, which gets its own scene. */
export function check(name, body) {
  checks.push({ name, body });
}

/** Runs the tests one by one. */
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

/** Returns bytes whose period divides no buffer size. */
export const pattern = (size) => Uint8Array.from({ length: size }, (_, at) => at % 251);

export const bytes = (payload) =>
  typeof payload === "string" ? new TextEncoder().encode(payload) : payload;

export function assert(holds, what) {
  if (!holds) throw new Error(what);
}

/** Asserts that both are equal as JSON. */
export function assertEqual(actual, expected, what = "it") {
  const [is, should] = [actual, expected].map((each) => JSON.stringify(each));
  assert(is === should, `${what} is ${is}, not ${should}`);
}

export function assertSame(received, sent) {
  const same = received.length === sent.length &&
    sent.every((byte, at) => received[at] === byte);
  assert(same, `${sent.length} bytes changed`);
}

/** Returns the error thrown, which must be of this class. */
export async function assertThrows(type, body) {
  try {
    await body();
  } catch (error) {
    assert(error instanceof type, `${error}, not ${type.name}`);
    return error;
  }
  throw new Error(`no ${type.name}`);
}

/** Asserts that each payload arrives unchanged at a TCP client, and back in the page. */
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

/** Asserts that a client can connect and receives what it publishes. */
export async function assertWelcome(scene, server, options) {
  const client = await scene.connect(server, options);
  const inbox = await scene.subscribe(client, "in");
  client.publish("in", "welcome");
  assertEqual(await inbox.texts(1), ["welcome"]);
}
