// The server under test, started from one description, whichever program it is.
//
// SERVER_UNDER_TEST names it: `broker:PATH` or `nats-server:PATH`.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { soon } from "./soon.js";

const LISTENING =
  /(?:listening|for client connections) on 127\.0\.0\.1:(\d+)/;

function broker(path, described, port) {
  const command = [path, "serve", "--listen", `127.0.0.1:${port}`];
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
  return command;
}

function natsServer(path, described, port, folder) {
  // Its "any free port" is -1; 0 is the default port.
  const command = [path, "--addr", "127.0.0.1", "--port", String(port || -1)];
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
  if (described.maxPayload) {
    // There is no flag for it.
    const file = join(folder, "nats-server.conf");
    writeFileSync(file, `max_payload: ${described.maxPayload}\n`);
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
  #port = 0;
  #running = null;

  /**
   * What a test asks of the server, in neither program's flags: user and password,
   * token, tls ({ certificate, key, clientsCa }), maxPayload in bytes.
   */
  constructor(described) {
    this.#described = described;
  }

  /**
   * Starts it on the port it had, or on any free one the first time; resolves when
   * it answers.
   */
  async start() {
    const named = process.env.SERVER_UNDER_TEST ?? "";
    const [program] = named.split(":", 1);
    const path = named.slice(program.length + 1);
    if (!Object.hasOwn(COMMANDS, program) || path === "") {
      throw new Error(
        `SERVER_UNDER_TEST is broker:PATH or nats-server:PATH, not "${named}"`,
      );
    }
    const [file, ...flags] = COMMANDS[program](
      path,
      this.#described,
      this.#port,
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
      const lines = createInterface({ input: child.stderr });
      lines.on("line", (line) => {
        this.log += `${line}\n`;
        const port = LISTENING.exec(line)?.[1];
        if (port) {
          this.#port = Number(port);
          resolve();
        }
      });
      lines.once("close", () => reject(new Error("the server has ended")));
    });
  }

  async #greeting() {
    const socket = createConnection(this.#port, "127.0.0.1");
    try {
      const [greeting] = await once(socket, "data");
      if (!greeting.toString("latin1").startsWith("INFO ")) {
        throw new Error(`a server greets with INFO, not ${greeting}`);
      }
    } finally {
      socket.destroy();
    }
  }

  get port() {
    return this.#port;
  }

  /** Sends it a signal that ends it, and resolves when it has. */
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
