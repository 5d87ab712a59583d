"""Benchmarks: commands, never timed tests.

Each runs the project and its comparison alternately, and reports ratios.

    rpc.py, events.py   one benchmark each: who competes, what is shown, what must hold
    contenders/         who competes: clients and servers, each a process of its own
    processes.py        starts them, hands out turns, measures what a turn cost
    turns.py            what is said to a client and what it answers
    rounds.py, applied.py, cpu.py   alternation and ratios; when effects took place; CPU time and steal
    figures.py, table.py   the report, for machines (.run/reports) and for people
    place.py            the broker and the database that they run on
"""
