// Actions that the page requests because a web browser cannot do them: start and end
// servers, connect to them over TCP, and send another origin.

import { once } from "node:events";
import { request } from "node:http";
import { createConnection } from "node:net";
import { join } from "node:path";

import { connect, headers } from "@nats-io/transport-node";

import { Inbox } from "../javascript/inbox.js";
import { Server } from "../javascript/server.js";
import { LIMIT, soon } from "../javascript/soon.js";

/** Returns the path of a certificate that `clients/certificates` created. */
export const certificate = (name) =>
  join(process.env.CERTIFICATES, `${name}.pem`);

/** A payload is sent to the page as an array of numbers. */
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

/** The servers of one test and their TCP clients, by number. */
export class Partner {
  #servers = [];
  #inboxes = [];

  /** The actions by name; arguments and results are JSON. */
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

    /** Returns how many bytes went through `tunnel`. */
    traffic: ({ id }) => {
      const { sent, received } = this.#servers[id];
      return { sent, received };
    },

    /** Returns the HTTP status for a page of this origin. */
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

    /** Returns the number of an inbox. */
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

  /** Forwards a connection from the page's port to a server, like a proxy. */
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

  /** Ends clients and servers; returns the logs of the servers. */
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
