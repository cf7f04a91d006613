// What the worker runs: messages in, messages out.

import { simulation_server } from "./simulation_worker.js";

const answer = simulation_server((message) => self.postMessage(message), (f) => setTimeout(f, 0));
self.onmessage = (event) => answer(event.data);
