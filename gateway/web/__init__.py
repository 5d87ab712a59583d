"""The web client: pages made on the server, complete without JavaScript, served by the gateway itself."""
