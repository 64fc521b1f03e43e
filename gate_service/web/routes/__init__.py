"""The addresses, by resource. Each reads its input, asks the service, answers; nothing is decided here."""
