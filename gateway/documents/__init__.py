"""What is said about the API, generated from the route table: OpenAPI, AsyncAPI, who may do what."""
