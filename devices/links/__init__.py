"""Links to devices: serial ports, Modbus buses, leases and what passed over them. They know bytes, not meanings."""
