import { soon } from "./soon.js";

/** The messages of a subscription. */
export class Inbox {
  #messages = [];
  #wake = () => {};

  constructor(client, subject, options) {
    this.subscription = client.subscribe(subject, {
      ...options,
      callback: (error, message) => {
        if (error) throw error;
        this.#messages.push(message);
        this.#wake();
      },
    });
  }

  async messages(count) {
    const enough = async () => {
      while (this.#messages.length < count) {
        await new Promise((resolve) => (this.#wake = resolve));
      }
    };
    await soon(`${count} messages`, enough());
    return this.#messages.splice(0, count);
  }

  async message() {
    return (await this.messages(1))[0];
  }

  async texts(count) {
    return (await this.messages(count)).map((message) => message.string());
  }

  /** Returns the payloads received so far, as text. */
  rest() {
    return this.#messages.splice(0).map((message) => message.string());
  }
}
