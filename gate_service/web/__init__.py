"""The pages and addresses of the service."""
