"""The answers of the API, one model each: what is sent, what the OpenAPI document describes, what clients read."""
