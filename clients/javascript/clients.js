import { Inbox } from "./inbox.js";
import { LIMIT, soon } from "./soon.js";

/**
 * The clients of one test, in Node.js or in a web browser. A subclass defines
 * `open(server, options)`, which connects the official client.
 */
export class Clients {
  #clients = [];

  async connect(server, options = {}) {
    const client = await soon(
      "connect",
      this.open(server, {
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

  /** Returns the error with which the server or the client refuses to connect. */
  async refused(server, options) {
    try {
      await this.connect(server, { reconnect: false, ...options });
    } catch (error) {
      return error;
    }
    throw new Error("the connection was not refused");
  }

  /** Subscribes, and resolves when the server has processed it. */
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

/** Publishes a greeting to three subscriptions, and returns the message each receives. */
export async function greet(scene) {
  const server = await scene.serve();
  const publisher = await scene.connect(server);
  const other = await scene.connect(server);
  const inboxes = [];
  for (const client of [publisher, other, other]) {
    inboxes.push(await scene.subscribe(client, "greetings"));
  }
  publisher.publish("others", "not for them");
  publisher.publish("greetings", "hello", { reply: "answers.here" });
  return Promise.all(inboxes.map((inbox) => inbox.message()));
}
