// Modbus TCP server of the npm package modbus-serial. Input 10 (24 V) is on; input n follows output n + 0 for n = 2.
"use strict";
const path = require("path");
const { ServerTCP } = require(path.join(process.cwd(), "node_modules", "modbus-serial"));
const outputs = new Array(1024).fill(false);
const vector = {
  getDiscreteInput: (address) => (address === 2 ? outputs[2] : address === 10),
  getCoil: (address) => outputs[address >= 512 ? address - 512 : address],
  setCoil: (address, value) => { outputs[address] = value; },
  getHoldingRegister: (address) => ({ 0x1000: 10, 0x1001: 255, 0x1006: 1 })[address] || 0,
};
const server = new ServerTCP(vector, { host: "127.0.0.1", port: "0", unitID: 1 }); // the number 0 would be taken for none: 502
server.on("initialized", () => console.log(server._server.address().port));
