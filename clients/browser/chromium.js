// Debian's Chromium, without a window.

import { spawn } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { soon } from "../javascript/soon.js";

/** Returns the hash of a certificate's key for Chromium's command line. */
function fingerprint(file) {
  const { publicKey } = new X509Certificate(readFileSync(file));
  const key = publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(key).digest("base64");
}

/** A running Chromium with one page; `close` ends it. */
export class Chromium {
  log = "";
  #folder = mkdtempSync(join(tmpdir(), "broker-chromium-"));
  #child;
  #ended;

  /** Opens a page, and trusts one server's certificate besides the system's authorities. */
  constructor(url, certificate) {
    const flags = [
      "--headless=new",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--no-first-run",
      "--no-proxy-server",
      `--user-data-dir=${this.#folder}`,
      `--ignore-certificate-errors-spki-list=${fingerprint(certificate)}`,
      "--enable-logging=stderr",
      url,
    ];
    this.#child = spawn("chromium", flags, {
      stdio: ["ignore", "ignore", "pipe"],
      // Chromium's files are removed with the folder.
      env: { ...process.env, HOME: this.#folder, TMPDIR: this.#folder },
    });
    this.#child.stderr.setEncoding("utf8");
    this.#child.stderr.on("data", (text) => (this.log += text));
    this.#ended = new Promise((resolve) => {
      this.#child.once("error", (error) => resolve(String(error)));
      this.#child.once("close", () => resolve("Chromium has ended"));
    });
  }

  /** Resolves with a reason when Chromium has ended. */
  get ended() {
    return this.#ended;
  }

  async close() {
    this.#child.kill("SIGKILL");
    await soon("the end of Chromium", this.#ended);
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 10 });
  }
}
