// Starts the server under test, Broker or nats-server, from one description.
//
// SERVER_UNDER_TEST names the program: `broker:PATH` or `nats-server:PATH`.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { soon } from "./soon.js";

/** The log lines with the ports. */
const LISTENING = {
  clients: /(?:listening|for client connections) on 127\.0\.0\.1:(\d+)/,
  websocket: /websocket clients on wss?:\/\/127\.0\.0\.1:(\d+)/,
};

function broker(path, described, ports) {
  const command = [path, "serve", "--listen", `127.0.0.1:${ports.clients}`];
  if (described.user) {
    command.push("--user", described.user, "--password", described.password);
  }
  if (described.token) command.push("--token", described.token);
  if (described.tls) {
    command.push("--tls-cert", described.tls.certificate);
    command.push("--tls-key", described.tls.key);
    if (described.tls.clientsCa) {
      command.push("--tls-ca", described.tls.clientsCa);
    }
  }
  if (described.maxPayload) {
    command.push("--max-payload", String(described.maxPayload));
  }
  const { websocket } = described;
  if (websocket) {
    command.push("--websocket", `127.0.0.1:${ports.websocket}`);
    if (websocket.tls) {
      command.push("--websocket-tls-cert", websocket.tls.certificate);
      command.push("--websocket-tls-key", websocket.tls.key);
    }
    if (websocket.compression) command.push("--websocket-compression");
    if (websocket.sameOrigin) command.push("--websocket-same-origin");
    for (const origin of websocket.allowedOrigins ?? []) {
      command.push("--websocket-allowed-origin", origin);
    }
  }
  return command;
}

function natsServer(path, described, ports, folder) {
  // Port -1 means any free port; 0 is the default port.
  const port = String(ports.clients || -1);
  const command = [path, "--addr", "127.0.0.1", "--port", port];
  if (described.user) {
    command.push("--user", described.user, "--pass", described.password);
  }
  if (described.token) command.push("--auth", described.token);
  if (described.tls) {
    command.push("--tls", "--tlscert", described.tls.certificate);
    command.push("--tlskey", described.tls.key);
    if (described.tls.clientsCa) {
      command.push("--tlsverify", "--tlscacert", described.tls.clientsCa);
    }
  }
  // Settings without a flag. nats-server's configuration may be JSON.
  const configuration = {};
  if (described.maxPayload) configuration.max_payload = described.maxPayload;
  const { websocket } = described;
  if (websocket) {
    configuration.websocket = {
      host: "127.0.0.1",
      port: ports.websocket || -1,
      ...(websocket.tls
        ? {
          tls: {
            cert_file: websocket.tls.certificate,
            key_file: websocket.tls.key,
          },
        }
        : { no_tls: true }),
      compression: websocket.compression ?? false,
      same_origin: websocket.sameOrigin ?? false,
      allowed_origins: websocket.allowedOrigins ?? [],
    };
  }
  if (Object.keys(configuration).length > 0) {
    const file = join(folder, "nats-server.conf");
    writeFileSync(file, JSON.stringify(configuration));
    command.push("--config", file);
  }
  return command;
}

const COMMANDS = { broker, "nats-server": natsServer };

/** A running server; `close` ends it. */
export class Server {
  log = "";
  #described;
  #folder = mkdtempSync(join(tmpdir(), "broker-clients-"));
  #ports = { clients: 0, websocket: 0 };
  #running = null;

  /**
   * The server settings of a test, independent of the program's flags: user and
   * password, token, tls ({ certificate, key, clientsCa }), maxPayload in bytes,
   * websocket ({ tls: { certificate, key }, compression, sameOrigin, allowedOrigins }).
   */
  constructor(described) {
    this.#described = described;
  }

  /**
   * Starts the server on its previous ports, or on any free ones the first time, and
   * resolves when it answers.
   */
  async start() {
    const named = process.env.SERVER_UNDER_TEST ?? "";
    const [program] = named.split(":", 1);
    const path = named.slice(program.length + 1);
    if (!Object.hasOwn(COMMANDS, program) || path === "") {
      throw new Error(
        `SERVER_UNDER_TEST must be broker:PATH or nats-server:PATH, not "${named}"`,
      );
    }
    const [file, ...flags] = COMMANDS[program](
      path,
      this.#described,
      this.#ports,
      this.#folder,
    );
    const child = spawn(file, flags, { stdio: ["ignore", "ignore", "pipe"] });
    this.#running = child;
    await soon(`${file} ${flags.join(" ")} listens`, this.#listening(child));
    await soon("the server greets", this.#greeting());
  }

  #listening(child) {
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      const awaited = new Set(["clients"]);
      if (this.#described.websocket) awaited.add("websocket");
      const lines = createInterface({ input: child.stderr });
      lines.on("line", (line) => {
        this.log += `${line}\n`;
        for (const name of awaited) {
          const port = LISTENING[name].exec(line)?.[1];
          if (!port) continue;
          this.#ports[name] = Number(port);
          awaited.delete(name);
        }
        if (awaited.size === 0) resolve();
      });
      lines.once("close", () => reject(new Error("the server has ended")));
    });
  }

  async #greeting() {
    const socket = createConnection(this.#ports.clients, "127.0.0.1");
    try {
      const [greeting] = await once(socket, "data");
      if (!greeting.toString("latin1").startsWith("INFO ")) {
        throw new Error(`the server must send INFO first, not ${greeting}`);
      }
    } finally {
      socket.destroy();
    }
  }

  get port() {
    return this.#ports.clients;
  }

  get websocketPort() {
    return this.#ports.websocket;
  }

  /** Sends a signal, and resolves when the server has ended. */
  async end(signal) {
    const child = this.#running;
    this.#running = null;
    const ended = once(child, "exit");
    child.kill(signal);
    await soon(`the end by ${signal}`, ended);
  }

  async close() {
    const child = this.#running;
    if (child?.exitCode === null && child.signalCode === null && child.pid) {
      await this.end("SIGKILL");
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
