// What the page asks of its runner, because a web browser cannot do it: to start and
// end servers, to connect to them by TCP, to name an origin that is not its own.

import { once } from "node:events";
import { request } from "node:http";
import { createConnection } from "node:net";
import { join } from "node:path";

import { connect, headers } from "@nats-io/transport-node";

import { Inbox } from "../javascript/inbox.js";
import { Server } from "../javascript/server.js";
import { LIMIT, soon } from "../javascript/soon.js";

/** The file of a certificate that `clients/certificates` has made. */
export const certificate = (name) =>
  join(process.env.CERTIFICATES, `${name}.pem`);

/** A payload crosses to the page as an array of numbers. */
const message = ({ subject, data, headers }) => ({
  subject,
  data: [...data],
  headers: headers ? [...headers] : [],
});

function options(asked) {
  const sent = headers();
  for (const [name, values] of asked.headers ?? []) {
    for (const value of values) sent.append(name, value);
  }
  return { headers: sent, timeout: LIMIT };
}

/** Servers of one test and their clients by TCP, by number. */
export class Partner {
  #servers = [];
  #inboxes = [];

  /** The names of what may be asked; what is told and answered is JSON. */
  asked = {
    serve: async ({ websocket = {}, ...described }) => {
      const { tls } = websocket;
      const server = new Server({
        ...described,
        websocket: {
          ...websocket,
          tls: tls && {
            certificate: certificate(tls),
            key: certificate(`${tls}-key`),
          },
        },
      });
      const id = this.#servers.push({ server, sent: 0, received: 0 }) - 1;
      await server.start();
      const address = `127.0.0.1:${server.websocketPort}`;
      return { id, url: `${tls ? "wss" : "ws"}://${address}` };
    },

    start: ({ id }) => this.#servers[id].server.start(),

    end: ({ id, signal }) => this.#servers[id].server.end(signal),

    /** How many bytes have gone through `tunnel`. */
    traffic: ({ id }) => {
      const { sent, received } = this.#servers[id];
      return { sent, received };
    },

    /** The status that a page of this origin is answered with. */
    upgrade: async ({ id, origin }) => {
      const asking = request({
        host: "127.0.0.1",
        port: this.#servers[id].server.websocketPort,
        headers: {
          Connection: "Upgrade",
          Upgrade: "websocket",
          "Sec-WebSocket-Version": "13",
          "Sec-WebSocket-Key": Buffer.alloc(16).toString("base64"),
          Origin: origin,
        },
      });
      asking.end();
      const answer = new Promise((resolve, reject) => {
        asking.once("upgrade", resolve);
        asking.once("response", resolve);
        asking.once("error", reject);
      });
      const { statusCode, socket } = await soon("the answer", answer);
      socket.destroy();
      return statusCode;
    },

    publish: async ({ id, subject, data, ...asked }) => {
      const client = await this.#client(id);
      client.publish(subject, Uint8Array.from(data), options(asked));
      await soon("flush", client.flush());
    },

    request: async ({ id, subject, data, ...asked }) => {
      const client = await this.#client(id);
      const payload = Uint8Array.from(data);
      return message(await client.request(subject, payload, options(asked)));
    },

    /** Answers the number of an inbox. */
    subscribe: async ({ id, subject }) => {
      const client = await this.#client(id);
      const inbox = new Inbox(client, subject);
      await soon("flush", client.flush());
      return this.#inboxes.push(inbox) - 1;
    },

    messages: async ({ inbox, count }) =>
      (await this.#inboxes[inbox].messages(count)).map(message),
  };

  async #client(id) {
    const served = this.#servers[id];
    served.client ??= await soon(
      "connect",
      connect({ port: served.server.port, timeout: LIMIT }),
    );
    return served.client;
  }

  /** Passes a connection to the page's own port on to a server, as proxies do. */
  async tunnel(id, { url, rawHeaders }, socket) {
    const served = this.#servers[id];
    const server = createConnection(served.server.websocketPort, "127.0.0.1");
    const either = () => {
      socket.destroy();
      server.destroy();
    };
    for (const end of [socket, server]) end.on("error", either).on("close", either);
    await once(server, "connect");
    let head = `GET ${url} HTTP/1.1\r\n`;
    for (let at = 0; at < rawHeaders.length; at += 2) {
      head += `${rawHeaders[at]}: ${rawHeaders[at + 1]}\r\n`;
    }
    server.write(`${head}\r\n`);
    socket.on("data", (bytes) => (served.received += bytes.length));
    server.on("data", (bytes) => (served.sent += bytes.length));
    socket.pipe(server).pipe(socket);
  }

  /** Ends all of it; answers what the servers have logged. */
  async close() {
    let log = "";
    for (const { server, client } of this.#servers) {
      await client?.close();
      await server.close();
      log += server.log;
    }
    return log;
  }
}
