// A webhook receiver on the npm package standardwebhooks: verifies, knows a repeat by its id, keeps what it accepted.
// `node npm_webhook_receiver.js whsec_…` prints its port.
"use strict";
const http = require("http");
const path = require("path");
const { Webhook } = require(path.join(process.cwd(), "node_modules", "standardwebhooks"));
const verifier = new Webhook(process.argv[2]);
const accepted = new Map();
const received = [];

const answer = (response, status, document) => {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(document));
};

function hook(body, headers) {
  try {
    verifier.verify(body, headers);
  } catch (error) {
    return [401, { refused: error.message }];
  }
  const id = headers["webhook-id"];
  if (accepted.has(id)) return [409, { refused: "replayed" }];
  accepted.set(id, body);
  received.push({ body, headers });
  return [200, {}];
}

const server = http.createServer((request, response) => {
  if (request.method === "GET") return answer(response, 200, received);
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => answer(response, ...hook(Buffer.concat(parts).toString("utf8"), request.headers)));
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
