// The official JavaScript client in a web browser, over WebSocket.

import "/messages.js";
import "/connections.js";

import { run } from "/scene.js";

await run();
