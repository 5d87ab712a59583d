"""Runs the whole system, or parts of it, on one machine: real RabbitMQ, real MongoDB, the services, the
gateway.

`cell.py` is the way in. A cell is one such run, under one folder; several may run side by side.
"""
