// The official JavaScript client in a web browser, which connects by WebSocket.

import "/messages.js";
import "/connections.js";

import { run } from "/scene.js";

await run();
