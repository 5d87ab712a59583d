"""What an operator runs beside the service, with its settings: python -m services.audit.tools COMMAND.

`concordat audit` runs it with a cell's.
"""
