"""The open gate control edge service: floor (domain) and roof (bootstrap, web). Imports nothing itself."""
